"""Produce, key 0: append record batches.  Versions 0 to 13.

0 messages of magic 0 or 1, stored as batches v2 · 1 throttle time · 2 log append time in the answer · 3 record
batches v2, transactional id · 5 log start offset in the answer · 7 zstd · 8 errors by record · 9 flexible · 10 the
leader in the answer · 12 implicit transactions · 13 topics by id.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from broker.handlers.produce_row import Row
from broker.partitions.safety import SafeWaiter
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode, WireError
from kproto.messages.produce import ProduceRequest, ProduceResponse, TopicProduceResponse

T = TypeVar("T")
ACKS = (-1, 0, 1)


async def produce(request: ProduceRequest, ctx: Context) -> ProduceResponse | None:
    """Append every batch first; wait only if `acks`, or the topic's fsync, asks for more than is there."""
    rows = rows_of(request)
    refuse_wrong(request, rows)
    attempt(rows, Row.find, ctx)
    attempt(rows, Row.check, ctx)
    if any(row.takes_steps for row in rows):
        await check_in_turns(rows, ctx)
    attempt(rows, Row.append, request.acks)
    if request.acks == 0:
        hang_up_if_refused(rows)
        return None  # the client is not listening
    if unsafe := [row for row in rows if not row.is_safe(request.acks)]:
        waiter = SafeWaiter([(row.partition, row.end_offset) for row in unsafe], request.acks)
        await ctx.pause(waiter, within_ms=request.timeout_ms)  # offsets, no memoryview
        attempt(unsafe, Row.confirm, request.acks)
    return response_of(request, rows)


def rows_of(request: ProduceRequest) -> list[Row]:
    return [Row(topic, data) for topic in request.topic_data for data in topic.partition_data]


def attempt(rows: Iterable[Row], step: Callable[[Row, T], None], given: T) -> None:
    """Take each row a step further; one that is refused stays behind, its neighbours go on."""
    for row in rows:
        if row.refusal is None:
            try:
                step(row, given)
            except ApiError as no:  # NotLeader, MessageTooLarge, …
                row.refuse(no)


def refuse_wrong(request: ProduceRequest, rows: list[Row]) -> None:
    """Refuse what no single batch is to blame for: acks, and a partition named twice (no order was promised).

    Raises: ApiError: TRANSACTIONAL_ID_AUTHORIZATION_FAILED: a batch of a transaction that the request does not name.
    """
    if request.transactional_id is None and any(row.is_transactional for row in rows):
        raise ApiError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "a transaction without a name")
    if request.acks not in ACKS:
        for row in rows:
            row.refusal = ApiError(ErrorCode.INVALID_REQUIRED_ACKS)
    if len(rows) > 1:
        first: dict[tuple[object, ...], Row] = {}
        for row in rows:
            twin = first.setdefault(row.place, row)
            if twin is not row:
                twin.refusal = row.refusal = ApiError(ErrorCode.INVALID_REQUEST, "a partition is named twice")


async def check_in_turns(rows: list[Row], ctx: Context) -> None:
    """Check, or rewrite, step by step and on copies: the read buffer goes home, and others have their turn."""
    for row in rows:
        row.keep_copy()
    for row in rows:
        if row.takes_steps:
            try:
                await row.check_in_steps(ctx)
            except ApiError as no:
                row.refuse(no)


def hang_up_if_refused(rows: list[Row]) -> None:
    """Without an answer the only way to say no is to close."""
    for row in rows:
        if row.refusal is not None:
            raise WireError(f"produce with acks=0 refused: {row.refusal}")


def response_of(request: ProduceRequest, rows: Iterable[Row]) -> ProduceResponse:
    left = iter(rows)
    return ProduceResponse(
        responses=[
            TopicProduceResponse(
                name=topic.name,
                topic_id=topic.topic_id,
                partition_responses=[next(left).answer() for _ in topic.partition_data],
            )
            for topic in request.topic_data
        ]
    )


def refused(request: ProduceRequest, error: ApiError) -> ProduceResponse | None:
    """The code in every row, for the answer has no field on top; None if the client listens to no answer."""
    if request.acks == 0:
        return None
    rows = rows_of(request)
    for row in rows:
        row.refusal = error
    return response_of(request, rows)
