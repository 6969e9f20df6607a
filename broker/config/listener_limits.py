"""Limits of one listener: `listener.name.NAME.max.connections` and `….max.connection.creation.rate`.

They hold beside the broker's own; the tighter one counts. Source: SocketServer of Kafka 3.9; KIP-402, KIP-612.
"""

from collections.abc import Mapping
from typing import Any

from broker.config.keys import Key
from broker.config.options.network import NetworkSettings
from kproto.values import frozen

PREFIX = "listener.name."
UNLIMITED = 2**31 - 1
_CONNECTIONS, _RATE = NetworkSettings.KEYS["max.connections"], NetworkSettings.KEYS["max.connection.creation.rate"]
LIMITS = (_CONNECTIONS, _RATE)


@frozen
class ListenerLimits:
    """Of one listener, over all addresses that it binds."""

    max_connections: int = UNLIMITED
    creations_per_s: int = UNLIMITED


def limit_key(name: str) -> Key[Any] | None:
    """The option whose value a name of one listener has; None for other names."""
    if not name.startswith(PREFIX):
        return None
    return next((key for key in LIMITS if name.removeprefix(PREFIX).partition(".")[2] == key.name), None)


def limits_of_listeners(texts: Mapping[str, str]) -> dict[str, ListenerLimits]:
    """Listener name in upper case to what is set for it. Raises: BadValue."""
    found: dict[str, dict[str, int]] = {}
    for name, text in texts.items():
        if (key := limit_key(name)) is not None:
            listener = name.removeprefix(PREFIX).partition(".")[0].upper()
            found.setdefault(listener, {})[key.name] = key.parse(text)
    return {
        listener: ListenerLimits(values.get(_CONNECTIONS.name, UNLIMITED), values.get(_RATE.name, UNLIMITED))
        for listener, values in found.items()
    }
