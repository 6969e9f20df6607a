"""A kazoo client whose only thread hands everything to the broker's loop, in the order of the wire.

kazoo's own handler has three threads (connection, results, watches), between which the order is lost. Here results,
watches and session states leave the connection's thread by `run_sync_soon` and nothing else runs in it. Imported when
a ZooKeeper is asked for: kazoo costs 56 ms.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from kazoo import exceptions
from kazoo.client import KazooClient
from kazoo.handlers.threading import SequentialThreadingHandler
from kazoo.protocol import serialization
from kazoo.security import OPEN_ACL_UNSAFE

from broker.registry.contract import (
    BadVersion,
    Check,
    ConnectionLost,
    Create,
    Delete,
    NoChildrenForEphemerals,
    NodeExists,
    NoNode,
    NotEmpty,
    Operation,
    RegistryError,
    SessionExpired,
    SetData,
)

log = logging.getLogger("barnabas.registry.zookeeper")

RECONNECT = {"max_tries": -1, "delay": 0.1, "backoff": 2, "max_jitter": 0.4, "max_delay": 2.0}
GREETING_S = (0.5, 3.0)
"""A server that accepts has at least and at most so long to answer; in between a sixth of the session timeout."""


class _AtOnce:
    """Stands where kazoo has queues to its worker threads."""

    def put(self, call: Callable[[], None]) -> None:
        call()


class OneThreadHandler(SequentialThreadingHandler):  # type: ignore[misc]
    """kazoo's handler without workers: callbacks run where the answer was read. They must only hand it over."""

    queue_impl = _AtOnce

    def start(self) -> None:
        self._running = True

    def stop(self) -> None:
        self._running = False


class QuietLog(logging.LoggerAdapter[logging.Logger]):
    """kazoo's warnings about each attempt become debug lines; the last one is kept for the operator's message."""

    last_warning = ""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if level >= logging.WARNING:
            self.last_warning = str(msg) % args if args else str(msg)
        super().log(min(level, logging.DEBUG), msg, *args, **kwargs)


class Client(KazooClient):  # type: ignore[misc]
    """Knows the session timeout that the server granted, which kazoo does not keep, and gives up a mute server sooner.

    A server that is just starting may accept a connection and never say a word on it. kazoo would wait for a whole
    session timeout, and the session would be lost.
    """

    def __init__(self, hosts: str, session_timeout_s: float) -> None:
        self.quiet_log = QuietLog(log, {})
        self.granted_timeout_s = session_timeout_s
        super().__init__(
            hosts,
            timeout=session_timeout_s,
            handler=OneThreadHandler(),
            connection_retry=RECONNECT,
            logger=self.quiet_log,
        )
        connect = self._connection._connect

        def connect_and_note(*args: object) -> tuple[float, float]:
            read_timeout_ms, connect_timeout_ms = connect(*args)
            self.granted_timeout_s = read_timeout_ms * 1.5 / 1000  # kazoo gives up reading after two thirds
            return read_timeout_ms, connect_timeout_ms

        self._connection._connect = connect_and_note
        greet = self._connection._invoke
        patience_s = min(max(session_timeout_s / 6, GREETING_S[0]), GREETING_S[1])

        def greet_soon(timeout_s: float, *args: object, **kwargs: object) -> object:
            return greet(min(timeout_s, patience_s), *args, **kwargs)

        self._connection._invoke = greet_soon


_KINDS: dict[type[Exception], type[RegistryError]] = {
    exceptions.NoNodeError: NoNode,
    exceptions.NodeExistsError: NodeExists,
    exceptions.BadVersionError: BadVersion,
    exceptions.NotEmptyError: NotEmpty,
    exceptions.NoChildrenForEphemeralsError: NoChildrenForEphemerals,
    exceptions.ConnectionLoss: ConnectionLost,
    exceptions.OperationTimeoutError: ConnectionLost,
    exceptions.ConnectionDropped: ConnectionLost,
    exceptions.SessionMovedError: ConnectionLost,
    exceptions.SessionExpiredError: SessionExpired,
    exceptions.ConnectionClosedError: SessionExpired,
}


def request_of(operation: Operation, path: str) -> Any:
    """kazoo's request for one part of a multi; its own builder does not know null data."""
    match operation:
        case Create(data=data, ephemeral=ephemeral, sequential=sequential):
            return serialization.Create(path, data, OPEN_ACL_UNSAFE, ephemeral | sequential << 1)
        case SetData(data=data, version=version):
            return serialization.SetData(path, data, version)
        case Delete(version=version):
            return serialization.Delete(path, version)
        case Check(version=version):
            return serialization.CheckVersion(path, version)


def failure_among(answers: list[Any]) -> tuple[int, Callable[[str], RegistryError]] | None:
    """Which part of a multi failed, and how; those before and after it carry errors that only say so."""
    for index, answer in enumerate(answers):
        if isinstance(answer, Exception) and not isinstance(answer, _FELLOWS):
            return index, partial(translated, answer)
    return None


_FELLOWS = (exceptions.RolledBackError, exceptions.RuntimeInconsistency)


def translated(error: BaseException, what: str) -> RegistryError:
    """The contract's exception for one of kazoo's."""
    kind = _KINDS.get(type(error), RegistryError)  # type: ignore[arg-type]
    return kind(what) if kind is not RegistryError else RegistryError(f"{what}: {error!r}")
