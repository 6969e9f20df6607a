"""How much a client may take, and for how long: the numbers of the server, out of the settings."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from broker.config.listener_limits import ListenerLimits

UNLIMITED = 2**31 - 1
NO_LIMITS = ListenerLimits()


class ServerSettings(Protocol):
    """The options that this room reads."""

    @property
    def connections_max_idle_ms(self) -> int: ...
    @property
    def max_connections(self) -> int: ...
    @property
    def max_connections_per_ip(self) -> int: ...
    @property
    def max_connections_per_ip_overrides(self) -> str: ...
    @property
    def max_connection_creation_rate(self) -> int: ...
    @property
    def listener_limits(self) -> Mapping[str, ListenerLimits]: ...
    @property
    def socket_request_max_bytes(self) -> int: ...
    @property
    def queued_max_request_bytes(self) -> int: ...
    @property
    def barnabas_frame_timeout_ms(self) -> int: ...
    @property
    def barnabas_handshake_timeout_ms(self) -> int: ...
    @property
    def barnabas_send_timeout_ms(self) -> int: ...
    @property
    def barnabas_output_max_bytes(self) -> int: ...


@dataclass(slots=True)
class Limits:
    """Sizes in bytes, times in seconds; -1 for no idle limit."""

    max_frame_bytes: int = 100 * 1024 * 1024
    output_max_bytes: int = 1024 * 1024
    idle_s: float = 600.0
    frame_s: float = 30.0
    handshake_s: float = 10.0
    send_s: float = 30.0
    max_connections: int = UNLIMITED
    max_per_ip: int = UNLIMITED
    max_per_ip_overrides: dict[str, int] = field(default_factory=dict)
    creations_per_s: int = UNLIMITED
    listeners: Mapping[str, ListenerLimits] = field(default_factory=dict)
    """By the listener's name, beside those of the broker."""
    protected: str | None = None
    """A listener that always has room: an idle client of another one goes for it, as in Kafka."""

    ceiling: int = UNLIMITED
    """Connections that the process can have at all."""

    @classmethod
    def of(cls, settings: ServerSettings, *, descriptors: int | None = None, protected: str | None = None) -> "Limits":
        """Args: descriptors: what the process may open; half of it is kept for log files."""
        limits = cls(
            protected=protected,
            ceiling=UNLIMITED if descriptors is None else max(1, descriptors // 2),
            max_frame_bytes=settings.socket_request_max_bytes,
            output_max_bytes=settings.barnabas_output_max_bytes,
            idle_s=settings.connections_max_idle_ms / 1000,
            frame_s=settings.barnabas_frame_timeout_ms / 1000,
            handshake_s=settings.barnabas_handshake_timeout_ms / 1000,
            send_s=settings.barnabas_send_timeout_ms / 1000,
        )
        limits.admit(settings)
        return limits

    def admit(self, settings: ServerSettings) -> None:
        """Who may come in from now on: the options that may change while the broker runs."""
        self.max_connections = min(settings.max_connections, self.ceiling)
        self.max_per_ip = settings.max_connections_per_ip
        self.max_per_ip_overrides = per_ip(settings.max_connections_per_ip_overrides)
        self.creations_per_s = settings.max_connection_creation_rate
        self.listeners = settings.listener_limits

    def of_listener(self, name: str) -> ListenerLimits:
        return self.listeners.get(name, NO_LIMITS)

    def allowed_from(self, host: str) -> int:
        return self.max_per_ip_overrides.get(host, self.max_per_ip)


def per_ip(text: str) -> dict[str, int]:
    """`10.0.0.1:100,10.0.0.2:200`, as Kafka writes it. Raises: ValueError."""
    pairs = (entry.strip().rpartition(":") for entry in text.split(",") if entry.strip())
    return {host.strip().strip("[]"): int(count) for host, _, count in pairs}


def descriptor_limit() -> int | None:
    """How many descriptors this process may have open; None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
