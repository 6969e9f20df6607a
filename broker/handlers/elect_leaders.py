"""ElectLeaders, key 43: the preferred replicas lead again.  Versions 0 to 2.

1 unclean elections, a code on top (KIP-460) · 2 flexible. Null for the partitions is all of them; then those that need
no election are left out.
"""

from broker.cluster.elections import ElectionType, row_name
from broker.cluster.topics import limit_ms
from broker.cluster.znodes import TopicPartition
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.elect_leaders import (
    ElectLeadersRequest,
    ElectLeadersResponse,
    PartitionResult,
    ReplicaElectionResult,
)


async def elect_leaders(request: ElectLeadersRequest, ctx: Context) -> ElectLeadersResponse:
    """Each partition answers for itself, once it has the leader wanted."""
    ctx.rooms.topics.must_be_controller()
    try:
        kind = ElectionType(request.election_type)
    except ValueError:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"Unknown election type: {request.election_type}") from None
    partitions = everything(ctx) if request.topic_partitions is None else named(request)
    job = ctx.rooms.elections.elect(kind, partitions, timeout_ms=request.timeout_ms)
    await ctx.pause(job.waiter(), limit_ms(request.timeout_ms))
    results: dict[TopicPartition, ApiError | None] = {}
    for place in partitions:
        try:
            job.row(row_name(place))
            results[place] = None
        except ApiError as no:
            if request.topic_partitions is not None or no.code != ErrorCode.ELECTION_NOT_NEEDED:
                results[place] = no
    return ElectLeadersResponse(replica_election_results=rows(results))


def named(request: ElectLeadersRequest) -> list[TopicPartition]:
    """Each once."""
    every = [(topic.topic, index) for topic in request.topic_partitions or () for index in topic.partitions]
    return list(dict.fromkeys(every))


def everything(ctx: Context) -> list[TopicPartition]:
    return [(topic.name, index) for topic in ctx.rooms.image.topics.values() for index in range(len(topic.partitions))]


def rows(results: dict[TopicPartition, ApiError | None]) -> list[ReplicaElectionResult]:
    """By topic, in the order of their first partitions."""
    topics: dict[str, ReplicaElectionResult] = {}
    for (name, index), no in results.items():
        topic = topics.setdefault(name, ReplicaElectionResult(topic=name))
        row = PartitionResult(partition_id=index, error_message=None)
        if no is not None:
            row.error_code, row.error_message = no.code, no.message
        topic.partition_result.append(row)
    return list(topics.values())


def refused(request: ElectLeadersRequest, error: ApiError) -> ElectLeadersResponse:
    """On top, and in every row for version 0, which has no top."""
    return ElectLeadersResponse(
        error_code=error.code, replica_election_results=rows(dict.fromkeys(named(request), error))
    )
