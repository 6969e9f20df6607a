"""OffsetCommit, key 8: where a group has got to, per partition.  Versions 0 to 10.

0 into the registry, where clients of 0.8.1 look · 1 into the group's log, with member and generation, and a time per
row · 2 a retention time for all rows instead, until 4 · 3 throttling · 6 leader epochs (KIP-320) · 7 static members ·
8 flexible · 9 GROUP_ID_NOT_FOUND where it was ILLEGAL_GENERATION · 10 topics by id (KIP-848).
The group "" is a group here, as in Kafka: clients without a group id once committed so.
"""

from dataclasses import dataclass

from broker.cluster.authorizer import Operation
from broker.cluster.image import TopicImage
from broker.coordinator_runtime.registry_offsets import RegistryOffsets
from broker.handlers.group_calls import Turns, ask_or_raise, waited
from broker.handlers.topic_rows import topic_by_id, topic_by_name
from broker.requests.context import Context
from coordinator.groups.events import Commit
from kproto.errors import ApiError, ErrorCode
from kproto.messages import offset_commit as wire
from kproto.messages.internal_topics import OffsetCommitValue
from kproto.messages.offset_commit import OffsetCommitRequest, OffsetCommitResponse

UNSET = -1
LATEST_MS = (1 << 63) - 1
"""The end of what a record can say; clients may ask for more."""


@dataclass(slots=True)
class Row:
    """One partition's offset; `topic` once it is found, `code` what came of it."""

    asked: wire.OffsetCommitRequestPartition
    topic: TopicImage | None = None
    code: ErrorCode = ErrorCode.NONE


async def offset_commit(request: OffsetCommitRequest, ctx: Context) -> OffsetCommitResponse:
    """Rows that can be wrong by themselves are refused by themselves; the others are committed together or not."""
    turns = Turns(ctx)
    rows: list[list[Row]] = []
    for topic in request.topics:
        rows.append([])
        for asked in topic.partitions:
            rows[-1].append(checked(topic, asked, ctx))
            await turns.next()
    good = [row for of_topic in rows for row in of_topic if row.topic is not None]
    if good:
        try:
            await commit(request, good, ctx)
        except ApiError as no:
            for row in good:
                row.code = code_of(no, ctx)
    return response_of(request, [[row.code for row in of_topic] for of_topic in rows])


async def commit(request: OffsetCommitRequest, rows: list[Row], ctx: Context) -> None:
    """Raises: ApiError: what the group refuses with, or the registry (0)."""
    if ctx.version == 0:
        await commit_to_registry(request.group_id, rows, ctx)
    else:
        within_ms = ctx.rooms.settings.offsets_commit_timeout_ms
        await ask_or_raise(ctx, request.group_id, event_of(request, rows, ctx), within_ms)


def checked(topic: wire.OffsetCommitRequestTopic, asked: wire.OffsetCommitRequestPartition, ctx: Context) -> Row:
    try:
        if ctx.version >= 10:
            found = topic_by_id(ctx, Operation.READ, topic.topic_id)
        else:
            found = topic_by_name(ctx, Operation.READ, topic.name)
        if not 0 <= asked.partition_index < len(found.partitions):
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        if len(asked.committed_metadata or "") > ctx.rooms.settings.offset_metadata_max_bytes:
            raise ApiError(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    except ApiError as no:
        return Row(asked, code=no.code)
    return Row(asked, found)


def event_of(request: OffsetCommitRequest, rows: list[Row], ctx: Context) -> Commit:
    now_ms = ctx.rooms.clock.now_ms()
    kept_ms = request.retention_time_ms
    return Commit(
        {
            (row.topic.name, row.asked.partition_index): OffsetCommitValue(
                offset=row.asked.committed_offset,
                leader_epoch=row.asked.committed_leader_epoch,
                metadata=row.asked.committed_metadata or "",
                commit_timestamp=now_ms if row.asked.commit_timestamp == UNSET else row.asked.commit_timestamp,
                expire_timestamp=UNSET if kept_ms == UNSET else min(now_ms + kept_ms, LATEST_MS),
                topic_id=row.topic.id,
            )
            for row in rows
            if row.topic is not None
        },
        request.member_id,
        request.generation_id_or_member_epoch,
        request.group_instance_id,
    )


async def commit_to_registry(group_id: str, rows: list[Row], ctx: Context) -> None:
    """Raises: ApiError: INVALID_GROUP_ID: no name for a node; COORDINATOR_NOT_AVAILABLE: the registry is silent."""
    offsets = {
        (row.topic.name, row.asked.partition_index): row.asked.committed_offset for row in rows if row.topic is not None
    }
    registry = RegistryOffsets(ctx.rooms.registry, group_id)
    done = ctx.rooms.groups.begin(lambda: registry.write(offsets))
    await waited(ctx, done, ctx.rooms.settings.offsets_commit_timeout_ms)


def code_of(error: ApiError, ctx: Context) -> ErrorCode:
    if error.code is ErrorCode.GROUP_ID_NOT_FOUND and ctx.version < 9:
        return ErrorCode.ILLEGAL_GENERATION
    return error.code


def response_of(request: OffsetCommitRequest, codes: list[list[ErrorCode]]) -> OffsetCommitResponse:
    return OffsetCommitResponse(
        topics=[
            wire.OffsetCommitResponseTopic(
                name=topic.name,
                topic_id=topic.topic_id,
                partitions=[
                    wire.OffsetCommitResponsePartition(partition_index=row.partition_index, error_code=code)
                    for row, code in zip(topic.partitions, row_codes, strict=True)
                ],
            )
            for topic, row_codes in zip(request.topics, codes, strict=True)
        ]
    )


def refused(request: OffsetCommitRequest, error: ApiError) -> OffsetCommitResponse:
    """The code in every row: the answer has no field on top."""
    return response_of(request, [[error.code] * len(topic.partitions) for topic in request.topics])
