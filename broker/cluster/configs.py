"""Overrides under `/config`, of topics and of brokers: read when a topic comes, and again at each change notice.

Who wrote them does not matter: a client by another broker, or an old tool with a hand on the znodes. Notices of all
three forms are heard (JSON string of 0.8, versions 1 and 2).
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from uuid import UUID

import trio

from broker.clock import Clock
from broker.cluster.gather import gathered
from broker.cluster.znodes import (
    CONFIG_CHANGES,
    MalformedNode,
    broker_config_path,
    decode_config,
    decode_config_change,
    sequence_number,
    topic_config_path,
)
from broker.config.layers import Layers, NotDynamic
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.purgatory import WaitingRoom
from broker.registry.contract import NoNode, Registry, RegistryError, SessionState, WatchEvent

log = logging.getLogger("barnabas.configs")

NOTICE_LIFE_MS = 15 * 60 * 1000
RETRY_S = 0.3


class Configs:
    """The overrides of topics that the controller told us of, and of this broker.

    `layers`: the file's settings and the dynamic values of `/config/brokers` over them.
    """

    def __init__(self, registry: Registry, settings: BrokerSettings, clock: Clock, *, broker_id: int) -> None:
        self.layers = Layers(settings)
        self.heard = WaitingRoom()
        """Woken when `heard_up_to` has moved."""
        self._registry = registry
        self._clock = clock
        self._broker_id = broker_id
        self._ids: dict[str, UUID] = {}
        self._topics: dict[str, TopicSettings] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._broker_listeners: list[Callable[[BrokerSettings], None]] = []
        self._read_listeners: list[Callable[[BrokerSettings], None]] = []
        self._checks: list[Callable[[BrokerSettings, Collection[str]], None]] = []
        self._last_notice = -1
        self._current = False
        self._watching = False
        self._news = trio.Event()

    @property
    def broker(self) -> BrokerSettings:
        """What holds for this broker now, and what topics fall back to."""
        return self.layers.settings

    @property
    def heard_up_to(self) -> int:
        """The number of the last change notice that was read, and heeded if it concerns this broker; -1: none."""
        return self._last_notice

    def topic(self, name: str) -> TopicSettings:
        """The options that hold for a topic; the broker's own for one that we do not know."""
        known = self._topics.get(name)
        return self.broker.topic({}) if known is None else known

    def topic_overrides(self, name: str) -> Mapping[str, str]:
        """What the topic itself says, by option name."""
        known = self._topics.get(name)
        return {} if known is None else known.overrides

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` in the loop with the name of each topic whose options have become others."""
        self._listeners.append(listener)

    def on_broker_read(self, listener: Callable[[BrokerSettings], None]) -> None:
        """Call `listener` in the loop each time that somebody wrote options of brokers, be they the same as before."""
        self._read_listeners.append(listener)

    def on_check(self, check: Callable[[BrokerSettings, Collection[str]], None]) -> None:
        """Have `check` asked before options that clients set for this broker are written.

        Args: check: of the settings that would hold and the names that are set; raises OperatorError.
        """
        self._checks.append(check)

    def check_world(self, settings: BrokerSettings, names: Collection[str]) -> None:
        """Whether what lies outside the options (files) allows them. Raises: NotDynamic."""
        for check in self._checks:
            try:
                check(settings, names)
            except OperatorError as no:
                raise NotDynamic(f"{no.what} {no.why}") from no

    def on_broker_change(self, listener: Callable[[BrokerSettings], None]) -> None:
        """Call `listener` in the loop with this broker's settings when they have become others."""
        self._broker_listeners.append(listener)

    async def know(self, topics: Iterable[tuple[str, UUID]]) -> None:
        """Read the overrides of topics that are new here, by name and id; waits for the registry if it must.

        Asked by LeaderAndIsr and UpdateMetadata before anybody else hears of a topic.
        """
        new = {name: topic_id for name, topic_id in topics if self._ids.get(name) != topic_id}
        while new:
            try:
                await gathered(self._read_topic, new)
            except RegistryError as error:
                log.warning("Topic options cannot be read now (%r); trying again", error)
                await trio.sleep(RETRY_S)
                continue
            self._ids |= new
            return

    def forget(self, name: str) -> None:
        """The topic is gone."""
        self._ids.pop(name, None)
        self._topics.pop(name, None)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow the change notices until cancelled; started once this broker's own overrides are read."""
        self._registry.on_session(self._session_changed)
        started = False
        while True:
            self._news = trio.Event()
            try:
                await self._catch_up()
            except RegistryError as error:
                log.warning("Change notices cannot be read now (%r); trying again", error)
                await trio.sleep(RETRY_S)
                continue
            if not started:
                started = True
                task_status.started()
            await self._news.wait()

    def _session_changed(self, state: SessionState) -> None:
        if state is SessionState.EXPIRED:
            self._current = self._watching = False
        self._news.set()

    def _noticed(self, _: WatchEvent) -> None:
        self._watching = False
        self._news.set()

    async def _catch_up(self) -> None:
        """Read the notices above the last one; after a new session, all that they could have told of."""
        watch = None if self._watching else self._noticed
        self._watching = True
        try:
            names = await self._registry.children(CONFIG_CHANGES, watch)
        except RegistryError:
            self._watching = False
            raise
        if not self._current:
            await self._read_broker()
            await gathered(self._read_topic, list(self._ids))
        notices = numbered(names)
        for number, path in notices:
            if number > self._last_notice:
                if self._current:
                    await self._read_notice(path)
                self._last_notice = number
                self.heard.wake_all()
        self._current = True
        await self._remove_old(path for _, path in notices)

    async def _read_notice(self, path: str) -> None:
        try:
            data, _ = await self._registry.get(path)
            await self._heed(decode_config_change(data))
        except NoNode:
            return
        except ValueError as error:
            log.error("The change notice %s is passed over: %s", path, error)

    async def _remove_old(self, paths: Iterable[str]) -> None:
        """Oldest first, up to the first that is young: however many there are, a change costs the same."""
        for path in paths:
            stat = await self._registry.exists(path)
            if stat is not None:
                if self._clock.now_ms() - stat.ctime_ms <= NOTICE_LIFE_MS:
                    return
                with suppress(NoNode):  # another broker was faster
                    await self._registry.delete(path)

    async def _heed(self, entity_path: str) -> None:
        kind, _, name = entity_path.partition("/")
        if kind == "topics" and name in self._ids:
            await self._read_topic(name)
        elif kind == "brokers":
            await self._read_broker()

    async def _read_topic(self, name: str) -> None:
        overrides = await self._overrides(topic_config_path(name))
        known = self._topics.get(name)
        if known is not None and overrides == dict(known.overrides):
            return
        self._topics[name] = self.broker.topic(overrides)
        if known is not None:
            log.info("Topic %s has other options now: %s", name, ", ".join(sorted(overrides)) or "the defaults")
            self._tell(name)

    async def _read_broker(self) -> None:
        cluster, broker = [await self._overrides(broker_config_path(each)) for each in (None, self._broker_id)]
        layers = Layers(self.layers.static, broker, cluster)
        before, self.layers = self.layers, layers
        for tell in self._read_listeners:
            tell(layers.settings)
        if layers.settings.texts == before.settings.texts:
            return
        names = ", ".join(sorted(layers.broker.keys() | layers.cluster.keys()))
        log.info("This broker has other options now: %s", names or "those of its start")
        if layers.idle:
            log.warning("Known, and without effect in this version: %s", ", ".join(layers.idle))
        for tell in self._broker_listeners:
            tell(layers.settings)
        for name, topic in list(self._topics.items()):
            self._topics[name] = layers.settings.topic(topic.overrides)
            self._tell(name)

    async def _overrides(self, path: str) -> dict[str, str]:
        try:
            data, _ = await self._registry.get(path)
            return decode_config(data)
        except NoNode:
            return {}
        except MalformedNode as error:
            log.error("%s is passed over: %s", path, error)
            return {}

    def _tell(self, name: str) -> None:
        for listener in self._listeners:
            listener(name)


def numbered(names: Iterable[str]) -> list[tuple[int, str]]:
    """Number and path of each change notice, oldest first; what else lies there is passed over."""
    found = []
    for name in names:
        try:
            found.append((sequence_number(name), f"{CONFIG_CHANGES}/{name}"))
        except ValueError:
            log.error("%s/%s is no change notice and passed over", CONFIG_CHANGES, name)
    return sorted(found)
