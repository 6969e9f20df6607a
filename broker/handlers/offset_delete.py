"""OffsetDelete, key 47: a group forgets offsets of topics that its members do not read.  Version 0.

The group's own refusal is on top and leaves no rows (KIP-496).
"""

from broker.cluster.authorizer import Operation
from broker.handlers.group_calls import Turns, ask_or_raise, must_have_id
from broker.handlers.topic_rows import topic_by_name
from broker.requests.context import Context
from coordinator.groups.effects import Forgotten
from coordinator.groups.events import DeleteOffsets, TopicPartition
from kproto.errors import ApiError, ErrorCode
from kproto.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)


async def offset_delete(request: OffsetDeleteRequest, ctx: Context) -> OffsetDeleteResponse:
    """The offsets are gone for good once the answer is there."""
    must_have_id(request.group_id)
    turns, codes = Turns(ctx), dict[TopicPartition, ErrorCode]()
    for topic in request.topics:
        for row in topic.partitions:
            codes[topic.name, row.partition_index] = code_of(topic.name, row.partition_index, ctx)
            await turns.next()
    known = [partition for partition, code in codes.items() if code is ErrorCode.NONE]
    within_ms = ctx.rooms.settings.offsets_commit_timeout_ms
    answer = await ask_or_raise(ctx, request.group_id, DeleteOffsets(known), within_ms)
    assert isinstance(answer, Forgotten), answer
    codes |= dict.fromkeys(answer.still_read, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
    return OffsetDeleteResponse(topics=rows(request, codes))


def code_of(topic: str, index: int, ctx: Context) -> ErrorCode:
    try:
        image = topic_by_name(ctx, Operation.READ, topic)
    except ApiError as no:
        return no.code
    return ErrorCode.NONE if 0 <= index < len(image.partitions) else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def rows(request: OffsetDeleteRequest, codes: dict[TopicPartition, ErrorCode]) -> list[OffsetDeleteResponseTopic]:
    return [
        OffsetDeleteResponseTopic(
            name=topic.name,
            partitions=[
                OffsetDeleteResponsePartition(
                    partition_index=row.partition_index, error_code=codes[topic.name, row.partition_index]
                )
                for row in topic.partitions
            ],
        )
        for topic in request.topics
    ]


def refused(request: OffsetDeleteRequest, error: ApiError) -> OffsetDeleteResponse:
    return OffsetDeleteResponse(error_code=error.code)
