"""This broker's znode: made, or found to be ours already, or refused because it is another broker's.

Source: KafkaZkClient.registerBroker and CheckedEphemeral of Kafka 3.9.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

import trio

from broker.clock import Clock
from broker.cluster.znodes import BrokerNode, MalformedNode, broker_path, registration_version
from broker.config.listeners import Listening
from broker.config.problems import OperatorError
from broker.registry.contract import (
    ConnectionLost,
    Create,
    MultiFailed,
    NodeExists,
    NoNode,
    Operation,
    Registry,
    SetData,
    Stat,
)
from broker.transport.contract import Address

log = logging.getLogger("barnabas.registration")

SESSION_MARGIN_MS = 2_000


class RegistrationSettings(Protocol):
    @property
    def broker_rack(self) -> str | None: ...
    @property
    def inter_broker_protocol_version(self) -> str: ...
    @property
    def listening(self) -> Listening: ...
    @property
    def zookeeper_session_timeout_ms(self) -> int: ...


class OwnNode:
    """`/brokers/ids/<id>` of this process. It remembers the sessions in which it tried, to know its own remains."""

    def __init__(
        self,
        registry: Registry,
        broker_id: int,
        endpoints: Mapping[str, Address],
        settings: RegistrationSettings,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._broker_id = broker_id
        self._path = broker_path(broker_id)
        self._endpoints = endpoints
        self._settings = settings
        self._clock = clock
        self._own_sessions: set[int] = set()

    async def make(self) -> Stat:
        """In the present session. Raises: OperatorError: the id is taken; RegistryError."""
        while (stat := await self._attempt()) is None:
            await trio.lowlevel.checkpoint()
        return stat

    async def _attempt(self) -> Stat | None:
        """None: try again."""
        self._own_sessions.add(self._registry.session_id)
        create: list[Operation] = [Create(self._path, None, ephemeral=True), SetData(self._path, self._data(), 0)]
        try:
            stat = (await self._registry.multi(create))[1]
        except ConnectionLost:
            return None  # if it happened all the same, the next attempt finds the node ours
        except MultiFailed as failed:
            if not isinstance(failed.cause, NodeExists):
                raise failed.cause from failed
            return await self._ours_already()
        assert isinstance(stat, Stat)
        return stat

    def _data(self) -> bytes:
        node = BrokerNode(
            endpoints=self._endpoints,
            protocols={plan.name: plan.protocol for plan in self._settings.listening.listeners},
            rack=self._settings.broker_rack,
            timestamp_ms=self._clock.now_ms(),
        )
        return node.encode(registration_version(self._settings.inter_broker_protocol_version))

    async def _ours_already(self) -> Stat | None:
        """The node exists. None: it went, or will not stand in the way again.

        Raises: OperatorError: it is another broker's.
        """
        gone = trio.Event()
        try:
            data, stat = await self._registry.get(self._path, lambda _: gone.set())
        except NoNode:
            return None
        if stat.ephemeral_owner == self._registry.session_id:
            return stat
        if stat.ephemeral_owner in self._own_sessions:
            await self._remove_own()
            return None
        if self._told_the_same(data):
            await self._wait_for_our_last_life(gone)
        if not gone.is_set():
            raise id_is_taken(self._broker_id, stat.ephemeral_owner, data)
        return None

    async def _remove_own(self) -> None:
        with suppress(NoNode, ConnectionLost):
            await self._registry.delete(self._path)

    def _told_the_same(self, data: bytes | None) -> bool:
        """Whether the node names our own endpoints: our ports are bound by us, so it is left from a killed process."""
        try:
            return BrokerNode.decode(data).endpoints == self._endpoints
        except MalformedNode:
            return False

    async def _wait_for_our_last_life(self, gone: trio.Event) -> None:
        within_ms = self._settings.zookeeper_session_timeout_ms + SESSION_MARGIN_MS
        log.warning(
            "broker %d is still registered from an earlier run; waiting up to %d ms for that session to end",
            self._broker_id,
            within_ms,
        )
        with trio.move_on_after(within_ms / 1000):
            await gone.wait()


def id_is_taken(broker_id: int, session_id: int, data: bytes | None) -> OperatorError:
    """What to tell the operator when a node of that id is there, made by somebody else's session."""
    try:
        told = ", ".join(map(str, BrokerNode.decode(data).endpoints.values()))
    except MalformedNode:
        told = "an unreadable address"
    return OperatorError(
        f"broker.id={broker_id} is taken.",
        f"Another broker is registered under it, at {told} (session {session_id:#x}).",
        "Stop that broker, or give this one another broker.id; after a crash its session ends by itself.",
    )
