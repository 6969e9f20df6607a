"""One line per request in the log `barnabas.requests`, at level DEBUG: api, version, client, time, error."""

import logging
import time
from collections.abc import Callable

from broker.requests.context import Context

log = logging.getLogger("barnabas.requests")

SHOWN_CHARACTERS = 64


class Trace:
    """Costs one look at the level while it is off."""

    def __init__(self, stopwatch: Callable[[], float] = time.perf_counter) -> None:
        self._stopwatch = stopwatch

    def start(self) -> float:
        """Seconds of an arbitrary clock; 0.0 while nobody looks."""
        return self._stopwatch() if log.isEnabledFor(logging.DEBUG) else 0.0

    def end(self, ctx: Context, started: float, error: str = "") -> None:
        if started:
            log.debug(
                "%s v%d of %s at %s: %.2f ms%s",
                ctx.header.api_key.kafka_name,
                ctx.version,
                shown(ctx.client_id),
                ctx.connection.peer,
                (self._stopwatch() - started) * 1000,
                error and f", {error}",
            )


def shown(client_id: str) -> str:
    """A client's name for a line of the log: cut, with everything escaped that is not plain text."""
    return ascii(client_id[:SHOWN_CHARACTERS])
