"""What a handler begins and does not finish itself: it goes on when the client has gone, or will not wait.

The handler waits through its context; the work runs in a task here, so that a write is never cut by a client.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from broker.purgatory import Waiter, WaitingRoom
from broker.registry.contract import ConnectionLost, SessionExpired, StoreFailed
from kproto.errors import ApiError, ErrorCode

log = logging.getLogger("barnabas.cluster")

T = TypeVar("T")


class Job(Generic[T]):
    """One piece of work on several rows, by name. `rows` fills as it goes; an ApiError is that row's refusal."""

    def __init__(self) -> None:
        self.rows: dict[str, T | ApiError] = {}
        self.done = False
        self.failure: ApiError | None = None
        self._finished = WaitingRoom()

    def waiter(self) -> Waiter:
        """Woken when the job is done; to be handed to `ctx.pause`."""
        waiter = Waiter()
        waiter.watch([self._finished])
        if self.done:
            waiter.wake()
        return waiter

    def row(self, name: str) -> T:
        """What came of one row. Raises: ApiError: its refusal, or REQUEST_TIMED_OUT if it has not come so far."""
        row = self.rows.get(name)
        if row is None:
            raise self.failure or ApiError(ErrorCode.REQUEST_TIMED_OUT)
        if isinstance(row, ApiError):
            raise row
        return row

    def finish(self, failure: ApiError | None = None) -> None:
        self.done, self.failure = True, failure
        self._finished.wake_all()


class Work:
    """The tasks that handlers began."""

    def __init__(self) -> None:
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the tasks until cancelled."""
        try:
            async with trio.open_nursery() as self._nursery:
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None

    def begin(self, job: Job[T], do: Callable[[], Awaitable[None]], *, within_ms: float) -> Job[T]:
        """Start `do`, which fills `job.rows`; ended after `within_ms`, whatever the registry does.

        Raises: ApiError: BROKER_NOT_AVAILABLE: the broker is stopping.
        """
        if self._nursery is None:
            raise ApiError(ErrorCode.BROKER_NOT_AVAILABLE, "The broker is stopping.")
        self._nursery.start_soon(self._do, job, do, within_ms)
        return job

    async def _do(self, job: Job[T], do: Callable[[], Awaitable[None]], within_ms: float) -> None:
        failure = None
        try:
            with trio.move_on_after(within_ms / 1000):
                await do()
        except ApiError as no:
            failure = no
        except (ConnectionLost, SessionExpired) as lost:
            log.warning("The registry did not answer (%r); the client is told to try again", lost)
            failure = ApiError(ErrorCode.REQUEST_TIMED_OUT)
        except StoreFailed as failed:
            log.error("The registry could not write: %r", failed)
            failure = ApiError(ErrorCode.KAFKA_STORAGE_ERROR)
        except Exception:
            log.exception("This is a bug of the broker: a request's work failed")
            failure = ApiError(ErrorCode.UNKNOWN_SERVER_ERROR)
        finally:
            job.finish(failure)
