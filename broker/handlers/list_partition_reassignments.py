"""ListPartitionReassignments, key 46: the partitions whose replicas move.  Version 0 (KIP-455)."""

from broker.cluster.reassignments import Moving
from broker.cluster.topics import limit_ms
from broker.requests.context import Context
from kproto.errors import ApiError
from kproto.messages.list_partition_reassignments import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsResponse,
    OngoingPartitionReassignment,
    OngoingTopicReassignment,
)


async def list_partition_reassignments(
    request: ListPartitionReassignmentsRequest, ctx: Context
) -> ListPartitionReassignmentsResponse:
    """Those asked for that are under way; null asks for all. The others are left out, whether they are there or not."""
    ctx.rooms.topics.must_be_controller()
    wanted: dict[str, set[int]] | None = None
    if request.topics is not None:
        wanted = {topic.name: set(topic.partition_indexes) for topic in request.topics}
    topics = ctx.rooms.image.topics
    names = [name for name in (topics if wanted is None else wanted) if name in topics]
    job = ctx.rooms.reassignments.under_way(names, timeout_ms=request.timeout_ms)
    await ctx.pause(job.waiter(), limit_ms(request.timeout_ms))
    rows = []
    for name in names:
        moving = [each for each in job.row(name) if wanted is None or each.index in wanted[name]]
        if moving:
            rows.append(OngoingTopicReassignment(name=name, partitions=[told(each) for each in moving]))
    return ListPartitionReassignmentsResponse(error_message=None, topics=rows)


def told(moving: Moving) -> OngoingPartitionReassignment:
    return OngoingPartitionReassignment(
        partition_index=moving.index,
        replicas=moving.replicas,
        adding_replicas=moving.adding,
        removing_replicas=moving.removing,
    )


def refused(request: ListPartitionReassignmentsRequest, error: ApiError) -> ListPartitionReassignmentsResponse:
    return ListPartitionReassignmentsResponse(error_code=error.code, error_message=error.message)
