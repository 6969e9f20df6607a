"""Fetch, key 1: stored batches from an offset on; waits for `min_bytes`.  Versions 0 to 18.

0 messages of magic 0 · 1 throttle time · 2 magic 1 · 3 a limit for the whole answer · 4 record batches v2, isolation
level · 5 log start offset · 7 sessions · 9 leader epochs · 11 rack · 12 flexible, diverging epochs · 13 topics by id ·
15 replica state in a tag · 16 addresses of new leaders · 17 directory ids · 18 high watermark.
"""

from collections.abc import Iterable

import trio

from broker.handlers.fetch_asker import READ_COMMITTED, READ_UNCOMMITTED
from broker.handlers.fetch_reader import reader_of, response_of
from broker.handlers.fetch_row import Row, refusal
from broker.handlers.fetch_versions import BATCHES_SINCE, magic_of
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import FetchRequest, FetchResponse

LOOKS_A_STEP = 500
"""Partitions looked at between two chances for others, about half a millisecond."""
A_READ_IN_LOOKS = 15
"""What it costs to read one."""


async def fetch(request: FetchRequest, ctx: Context) -> FetchResponse:
    """Read row after row; if that is too little, wait until enough has come or the time is up, and read again."""
    refuse_wrong(request)
    reader = reader_of(request, ctx)
    give_up_at = trio.current_time() + request.max_wait_ms / 1000
    rows: list[Row] = []
    try:
        while True:
            rows = reader.rows()
            size = await read_all(rows, request, ctx)
            left_ms = (give_up_at - trio.current_time()) * 1000
            if size >= request.min_bytes or left_ms <= 0 or any(row.settled for row in rows):
                if ctx.version < BATCHES_SINCE:
                    for row in rows:
                        await row.convert(magic_of(ctx.version))
                return reader.answer()
            release(rows)
            await ctx.pause(reader.waiter(request.min_bytes - size), within_ms=left_ms)
    except BaseException:
        release(rows)
        raise


def refuse_wrong(request: FetchRequest) -> None:
    """Raises: ApiError: a strange isolation."""
    if request.isolation_level not in (READ_UNCOMMITTED, READ_COMMITTED):
        raise ApiError(ErrorCode.INVALID_REQUEST, f"isolation level {request.isolation_level}")


async def read_all(rows: Iterable[Row], request: FetchRequest, ctx: Context) -> int:
    """Read row after row until the answer is full; at least one batch comes, however small the limits are."""
    limit = max(min(request.max_bytes, ctx.rooms.settings.fetch_max_bytes), 1)
    size = looks = 0
    for row in rows:
        looks += 1
        if row.look() and size < limit:
            size += await row.read(limit - size)
            looks += A_READ_IN_LOOKS
        if looks >= LOOKS_A_STEP:
            looks = 0
            await ctx.breathe()
    return size


def release(rows: Iterable[Row]) -> None:
    for row in rows:
        row.release()


def refused(request: FetchRequest, error: ApiError) -> FetchResponse:
    """The code on top since version 7, and in every row for the versions before."""
    committed = request.isolation_level == READ_COMMITTED
    response = response_of(
        (topic, refusal(asked, error.code, committed=committed))
        for topic in request.topics
        for asked in topic.partitions
    )
    response.error_code = error.code
    return response
