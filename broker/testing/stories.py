"""Random stories of a storage, by seed, and every state its disk may have after a crash at any call to it.

A story has several lives. In each, a storage starts on the disk, goes through some verbs, and ends: stopped, killed, or
without power. At each call to the disk the ways in which a crash at this moment may leave it are noted, together with
what has been promised until then; recoveries are part of the story, so a crash may come in the middle of one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID

import trio

from broker.storage.contract import LogId, StorageFailed
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing import crashes
from broker.testing.crashes import KILL, POWER_CUT, Crash
from broker.testing.disk import FakeDisk
from broker.testing.promises import Kept, Ledger, Promise, StoredBatch, Version, end_of, replayed
from broker.testing.starting import Breach, Found, found_on, looked_at
from broker.testing.storage import DATA, NOW_MS, LogOptions, batch, started, storage_on
from kproto.records.batch import split, stamp

_PRODUCERS = 3
_LIVES = 3
_VERBS = (4, 8)
_VALUE_BYTES = {300: [10, 40], 1200: [10, 200, 500], 6000: [40, 500, 2000]}
"""By the size of segments."""
_SHUFFLED = 5
"""Crashes by chance at each call, besides the plain ones."""

Promises = dict[LogId, Promise]


@dataclass(slots=True)
class CrashState:
    """One disk, and all that was promised whenever it could have been left like this."""

    disk: FakeDisk
    promises: list[tuple[str, Promises]]


class Story:
    """Tells itself with `tell`; then `states` holds every distinct crash state that has a batch in it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = Random(seed)
        self.disk = FakeDisk()
        self.directories = [DATA] if self.chance.random() < 0.6 else [DATA, DATA.with_name("data2")]
        self.options = LogOptions(
            segment_bytes=self.chance.choice(list(_VALUE_BYTES)),
            index_interval_bytes=self.chance.choice([0, 100, 1000]),
        )
        self.partitions = self.chance.choice([1, 1, 2, 3])
        self.ledgers: list[Ledger] = []
        self.states: dict[int, CrashState] = {}
        self.told: list[str] = []
        """The verbs so far, for whoever has to find out what went wrong."""
        self._fixed: Promises | None = None
        self._storage: SegmentStorage
        self._epoch = 0
        self._numbers = 0

    async def tell(self) -> None:
        same_schedule(self.seed)
        for _ in range(_LIVES):
            await self._live()

    async def check(self) -> None:
        """A start on each state.  Raises: Breach, with what it takes to see it again."""
        again: dict[int, Found] = {}
        for number, state in enumerate(self.states.values()):
            try:
                found = await found_on(state.disk, self.directories, self.options, again)
            except (Breach, StorageFailed, OSError) as breach:
                raise self._breach(number, state.promises[0][0], str(breach)) from breach
            for moment, promises in state.promises:
                for log_id, promise in promises.items():
                    breach_of_it = promise.breach(found.get(log_id))
                    if breach_of_it is not None:
                        raise self._breach(number, moment, f"{log_id.partition}: {breach_of_it}")

    def _breach(self, number: int, moment: str, what: str) -> Breach:
        return Breach(f"seed {self.seed}, state {number}, crash {moment}: {what}")

    # --- one life ---

    async def _live(self) -> None:
        self._storage = storage_on(self.disk, self.directories, defaults=self.options)
        self.disk.watcher = self._watch
        await started(self._storage)
        await self._go_on()
        for _ in range(self.chance.randint(*_VERBS)):
            verb = self.chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            self.told.append(verb)
            await getattr(self, f"_{verb}")()
        await getattr(self, f"_end_by_{self.chance.choice(['stop', 'kill', 'kill', 'power_cut'])}")()

    async def _go_on(self) -> None:
        """What the start has found is what the story goes on with."""
        found: Found = {log.id: await looked_at(log) for log in self._storage._logs.with_id}
        if self._fixed is None:
            return
        for ledger in self.ledgers:
            promise, kept = self._fixed[ledger.log_id], found.get(ledger.log_id)
            breach = promise.breach(kept)
            if breach is not None:
                raise Breach(f"seed {self.seed}, after {self.told}: {breach}")
            ledger.goes_on(kept or await self._nameless(ledger), promise, all_durable=self._power_was_off)
        self._fixed = None

    async def _nameless(self, ledger: Ledger) -> Kept | None:
        """What is there of its log without saying whose it is: that was not durable yet."""
        log = self._storage._logs.named(f"orders-{ledger.log_id.partition}")
        ledger.nameless = not ledger.deleted and log is not None and not log.has_metadata
        return await looked_at(log) if ledger.nameless and log is not None else None

    async def _end_by_stop(self) -> None:
        self.told.append("stop")
        await self._storage.close()
        for ledger in self.ledgers:
            ledger.is_flushed(end_of(ledger.now), ledger.done_with)
            ledger.start_checkpointed = ledger.start
        self._promise_until_started("stop", power_was_off=False)

    async def _end_by_kill(self) -> None:
        self._promise_until_started("kill", power_was_off=False)

    async def _end_by_power_cut(self) -> None:
        self._promise_until_started("power cut", power_was_off=True)
        self.disk = self.disk.crashed(self.chance.choice(list(self._crashes())[1:])[1])

    def _promise_until_started(self, how: str, *, power_was_off: bool) -> None:
        self.told.append(how)
        self._power_was_off = power_was_off
        self._fixed = {
            ledger.log_id: ledger.when_power_fails() if power_was_off else ledger.when_killed()
            for ledger in self.ledgers
        }
        self.disk.watcher = None
        self.disk.forget_locks()

    # --- crashes ---

    def _watch(self) -> None:
        killed, cut = self._promises()
        for name, crash in self._crashes():
            left = self.disk.crashed(crash)
            if not any(len(left.file(path)) for path in left.paths(".log")):
                continue
            state = self.states.setdefault(left.state(), CrashState(left, []))
            promises = killed if crash is KILL else cut
            if not any(same is promises for _, same in state.promises[-2:]):
                state.promises.append((f"({name}) at call {len(self.disk.calls)} after {self.told}", promises))

    def _promises(self) -> tuple[Promises, Promises]:
        killed = {ledger.log_id: ledger.when_killed() for ledger in self.ledgers}
        cut = {ledger.log_id: ledger.when_power_fails() for ledger in self.ledgers}
        if self._fixed is not None:
            return self._fixed, (self._fixed if self._power_was_off else cut)
        return killed, cut

    def _crashes(self) -> Iterator[tuple[str, Crash]]:
        chance = self.chance
        yield "kill", KILL
        yield "power cut", POWER_CUT
        yield "half", Crash(crashes.first_bytes(lambda tail: tail // 2), crashes.no_name)
        yield "all but a byte", Crash(crashes.first_bytes(lambda tail: max(tail - 1, 0)), crashes.every_name)
        yield "names without bytes", Crash(crashes.no_byte, crashes.every_name)
        yield "bytes without names", Crash(crashes.every_byte, crashes.no_name)
        yield "zeros", Crash(crashes.zeros, crashes.every_name)
        for _ in range(_SHUFFLED):
            names = chance.choice(
                [
                    crashes.every_name,
                    crashes.no_name,
                    crashes.names_by_chance(chance),
                    crashes.names_until(chance.randint(0, len(self.disk.calls))),
                ]
            )
            yield "shuffled", Crash(crashes.blocks(chance, chance.choice([512, 4096])), names)

    # --- verbs ---

    def _ledger(self) -> Ledger:
        """Of a partition that is there, or is begun now."""
        alive = [ledger for ledger in self.ledgers if not ledger.deleted]
        if len(alive) < self.partitions:
            taken = {ledger.log_id.partition for ledger in alive}
            partition = next(number for number in range(self.partitions) if number not in taken)
            alive.append(Ledger(LogId(UUID(int=self.seed << 32 | len(self.ledgers) + 1), partition)))
            self.ledgers.append(alive[-1])
        return self.chance.choice(alive)

    def _log(self, ledger: Ledger) -> SegmentLog:
        log = self._storage.create(ledger.log_id, "orders", self.options)
        ledger.nameless = False
        return log

    async def _append(self) -> None:
        ledger = self._ledger()
        data = self._batches(ledger)
        ledger.begins(ledger.now + stamped(data, end_of_log(ledger), self._epoch))
        self._log(ledger).append(data, self._epoch, NOW_MS)
        ledger.done()

    async def _append_much(self) -> None:
        for _ in range(self.chance.randint(2, 5)):
            await self._append()

    def _batches(self, ledger: Ledger) -> memoryview:
        told = replayed(ledger.now)
        data = bytearray()
        for _ in range(self.chance.choice([1, 1, 2, 3])):
            producer_id = self.chance.randint(0, _PRODUCERS) - 1
            _, last, _ = told.get(producer_id, (0, -1, -1))
            values = [self._value() for _ in range(self.chance.randint(1, 3))]
            producer = (producer_id, 0, last + 1) if producer_id >= 0 else (-1, -1, -1)
            told[producer_id] = 0, last + len(values), -1
            data += batch(*values, producer=producer, at_ms=NOW_MS + 10 * self._numbers)
        return memoryview(data)

    def _value(self) -> str:
        self._numbers += 1
        return f"{self.seed} {self._numbers} ".ljust(
            self.chance.choice(_VALUE_BYTES[self.options.segment_bytes]), "abcdefghij"[self._numbers % 10]
        )

    async def _flush(self) -> None:
        ledger = self._ledger()
        await self._flush_of(ledger)

    async def _flush_of(self, ledger: Ledger) -> None:
        began_with = ledger.done_with
        upto = await self._log(ledger).flush()
        ledger.is_flushed(upto, began_with)

    async def _flush_while_appending(self) -> None:
        ledger = self._ledger()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._flush_of, ledger)
            await trio.lowlevel.checkpoint()
            data = self._batches(ledger)
            ledger.begins(ledger.now + stamped(data, end_of_log(ledger), self._epoch))
            self._log(ledger).append(data, self._epoch, NOW_MS)
            ledger.done()

    async def _checkpoint(self) -> None:
        starts = {ledger: ledger.start for ledger in self.ledgers if not ledger.deleted}
        await self._storage._checkpointer.write_all()
        for ledger, start in starts.items():
            ledger.start_checkpointed = start

    async def _truncate(self) -> None:
        """A follower that follows a new leader."""
        ledger = self._ledger()
        offset = self.chance.randint(ledger.start, end_of_log(ledger))
        self._epoch += 1
        ledger.begins(tuple(one for one in ledger.now if one.next_offset <= offset))
        self._log(ledger).truncate(offset)
        ledger.done()

    async def _drop(self) -> None:
        """Records are deleted, and the segments that hold nothing else."""
        ledger = self._ledger()
        log = self._log(ledger)
        ledger.start_asked = offset = self.chance.randint(ledger.start, end_of_log(ledger))
        log.advance_start(offset)
        ledger.start = offset
        log.high_watermark = log.end_offset
        await log.tidy(NOW_MS)

    async def _retain(self) -> None:
        """All but the last segments, by size."""
        ledger = self._ledger()
        log = self._log(ledger)
        log.high_watermark = log.end_offset
        ledger.start_asked = log.end_offset
        log.settings = LogOptions(segment_bytes=self.options.segment_bytes, retention_bytes=self.options.segment_bytes)
        await log.tidy(NOW_MS)
        log.settings = self.options
        ledger.start = ledger.start_asked = log.start_offset

    async def _delete(self) -> None:
        ledger = self._ledger()
        self._log(ledger)
        ledger.deleting = True
        await self._storage.delete(ledger.log_id)
        ledger.deleted = True


_WEIGHTS = {
    "append": 6,
    "append_much": 2,
    "flush": 4,
    "flush_while_appending": 1,
    "checkpoint": 2,
    "truncate": 2,
    "drop": 1,
    "retain": 1,
    "delete": 0.4,
}


def same_schedule(seed: int) -> None:
    """From now on trio takes tasks in an order that the seed decides; else the order is its own chance."""
    from trio._core import _run

    vars(_run)["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    _run._r.seed(seed)


def end_of_log(ledger: Ledger) -> int:
    """Of the log, which may have lost batches behind its start."""
    return max(end_of(ledger.now), ledger.start)


def stamped(data: memoryview, base_offset: int, epoch: int) -> Version:
    """What an append will make of these."""
    made = []
    for header, one in split(memoryview(bytearray(data))):
        stamp(one, base_offset, epoch)
        made.append(StoredBatch(base_offset, base_offset + header.last_offset_delta + 1, bytes(one)))
        base_offset = made[-1].next_offset
    return tuple(made)
