"""How fast clients may come in: `max.connection.creation.rate`, of the broker and of one listener."""

import math


class Pace:
    """At most so many a second, a second's worth at once. The rate is given anew each time: it may change."""

    __slots__ = ("_next_at",)

    def __init__(self) -> None:
        self._next_at = 0.0

    def take(self, now: float, per_s: int) -> float:
        """When the next one may come, in the same clock; for ever in the future where nobody may."""
        if per_s <= 0:
            return math.inf
        self._next_at = max(self._next_at, now - 1) + 1 / per_s
        return max(now, self._next_at)
