"""Runs the controller: stands for election in the registry, and serves a term whenever this broker wins.

Kafka's order since 2.1: one multi makes `/controller` and counts `/controller_epoch` up, so that the epoch's data
version fences every later write. A term ends with the session, with a failed fence, or when `/controller` changes.
"""

import contextlib
import functools
import logging
from collections.abc import Callable
from typing import Protocol

import trio

from broker.clock import Chance, Clock
from broker.cluster.controller_sender import Peer
from broker.cluster.controller_term import Deposed, Term
from broker.cluster.znodes import (
    CONTROLLER,
    CONTROLLER_EPOCH,
    FEATURE,
    ControllerNode,
    FeatureNode,
    MalformedNode,
    broker_path,
    decode_number,
    encode_number,
)
from broker.registry.contract import (
    Create,
    MultiFailed,
    NodeExists,
    Registry,
    RegistryError,
    SessionState,
    SetData,
    WatchEvent,
)

log = logging.getLogger("barnabas.controller")

RETRY_S = 0.2


class ControllerSettings(Protocol):
    @property
    def delete_topic_enable(self) -> bool: ...


class ControllerRuntime:
    """The one candidate of broker `broker_id`.

    Args: inter_broker_listener: name of the listener where brokers reach each other. peers: how to talk to a broker,
        by id; our own one included.
    """

    def __init__(
        self,
        registry: Registry,
        broker_id: int,
        settings: ControllerSettings,
        clock: Clock,
        chance: Chance,
        *,
        inter_broker_listener: str,
        peers: Callable[[int], Peer],
    ) -> None:
        self.term: Term | None = None
        self._registry = registry
        self._broker_id = broker_id
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._inter_broker_listener = inter_broker_listener
        self._peers = peers
        self._moved = trio.Event()
        self._scope: trio.CancelScope | None = None

    @property
    def active(self) -> bool:
        """Whether this broker is the controller now."""
        return self.term is not None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Stand for election for ever. Only a broker that is registered in the present session stands."""
        self._registry.on_session(self._session_changed)
        task_status.started()
        while True:
            self._moved = trio.Event()
            try:
                if await self._registered() and (won := await self._elect()) is not None:
                    await self._tell_features()
                    await self._serve(*won)
                    continue
            except RegistryError as error:
                log.info("The election did not come to an end (%r); trying again", error)
                with trio.move_on_after(RETRY_S):
                    await self._moved.wait()
                continue
            except MalformedNode as error:
                log.error("No election is possible: %s", error)
            await self._moved.wait()

    def _session_changed(self, state: SessionState) -> None:
        if state is SessionState.EXPIRED:
            self._end_term("the registry session expired")
        self._moved.set()

    def _node_changed(self, _: WatchEvent) -> None:
        self._moved.set()

    def _end_term(self, why: str) -> None:
        if self._scope is not None:
            log.info("Broker %d resigns as controller: %s", self._broker_id, why)
            self._scope.cancel()

    async def _registered(self) -> bool:
        stat = await self._registry.exists(broker_path(self._broker_id), self._node_changed)
        return stat is not None and stat.ephemeral_owner == self._registry.session_id

    async def _elect(self) -> tuple[int, int] | None:
        """Our epoch and the data version of `/controller_epoch`; None: somebody else is the controller."""
        if await self._registry.exists(CONTROLLER, self._node_changed) is not None:
            return await self._ours()
        epoch, version = await self._epoch()
        node = ControllerNode(self._broker_id, self._clock.now_ms())
        try:
            await self._registry.multi(
                [
                    Create(CONTROLLER, node.encode(), ephemeral=True),
                    SetData(CONTROLLER_EPOCH, encode_number(epoch + 1), version),
                ]
            )
        except MultiFailed as failure:
            raise failure.cause from failure
        return epoch + 1, version + 1

    async def _ours(self) -> tuple[int, int] | None:
        """Somebody holds the office; we do, if an answer was lost or somebody touched the epoch: then count it up.

        Raises: NoNode, BadVersion: it changes hands at this moment.
        """
        data, stat = await self._registry.get(CONTROLLER)
        if stat.ephemeral_owner != self._registry.session_id:
            log.info("Broker %d is the controller", ControllerNode.decode(data).broker_id)
            return None
        epoch, version = await self._epoch()
        await self._registry.set(CONTROLLER_EPOCH, encode_number(epoch + 1), version)
        return epoch + 1, version + 1

    async def _epoch(self) -> tuple[int, int]:
        """The number and its data version; the node is made by the first controller of all."""
        if await self._registry.exists(CONTROLLER_EPOCH) is None:
            with contextlib.suppress(NodeExists):
                await self._registry.create(CONTROLLER_EPOCH, encode_number(0))
        data, stat = await self._registry.get(CONTROLLER_EPOCH)
        return decode_number(data, "controller epoch"), stat.version

    async def _tell_features(self) -> None:
        """`/feature`, as controllers since 2.7: the mechanism is on, nothing is finalized. Made once, then kept."""
        with contextlib.suppress(NodeExists):
            await self._registry.create(FEATURE, FeatureNode(enabled=True).encode())

    async def _serve(self, epoch: int, fence: int) -> None:
        log.info("Broker %d is the controller now, epoch %d", self._broker_id, epoch)
        self.term = Term(
            self._registry,
            self._chance,
            self._peers,
            epoch=epoch,
            fence=fence,
            broker_id=self._broker_id,
            delete_topics=self._settings.delete_topic_enable,
            inter_broker_listener=self._inter_broker_listener,
        )
        try:
            async with trio.open_nursery() as nursery:
                self._scope = nursery.cancel_scope
                nursery.start_soon(self._guard_office)
                await self._served(self.term)
                nursery.cancel_scope.cancel()
        finally:
            self.term = self._scope = None

    async def _served(self, term: Term) -> None:
        try:
            await term.run()
        except Deposed:
            log.warning("Broker %d is deposed: a newer controller has taken over", self._broker_id)
        except RegistryError as error:
            log.error("The term of broker %d as controller ends: %r", self._broker_id, error)
            await trio.sleep(RETRY_S)

    async def _guard_office(self) -> None:
        """End the term as soon as `/controller` is not ours any more; a watch may fire for less."""
        while True:
            changed = trio.Event()
            try:
                stat = await self._registry.exists(CONTROLLER, functools.partial(_set, changed))
            except RegistryError:
                await trio.sleep(RETRY_S)
                continue
            if stat is None or stat.ephemeral_owner != self._registry.session_id:
                self._end_term("/controller is not ours any more")
            await changed.wait()


def _set(event: trio.Event, _: WatchEvent) -> None:
    event.set()
