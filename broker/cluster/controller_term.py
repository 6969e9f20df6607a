"""One term of the controller: reads what its watches say has changed, asks the machine, executes the effects.

One event is handled to its end before the next. Requests leave through one task per broker, in order; their answers
come back as events.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, TypeVarTuple

import trio

from broker.clock import Chance
from broker.cluster.controller import (
    BrokersListed,
    Controller,
    DeletesListed,
    Effect,
    Elected,
    ElectionAsked,
    Event,
    ForgetBroker,
    LogDirFailed,
    ReadTopics,
    Removed,
    RemoveTrees,
    Request,
    Send,
    SetTimer,
    TimerFired,
    TopicRead,
    TopicsListed,
    TopicsRead,
    Write,
    WriteFailed,
    Written,
)
from broker.cluster.controller_reads import Reader
from broker.cluster.controller_sender import Peer, Sender
from broker.cluster.trees import remove_tree
from broker.cluster.znodes import (
    BROKER_IDS,
    CONTROLLER_EPOCH,
    DELETE_TOPICS,
    ISR_CHANGES,
    LOG_DIR_EVENTS,
    PREFERRED_ELECTION,
    TOPICS,
    MalformedNode,
    TopicPartition,
    decode_log_dir_event,
    decode_partitions,
)
from broker.registry.contract import (
    BadVersion,
    Check,
    ConnectionLost,
    MultiFailed,
    NoNode,
    Registry,
    RegistryError,
)

log = logging.getLogger("barnabas.controller")

RETRY_S = 0.3
LISTS = (BROKER_IDS, TOPICS, DELETE_TOPICS, ISR_CHANGES, LOG_DIR_EVENTS, PREFERRED_ELECTION)
"""What is watched, in the order in which changes are looked at."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Deposed(Exception):
    """The fence did not hold: a newer controller counted the epoch up."""


class Term:
    """From an election won until `run` ends; a fresh machine and fresh watches each time."""

    def __init__(
        self,
        registry: Registry,
        chance: Chance,
        peers: Callable[[int], Peer],
        *,
        epoch: int,
        fence: int,
        broker_id: int,
        delete_topics: bool,
        inter_broker_listener: str,
    ) -> None:
        self.epoch = epoch
        self._registry = registry
        self._peers = peers
        self._fence = fence
        self._machine = Controller(broker_id, delete_topics=delete_topics, inter_broker_listener=inter_broker_listener)
        self._reader = Reader(registry, chance, self._note)
        self._changed: set[str] = set()
        self._inbox: deque[Event] = deque()
        self._news = trio.Event()
        self._senders: dict[int, Sender] = {}

    async def run(self) -> None:
        """Serve until cancelled. Raises: Deposed, RegistryError: the session expired, or the registry cannot write."""
        end: Exception
        async with trio.open_nursery() as self._nursery:
            try:
                await self._begin()
                while True:
                    await self._next()
            except (Deposed, RegistryError) as error:
                end = error
            self._nursery.cancel_scope.cancel()
        raise end

    def _note(self, path: str) -> None:
        self._changed.add(path)
        self._news.set()

    async def _begin(self) -> None:
        """Notices of the time before are void: all is read anyway. Source: onControllerFailover."""
        for path in (LOG_DIR_EVENTS, ISR_CHANGES):
            for name in await self._retried(self._reader.children, path):
                await self._remove((f"{path}/{name}",))
        event = Elected(
            self.epoch,
            self._fence,
            await self._retried(self._reader.brokers),
            await self._retried(self._all_topics),
            await self._retried(self._reader.children, DELETE_TOPICS),
        )
        await self._handle(event)
        self._note(PREFERRED_ELECTION)

    async def _all_topics(self) -> list[TopicRead]:
        return await self._reader.topics(await self._reader.children(TOPICS))

    async def _next(self) -> None:
        """The next answer, else the next change that a watch told of, else wait."""
        if self._inbox:
            await self._handle(self._inbox.popleft())
            return
        for path in LISTS:
            if path in self._changed:
                self._changed.discard(path)
                await self._retried(self._look_at, path)
                return
        if self._changed:
            names = [path.removeprefix(f"{TOPICS}/") for path in self._changed]
            self._changed.clear()
            await self._read_topics(sorted(names))
            return
        self._news = trio.Event()
        await self._news.wait()

    async def _look_at(self, path: str) -> None:
        if path == BROKER_IDS:
            await self._handle(BrokersListed(await self._reader.brokers()))
        elif path == TOPICS:
            await self._handle(TopicsListed(await self._reader.children(TOPICS)))
        elif path == DELETE_TOPICS:
            names = await self._reader.children(DELETE_TOPICS)
            # A topic may be younger than our list of topics, and its end asked for already.
            await self._handle(TopicsListed(await self._reader.children(TOPICS)))
            await self._handle(DeletesListed(names))
        elif path == PREFERRED_ELECTION:
            await self._preferred_election()
        else:
            await self._notices(path)

    async def _preferred_election(self) -> None:
        if not await self._reader.appears(PREFERRED_ELECTION):
            return
        partitions: list[TopicPartition] = []
        try:
            data, _ = await self._registry.get(PREFERRED_ELECTION)
            partitions = decode_partitions(data)
        except NoNode:
            self._note(PREFERRED_ELECTION)
            return
        except MalformedNode as error:
            log.error("A request for preferred leaders is dropped: %s", error)
        await self._handle(ElectionAsked(partitions))
        self._note(PREFERRED_ELECTION)

    async def _notices(self, path: str) -> None:
        """In-sync sets that leaders changed, log directories that failed; each notice is read once and removed."""
        topics: dict[str, None] = {}
        for name in await self._reader.children(path):
            try:
                data, _ = await self._registry.get(f"{path}/{name}")
                if path == ISR_CHANGES:
                    topics.update((topic, None) for topic, _ in decode_partitions(data))
                else:
                    await self._handle(LogDirFailed(decode_log_dir_event(data)))
            except NoNode:
                continue
            except MalformedNode as error:
                log.error("The notice %s/%s is dropped: %s", path, name, error)
            await self._remove((f"{path}/{name}",))
        if topics:
            await self._read_topics(list(topics))

    async def _handle(self, event: Event) -> None:
        """Ask the machine, execute; what a write came to goes before the effects behind it."""
        effects = deque(self._machine.handle(event))
        while effects:
            outcome = await self._execute(effects.popleft())
            if outcome is not None:
                effects.extendleft(reversed(self._machine.handle(outcome)))

    async def _execute(self, effect: Effect) -> Event | None:
        match effect:
            case Write():
                return await self._write(effect)
            case ReadTopics(names):
                return TopicsRead(await self._retried(self._reader.topics, names))
            case RemoveTrees(tag, paths):
                await self._remove(paths)
                return Removed(tag)
            case Send(broker, request):
                self._send(broker, request)
            case ForgetBroker(broker):
                if (sender := self._senders.pop(broker, None)) is not None:
                    sender.scope.cancel()
            case SetTimer(name, after_ms):
                self._nursery.start_soon(self._fire, name, after_ms)
        return None

    async def _write(self, effect: Write) -> Event:
        try:
            await self._registry.multi(effect.operations)
        except MultiFailed as failure:
            if failure.index == 0:
                raise Deposed from failure
            return WriteFailed(effect.tag, failure.cause)
        except ConnectionLost as lost:
            # It may have happened: what is read next tells.
            return WriteFailed(effect.tag, lost)
        return Written(effect.tag)

    async def _read_topics(self, names: list[str]) -> None:
        await self._handle(TopicsRead(await self._retried(self._reader.topics, names)))

    async def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                await self._retried(remove_tree, self._registry, path, Check(CONTROLLER_EPOCH, self._fence))
            except BadVersion as error:
                raise Deposed from error

    async def _retried(self, attempt: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """Again and again while the connection to the registry is lost; the session may outlive it."""
        while True:
            try:
                return await attempt(*args)
            except ConnectionLost:
                await trio.sleep(RETRY_S)

    async def _fire(self, name: str, after_ms: int) -> None:
        await trio.sleep(after_ms / 1000)
        self._tell(TimerFired(name))

    def _tell(self, event: Event) -> None:
        self._inbox.append(event)
        self._news.set()

    def _send(self, broker: int, request: Request) -> None:
        sender = self._senders.get(broker)
        if sender is None:
            sender = self._senders[broker] = Sender(broker, self._peers(broker), self._tell)
            self._nursery.start_soon(sender.run)
        sender.queue.append(request)
        sender.news.set()
