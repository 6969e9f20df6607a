"""What a broker tells its starter once it serves, and where a client on this machine reaches it."""

from collections.abc import Sequence
from typing import Protocol


class Listening(Protocol):
    """One open listener: where clients are told to go, with the port that was really bound."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class ReadyInfo(Protocol):
    """`broker.broker.Ready` as the command needs it."""

    @property
    def broker_id(self) -> int: ...
    @property
    def advertised(self) -> Sequence[Listening]: ...
    @property
    def web(self) -> Sequence[Listening]: ...


def bootstrap_of(ready: ReadyInfo) -> tuple[str, int]:
    """Address of the first listener."""
    first = ready.advertised[0]
    return first.host, first.port
