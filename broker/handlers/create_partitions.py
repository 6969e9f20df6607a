"""CreatePartitions, key 37: more partitions for topics that there are.  Versions 0 to 3.

1 throttled clients wait · 2 flexible · 3 THROTTLING_QUOTA_EXCEEDED may come (KIP-599). Each topic answers for itself.
"""

from collections import Counter

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.topic_plans import Growth
from broker.cluster.topics import limit_ms
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.create_partitions import (
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopic,
    CreatePartitionsTopicResult,
)


async def create_partitions(request: CreatePartitionsRequest, ctx: Context) -> CreatePartitionsResponse:
    ctx.rooms.topics.must_be_controller()
    times = Counter(topic.name for topic in request.topics)
    refusals: dict[str, ApiError] = {}
    wanted: list[Growth] = []
    for topic in {topic.name: topic for topic in request.topics}.values():
        try:
            wanted.append(wish(topic, times[topic.name], ctx))
        except ApiError as no:
            refusals[topic.name] = no
    job = ctx.rooms.topics.grow(wanted, timeout_ms=request.timeout_ms, validate_only=request.validate_only)
    await ctx.pause(job.waiter(), limit_ms(request.timeout_ms))
    rows = []
    for name in times:
        try:
            if name in refusals:
                raise refusals[name]
            job.row(name)
            rows.append(CreatePartitionsTopicResult(name=name))
        except ApiError as no:
            rows.append(refused_row(name, no))
    return CreatePartitionsResponse(results=rows)


def wish(topic: CreatePartitionsTopic, times: int, ctx: Context) -> Growth:
    """Raises: ApiError: TOPIC_AUTHORIZATION_FAILED; INVALID_REQUEST: named twice."""
    ctx.may(Operation.ALTER, Resource.topic(topic.name))
    if times > 1:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Duplicate topic in request.")
    replicas = None if topic.assignments is None else [each.broker_ids for each in topic.assignments]
    return Growth(topic.name, topic.count, replicas)


def refused_row(name: str, error: ApiError) -> CreatePartitionsTopicResult:
    return CreatePartitionsTopicResult(name=name, error_code=error.code, error_message=error.message)


def refused(request: CreatePartitionsRequest, error: ApiError) -> CreatePartitionsResponse:
    """The code in every row: the answer has no field on top."""
    names = dict.fromkeys(topic.name for topic in request.topics)
    return CreatePartitionsResponse(results=[refused_row(name, error) for name in names])
