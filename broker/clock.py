"""Time and chance, injected: one of each per broker, so that tests may move the one and seed the other.

Waiting uses trio's clock; this is the wall clock, for what is written into records and znodes, and for retention.
No lease, session or timeout asks it.
"""

import random
import time
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        ...


class WallClock:
    """The system's."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class SetClock:
    """A clock that stands still until told otherwise."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, ms: int) -> None:
        self._now_ms += ms


class Chance:
    """One broker's source of randomness; the same seed gives the same ids."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.SystemRandom() if seed is None else random.Random(seed)

    def uuid(self) -> UUID:
        """A random UUID whose base64 form does not begin with a dash (Kafka's tools would take it for a flag)."""
        while True:
            fresh = UUID(int=self._random.getrandbits(128), version=4)
            if fresh.bytes[0] >> 2 != 62:
                return fresh

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)
