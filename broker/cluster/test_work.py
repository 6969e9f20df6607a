"""Work that outlives the request that asked for it."""

import logging
from typing import Any

import pytest
import trio
import trio.testing

from broker.cluster.work import Job, Work
from broker.registry.contract import ConnectionLost, RegistryError, SessionExpired, StoreFailed
from kproto.errors import ApiError, ErrorCode


async def begun(nursery: trio.Nursery, do: Any, within_ms: float = 1000) -> Job[int]:
    work = Work()
    await nursery.start(work.run)
    job: Job[int] = Job()
    return work.begin(job, lambda: do(job), within_ms=within_ms)


def code_of(job: Job[int], name: str = "t") -> ErrorCode:
    with pytest.raises(ApiError) as no:
        job.row(name)
    return no.value.code


async def test_a_waiter_that_leaves_does_not_stop_the_work(nursery: trio.Nursery) -> None:
    gate = trio.Event()

    async def do(job: Job[int]) -> None:
        await gate.wait()
        job.rows["t"] = 5

    job = await begun(nursery, do)
    with trio.CancelScope() as gone:
        gone.cancel()
        await job.waiter().wait(1000)
    gate.set()
    assert await job.waiter().wait(1000)
    assert job.row("t") == 5


async def test_rows_that_have_not_come_in_time_are_timed_out(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    async def do(job: Job[int]) -> None:
        job.rows["t"] = 5
        await trio.sleep_forever()

    job = await begun(nursery, do)
    await job.waiter().wait(5000)
    assert (job.done, job.row("t"), code_of(job, "u")) == (True, 5, ErrorCode.REQUEST_TIMED_OUT)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionLost(), ErrorCode.REQUEST_TIMED_OUT),
        (SessionExpired(), ErrorCode.REQUEST_TIMED_OUT),
        (StoreFailed(), ErrorCode.KAFKA_STORAGE_ERROR),
        (ApiError(ErrorCode.INVALID_REQUEST), ErrorCode.INVALID_REQUEST),
    ],
)
async def test_what_the_registry_says_becomes_a_code(
    nursery: trio.Nursery, error: RegistryError | ApiError, code: ErrorCode
) -> None:
    async def do(job: Job[int]) -> None:
        raise error

    job = await begun(nursery, do)
    await job.waiter().wait(1000)
    assert code_of(job) == code


async def test_an_error_of_our_own_is_loud_and_stays_with_its_job(
    nursery: trio.Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    async def do(job: Job[int]) -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        job = await begun(nursery, do)
        await job.waiter().wait(1000)
    assert code_of(job) == ErrorCode.UNKNOWN_SERVER_ERROR
    assert "ZeroDivisionError" in caplog.text


async def test_a_broker_that_stops_begins_nothing_more() -> None:
    with pytest.raises(ApiError) as no:
        Work().begin(Job[int](), trio.sleep_forever, within_ms=1)
    assert no.value.code == ErrorCode.BROKER_NOT_AVAILABLE
