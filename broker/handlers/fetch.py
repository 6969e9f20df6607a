"""Fetch, key 1: stored batches from an offset on; waits for `min_bytes`.  Versions 4 to 18.

4 isolation level · 5 log start offset · 7 sessions · 9 leader epochs · 11 rack · 12 flexible, diverging epochs ·
13 topics by id · 15 replica state in a tag · 16 addresses of new leaders · 17 directory ids · 18 high watermark.
No sessions are kept yet: every answer carries session id 0, by which clients go on asking in full.
"""

from collections.abc import Iterable

import trio

from broker.handlers.fetch_row import READ_COMMITTED, READ_UNCOMMITTED, Row
from broker.purgatory import ByteWaiter
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.fetch import FetchableTopicResponse, FetchRequest, FetchResponse


async def fetch(request: FetchRequest, ctx: Context) -> FetchResponse:
    """Read every row; if that is too little, wait until enough has come or the time is up, and read again."""
    refuse_wrong(request)
    rows = rows_of(request)
    give_up_at = trio.current_time() + request.max_wait_ms / 1000
    try:
        while True:
            size = await read_all(rows, request, ctx)
            left_ms = (give_up_at - trio.current_time()) * 1000
            if size >= request.min_bytes or left_ms <= 0 or any(row.settled for row in rows):
                return response_of(request, rows)
            release(rows)
            await ctx.pause(waiter_for(rows, request.min_bytes - size), within_ms=left_ms)
    except BaseException:
        release(rows)
        raise


def rows_of(request: FetchRequest) -> list[Row]:
    return [Row(request, topic, asked) for topic in request.topics for asked in topic.partitions]


def refuse_wrong(request: FetchRequest) -> None:
    """Raises: ApiError: an epoch above 0 continues a session, and there is none (KIP-227); a strange isolation."""
    if request.session_epoch > 0:
        raise ApiError(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if request.isolation_level not in (READ_UNCOMMITTED, READ_COMMITTED):
        raise ApiError(ErrorCode.INVALID_REQUEST, f"isolation level {request.isolation_level}")


async def read_all(rows: Iterable[Row], request: FetchRequest, ctx: Context) -> int:
    """Read row after row until the answer is full; at least one batch comes, however small the limits are."""
    limit = max(min(request.max_bytes, ctx.rooms.settings.fetch_max_bytes), 1)
    size = 0
    for row in rows:
        size += await row.read(limit - size, ctx)
    return size


def waiter_for(rows: Iterable[Row], missing: int) -> ByteWaiter:
    """Woken once `missing` bytes more are readable, or when the leader changes."""
    waiter = ByteWaiter(missing)
    waiter.watch(row.partition.high_watermark_moved for row in rows if row.partition is not None)
    if any(row.moved for row in rows):
        waiter.wake()  # while a neighbour was read from the disk
    return waiter


def release(rows: Iterable[Row]) -> None:
    for row in rows:
        row.release()


def response_of(request: FetchRequest, rows: Iterable[Row]) -> FetchResponse:
    left = iter(rows)
    return FetchResponse(
        responses=[
            FetchableTopicResponse(
                topic=topic.topic,
                topic_id=topic.topic_id,
                partitions=[next(left).answer() for _ in topic.partitions],
            )
            for topic in request.topics
        ]
    )


def refused(request: FetchRequest, error: ApiError) -> FetchResponse:
    """The code on top since version 7, and in every row for the versions before."""
    rows = rows_of(request)
    for row in rows:
        row.error = error.code
    response = response_of(request, rows)
    response.error_code = error.code
    return response
