"""One machine on one partition: replay it, then run it on the spot, without task or mailbox; one loop is order enough.

Ask whether we may write, decide, append, apply, park the replies until all they have seen is safe. A shard itself never
waits, so sessions live on while a follower is slow. A write failed? Refuse everybody, drop the machine, read it back.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias
from uuid import UUID

from broker.clock import Clock
from broker.coordinator_runtime.answers import Answer
from broker.coordinator_runtime.log import InternalPartition
from broker.coordinator_runtime.pace import Pace
from broker.coordinator_runtime.timers import Timers
from broker.purgatory import Waiter
from coordinator.groups import effects as wanted
from coordinator.groups.coordinator import GroupCoordinator
from coordinator.groups.events import Event, Timer, TimerFired, TopicDeleted
from coordinator.groups.records import read_record, record_bytes
from coordinator.groups.rules import Rules
from kproto.errors import ApiError, ErrorCode, WireError
from kproto.records.control import MarkerType, read_marker
from kproto.records.record import Record
from kproto.records.stored import read_stored_records, split_stored

log = logging.getLogger("barnabas.groups")

GroupAnswer: TypeAlias = Answer[wanted.Answer]

LOAD_BYTES = 1024 * 1024
RETRY_MS = 1_000
"""A timer that fires while nothing may be written comes back after this time."""

COORDINATOR_CODES = {
    ErrorCode.NOT_LEADER_OR_FOLLOWER: ErrorCode.NOT_COORDINATOR,
    ErrorCode.KAFKA_STORAGE_ERROR: ErrorCode.NOT_COORDINATOR,
    ErrorCode.NOT_ENOUGH_REPLICAS: ErrorCode.COORDINATOR_NOT_AVAILABLE,
}
"""What the partition says, in the words of a coordinator.  Source: GroupMetadataManager of Kafka."""


class Shard:
    """The groups of one partition of `__consumer_offsets` while this broker leads it.

    Args:
        name: topic and partition, for the log and for its timers' keys.
        failed: called when a write failed, after everybody was refused: this shard is over, begin another.
    """

    def __init__(
        self,
        name: str,
        partition: InternalPartition,
        rules: Rules,
        clock: Clock,
        timers: Timers,
        failed: Callable[[], None],
    ) -> None:
        self.name = name
        self.machine = GroupCoordinator(rules)
        self._rules = rules
        self._is_loaded = False
        self._is_over: ErrorCode | None = None
        self._partition = partition
        self._clock = clock
        self._timers = timers
        self._failed = failed
        self._end_offset = partition.end_offset
        """All that the machine has seen lies below."""
        self._asked: set[GroupAnswer] = set()
        self._parked: deque[tuple[int, GroupAnswer, wanted.Answer]] = deque()
        self._safety = SafetyMoved(self.release)

    @property
    def is_loading(self) -> bool:
        return not self._is_loaded and self._is_over is None

    async def load(self) -> None:
        """Read the machine back, in slices; if that fails, this shard refuses and the broker goes on."""
        try:
            pace = Pace()
            await self._replay(pace)
            await self._resume(pace)
        except ApiError as failure:
            log.error("The groups of %s cannot be read back: %s", self.name, failure)
            self.end(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        except Exception:
            log.exception("This is a bug of the broker: the groups of %s are not served", self.name)
            self.end(ErrorCode.UNKNOWN_SERVER_ERROR)

    async def _replay(self, pace: Pace) -> None:
        """Offsets of a transaction count from its marker on, if that says so; those of an open one not yet."""
        offset = self._partition.start_offset
        open_transactions: dict[int, list[Record]] = {}
        while offset < self._end_offset and self._is_over is None:
            batches = memoryview(await self._partition.read(offset, LOAD_BYTES))
            for header, batch in split_stored(batches):
                decided: Iterable[Record] = ()
                if header.is_control:
                    marker = read_marker(batch)
                    if marker is not None:
                        ended = open_transactions.pop(header.producer_id, [])
                        decided = ended if marker.type is MarkerType.COMMIT else ()
                elif header.is_transactional:
                    open_transactions.setdefault(header.producer_id, []).extend(read_stored_records(batch))
                else:
                    decided = read_stored_records(batch)
                for record in decided:
                    self._believe(record)
                    if pace.is_over:
                        await pace.rest()
                offset = header.next_offset

    def _believe(self, record: Record) -> None:
        try:
            read = None if record.key is None else read_record(record.key, record.value)
        except WireError as wrong:
            log.warning("Record %d of %s is passed over: %s", record.offset, self.name, wrong)
            return
        if read is not None:
            self.machine.apply(*read)

    async def _resume(self, pace: Pace) -> None:
        """Everything is read back: the sessions begin anew."""
        for group_id, effects in self.machine.resume():
            if self._is_over is not None:
                return
            self._carry_out(group_id, effects)
            if pace.is_over:
                await pace.rest()
        log.info("Loaded %d groups from %s", len(self.machine.groups), self.name)
        self.begin()

    def begin(self) -> None:
        """Serve: everything is read back, or there is nothing to read."""
        self._is_loaded = True

    def tell(self, group_id: str, event: Event) -> GroupAnswer:
        """Decide at once; the answer may be there already.

        Raises: ApiError: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE.
        """
        if self._is_over is not None:
            raise ApiError(self._is_over)
        if not self._is_loaded:
            raise ApiError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
        try:
            self._partition.must_take_appends() if event.may_append else self._partition.must_lead()
        except ApiError as no:
            raise ApiError(COORDINATOR_CODES.get(no.code, no.code)) from no
        answer: GroupAnswer = Answer()
        event.reply_to = answer
        self._asked.add(answer)
        self._decide(group_id, event)
        return answer

    def forget_topic(self, name: str, topic_id: UUID) -> None:
        """It was deleted: so are the offsets that groups have in it."""
        for group_id in self.machine.with_offsets_of(name):
            try:
                self.tell(group_id, TopicDeleted(name, topic_id))
            except ApiError as no:
                log.warning("Offsets of the deleted topic %s stay in group %s: %s", name, group_id, no)

    def _timer_fired(self, group_id: str, timer: Timer) -> None:
        if self._is_over is not None:
            return
        try:
            self._partition.must_take_appends()
        except ApiError:
            self._set_timer(group_id, timer, RETRY_MS)
        else:
            self._decide(group_id, TimerFired(timer))

    def _decide(self, group_id: str, event: Event) -> None:
        try:
            self._carry_out(group_id, self.machine.handle(group_id, event, self._clock.now_ms()))
        except ApiError as failure:
            code = COORDINATOR_CODES.get(failure.code, ErrorCode.UNKNOWN_SERVER_ERROR)
            if failure.code is not ErrorCode.KAFKA_STORAGE_ERROR:  # the storage has told that, once
                log.warning("A write to %s failed: %s", self.name, failure)
            if event.only_by_records:
                self._reply(event.reply_to, wanted.Refused(code))
            else:
                self._start_over(code)
        except Exception:
            log.exception("This is a bug of the broker: the groups of %s are read back", self.name)
            self._start_over(ErrorCode.UNKNOWN_SERVER_ERROR)

    def _start_over(self, code: ErrorCode) -> None:
        self.end(code)
        self._failed()

    def _carry_out(self, group_id: str, effects: list[wanted.Effect]) -> None:
        """Raises: ApiError: the append failed and nothing else was done."""
        self._append([effect for effect in effects if isinstance(effect, wanted.Append)])
        for effect in effects:
            match effect:
                case wanted.Reply(to, answer):
                    self._reply(to, answer)
                case wanted.SetTimer(timer, after_ms):
                    self._set_timer(group_id, timer, after_ms)
                case wanted.CancelTimer(timer):
                    self._timers.cancel((self.name, group_id, timer))

    def _append(self, appends: list[wanted.Append]) -> None:
        """One batch for one event, so that a crash keeps all of it or nothing."""
        if not appends:
            return
        now_ms = self._clock.now_ms()
        written = [record_bytes(append.key, append.value) for append in appends]
        records = [Record(timestamp_ms=now_ms, key=key, value=value) for key, value in written]
        self._end_offset = self._partition.append(records)
        for append in appends:
            self.machine.apply(append.key, append.value)

    def _set_timer(self, group_id: str, timer: Timer, after_ms: int) -> None:
        key = self.name, group_id, timer
        self._timers.set(key, after_ms, lambda: self._timer_fired(group_id, timer))

    def _reply(self, to: object, value: wanted.Answer) -> None:
        """At once if all that the machine has seen is safe; else in turn."""
        if not isinstance(to, Answer):
            return  # a timer does not want to know
        if not self._parked:
            if self._partition.is_safe(self._end_offset):
                self._give(to, value)
                return
            self._safety.watch([self._partition.moved])
        self._parked.append((self._end_offset, to, value))

    def release(self) -> None:
        """Let go of the replies that are safe by now; of all, if they will not become so here."""
        while self._parked and self._partition.is_safe(self._parked[0][0]):
            _, answer, value = self._parked.popleft()
            self._give(answer, value)
        if not self._parked:
            self._safety.leave()
            return
        try:
            self._partition.must_lead()
        except ApiError as no:
            self.end(COORDINATOR_CODES.get(no.code, ErrorCode.NOT_COORDINATOR))

    def _give(self, answer: GroupAnswer, value: wanted.Answer) -> None:
        self._asked.discard(answer)
        answer.give(value)

    def end(self, code: ErrorCode) -> None:
        """Everybody who waits is refused, and from now on everybody who comes."""
        self._is_over = code
        self._safety.leave()
        self._parked.clear()
        self.machine = GroupCoordinator(self._rules)
        asked, self._asked = self._asked, set()
        for answer in asked:
            answer.give(wanted.Refused(code))


class SafetyMoved(Waiter):
    """Stands where a partition tells that more is safe, as long as replies are parked."""

    __slots__ = ("_release",)

    def __init__(self, release: Callable[[], None]) -> None:
        super().__init__()
        self._release = release

    def wake(self) -> None:
        self._release()
