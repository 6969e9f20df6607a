"""`flush.ms`: what a log has not flushed for so long is due.

Apache Kafka looks only every `log.flush.scheduler.interval.ms`, by default never; here the option works by itself.
"""

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

NEVER_MS = 2**63 - 1
LOOK_EVERY_MS = 1_000
"""While `log.flush.scheduler.interval.ms` says never."""


class AgeSettings(Protocol):
    @property
    def flush_ms(self) -> int: ...


class Flushable(Protocol):
    @property
    def settings(self) -> AgeSettings: ...
    @property
    def end_offset(self) -> int: ...
    @property
    def flushed_offset(self) -> int: ...


L = TypeVar("L", bound=Flushable)


class FlushByAge(Generic[L]):
    """Remembers since when each log has had something to flush, to the precision of one look."""

    def __init__(self, flush_soon: Callable[[L], None]) -> None:
        self._flush_soon = flush_soon
        self._seen: dict[L, tuple[int, float]] = {}

    def look(self, logs: Iterable[L], now_s: float) -> None:
        """Have flushed what is due. `now_s`: of a clock that never goes back."""
        seen: dict[L, tuple[int, float]] = {}
        for each in logs:
            if each.settings.flush_ms >= NEVER_MS or each.end_offset == each.flushed_offset:
                continue
            flushed, since_s = self._seen.get(each, (each.flushed_offset, now_s))
            if flushed != each.flushed_offset:
                since_s = now_s
            seen[each] = each.flushed_offset, since_s
            if now_s - since_s >= each.settings.flush_ms / 1000:
                self._flush_soon(each)
        self._seen = seen


def look_every_ms(scheduler_interval_ms: int) -> int:
    return LOOK_EVERY_MS if scheduler_interval_ms >= NEVER_MS else scheduler_interval_ms
