"""AlterPartitionReassignments, key 45: partitions move to other replicas, or stop moving.  Versions 0 to 1.

1 whether the number of replicas may change (KIP-860). Each partition answers for itself. This version moves nothing: a
plan that changes nothing succeeds, every other one is refused with its reason.
"""

from broker.cluster.reassignments import Move
from broker.cluster.topics import limit_ms
from broker.requests.context import Context
from kproto.errors import ApiError
from kproto.messages.alter_partition_reassignments import (
    AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse,
    ReassignablePartition,
    ReassignablePartitionResponse,
    ReassignableTopicResponse,
)


async def alter_partition_reassignments(
    request: AlterPartitionReassignmentsRequest, ctx: Context
) -> AlterPartitionReassignmentsResponse:
    ctx.rooms.topics.must_be_controller()
    reassignments = ctx.rooms.reassignments
    names = [name for name in dict.fromkeys(topic.name for topic in request.topics) if name in ctx.rooms.image.topics]
    job = reassignments.under_way(names, timeout_ms=request.timeout_ms)
    await ctx.pause(job.waiter(), limit_ms(request.timeout_ms))

    def answer(topic: str, row: ReassignablePartition) -> ReassignablePartitionResponse:
        move = Move(topic, row.partition_index, row.replicas)
        try:
            under_way = job.row(topic) if topic in names else ()
            reassignments.check(move, under_way, may_change_factor=request.allow_replication_factor_change)
        except ApiError as no:
            return refused_row(row, no)
        return ReassignablePartitionResponse(partition_index=row.partition_index, error_message=None)

    return AlterPartitionReassignmentsResponse(
        allow_replication_factor_change=request.allow_replication_factor_change,
        error_message=None,
        responses=[
            ReassignableTopicResponse(name=topic.name, partitions=[answer(topic.name, row) for row in topic.partitions])
            for topic in request.topics
        ],
    )


def refused_row(row: ReassignablePartition, error: ApiError) -> ReassignablePartitionResponse:
    return ReassignablePartitionResponse(
        partition_index=row.partition_index, error_code=error.code, error_message=error.message
    )


def refused(request: AlterPartitionReassignmentsRequest, error: ApiError) -> AlterPartitionReassignmentsResponse:
    return AlterPartitionReassignmentsResponse(
        allow_replication_factor_change=request.allow_replication_factor_change,
        error_code=error.code,
        error_message=error.message,
        responses=[
            ReassignableTopicResponse(name=topic.name, partitions=[refused_row(row, error) for row in topic.partitions])
            for topic in request.topics
        ],
    )
