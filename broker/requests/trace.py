"""What every request leaves behind: counts, and a line in the log `barnabas.requests` at level DEBUG."""

import logging
import time
from collections.abc import Callable

from broker.metrics import ApiCounts
from broker.requests.context import Context

log = logging.getLogger("barnabas.requests")

SHOWN_CHARACTERS = 64


class Trace:
    """The line costs one look at the level while it is off."""

    def __init__(self, stopwatch: Callable[[], float] = time.perf_counter) -> None:
        self._stopwatch = stopwatch

    def start(self) -> float:
        """Seconds of an arbitrary clock."""
        return self._stopwatch()

    def end(self, ctx: Context, counts: ApiCounts, started: float, error: str = "") -> None:
        """`error`: why the whole request was refused."""
        seconds = self._stopwatch() - started
        counts.note(ctx.version, seconds)
        if error:
            counts.note_error(error)
        if log.isEnabledFor(logging.DEBUG):
            log.debug(
                "%s v%d of %s at %s: %.2f ms%s",
                ctx.header.api_key.kafka_name,
                ctx.version,
                shown(ctx.client_id),
                ctx.connection.peer,
                seconds * 1000,
                error and f", {error}",
            )


def shown(client_id: str) -> str:
    """A client's name for a line of the log: cut, with everything escaped that is not plain text."""
    return ascii(client_id[:SHOWN_CHARACTERS])
