"""Writes below `/config`, and the notice that every broker hears: as Kafka's brokers do in ZooKeeper mode.

Source: AdminZkClient of Kafka 3.9. Node and notice are one multi here, so a change is never left untold.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from broker.cluster.work import Job, Work
from broker.cluster.znodes import (
    CONFIG_CHANGE_PREFIX,
    DEFAULT_ENTITY,
    MalformedNode,
    config_path,
    decode_config,
    encode_config,
    encode_config_change,
    sequence_number,
    topic_path,
)
from broker.purgatory import Waiter, WaitingRoom
from broker.registry.contract import (
    ANY_VERSION,
    BadVersion,
    Check,
    Create,
    MultiFailed,
    NodeExists,
    NoNode,
    Operation,
    Registry,
    SetData,
    TooLarge,
)
from kproto.errors import ApiError, ErrorCode
from kproto.values import frozen

log = logging.getLogger("barnabas.configs")

WAIT_MS = 10_000
"""For the registry, and until this broker has heeded what it wrote; these requests have no timeout of their own."""


@frozen
class ConfigChange:
    """`edit`: from the overrides there are to those that shall be; raises ApiError, the refusal."""

    entity_path: str
    edit: Callable[[dict[str, str]], dict[str, str]]
    topic: str | None = None
    """Must still be there when its options are written."""

    @classmethod
    def of_topic(cls, name: str, edit: Callable[[dict[str, str]], dict[str, str]]) -> "ConfigChange":
        return cls(f"topics/{name}", edit, name)

    @classmethod
    def of_broker(cls, broker: int | None, edit: Callable[[dict[str, str]], dict[str, str]]) -> "ConfigChange":
        """None: of all brokers."""
        return cls(f"brokers/{DEFAULT_ENTITY if broker is None else broker}", edit)


class Listener(Protocol):
    """Who reads the notices of this broker."""

    heard: WaitingRoom

    @property
    def heard_up_to(self) -> int: ...


class ConfigChanges:
    """The commands of this broker; each gives a Job with a row per entity path."""

    def __init__(self, registry: Registry, listener: Listener, work: Work) -> None:
        self._registry = registry
        self._listener = listener
        self._work = work

    def make(self, changes: Sequence[ConfigChange], *, validate_only: bool) -> Job[str]:
        """A row is there once the change is written and this broker follows it, or says why not.

        Codes: those of `edit`; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST: more than the registry takes.
        """
        job: Job[str] = Job()

        async def do() -> None:
            last = -1
            for change in changes:
                await trio.lowlevel.checkpoint()  # a registry of our own never waits; other clients shall not either
                try:
                    last = max(last, await self._write(change, validate_only=validate_only))
                    job.rows[change.entity_path] = change.entity_path
                except ApiError as no:
                    job.rows[change.entity_path] = no
            await self._heard(last)

        return self._work.begin(job, do, within_ms=WAIT_MS)

    async def _write(self, change: ConfigChange, *, validate_only: bool) -> int:
        """The notice's number, -1 if nothing was written. Raises: ApiError."""
        path = config_path(change.entity_path)
        while True:
            old, version = await self._read(path)
            new = change.edit(old)
            if validate_only:
                return -1
            node = encode_config(new)
            operations: list[Operation] = [Create(path, node) if version is None else SetData(path, node, version)]
            operations.append(Create(CONFIG_CHANGE_PREFIX, encode_config_change(change.entity_path), sequential=True))
            if change.topic is not None:
                operations.append(Check(topic_path(change.topic), ANY_VERSION))
            try:
                _, notice, *_ = await self._registry.multi(operations)
            except MultiFailed as failure:
                if failure.index == 0 and isinstance(failure.cause, BadVersion | NoNode | NodeExists):
                    continue  # somebody else was here meanwhile
                if failure.index == 2 and isinstance(failure.cause, NoNode):
                    why = f"The topic '{change.topic}' does not exist."
                    raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, why) from None
                raise failure.cause from failure
            except TooLarge:
                raise ApiError(ErrorCode.INVALID_REQUEST, "The registry does not take so much at once.") from None
            log.info("Options of %s are written: %s", change.entity_path, ", ".join(sorted(new)) or "none")
            return sequence_number(str(notice).rpartition("/")[2])

    async def _read(self, path: str) -> tuple[dict[str, str], int | None]:
        """The overrides and the node's version; None: there is no such node. A malformed one is written over."""
        try:
            data, stat = await self._registry.get(path)
        except NoNode:
            return {}, None
        try:
            return decode_config(data), stat.version
        except MalformedNode as error:
            log.error("%s is written anew: %s", path, error)
            return {}, stat.version

    async def _heard(self, number: int) -> None:
        while self._listener.heard_up_to < number:
            waiter = Waiter()
            waiter.watch([self._listener.heard])
            await waiter.wait(WAIT_MS)
