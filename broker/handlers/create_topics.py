"""CreateTopics, key 19.  Versions 0 to 7.

1 error messages, validate only · 2 throttling · 4 counts of -1 are the broker's defaults (KIP-464) · 5 flexible; the
answer has counts and configs (KIP-525) · 7 topic ids. Each topic answers for itself; the answer waits until this broker
can serve them.
"""

from collections import Counter

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.topic_plans import Created, NewTopic
from broker.cluster.topics import limit_ms
from broker.config.describe import describe_topic
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.create_topics import (
    CreatableTopic,
    CreatableTopicConfigs,
    CreatableTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
)


async def create_topics(request: CreateTopicsRequest, ctx: Context) -> CreateTopicsResponse:
    ctx.rooms.topics.must_be_controller()
    times = Counter(topic.name for topic in request.topics)
    refusals: dict[str, ApiError] = {}
    wanted: list[NewTopic] = []
    for topic in {topic.name: topic for topic in request.topics}.values():
        try:
            wanted.append(wish(topic, times[topic.name], ctx))
        except ApiError as no:
            refusals[topic.name] = no
    job = ctx.rooms.topics.create(wanted, timeout_ms=request.timeout_ms, validate_only=request.validate_only)
    await ctx.pause(job.waiter(), limit_ms(request.timeout_ms))
    rows = []
    for name in times:
        try:
            if name in refusals:
                raise refusals[name]
            rows.append(made(name, job.row(name), ctx))
        except ApiError as no:
            rows.append(refused_row(name, no))
    return CreateTopicsResponse(topics=rows)


def wish(topic: CreatableTopic, times: int, ctx: Context) -> NewTopic:
    """Raises: ApiError: TOPIC_AUTHORIZATION_FAILED; INVALID_REQUEST: named twice, or a partition or a config is."""
    if not ctx.allowed(Operation.CREATE, Resource.cluster()):
        ctx.may(Operation.CREATE, Resource.topic(topic.name))
    if times > 1:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Duplicate topic name.")
    assignment = {each.partition_index: each.broker_ids for each in topic.assignments}
    if len(assignment) < len(topic.assignments):
        raise ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, "A partition is assigned more than once.")
    configs = {each.name: each.value for each in topic.configs}
    if len(configs) < len(topic.configs):
        raise ApiError(ErrorCode.INVALID_REQUEST, "A config is given more than once.")
    return NewTopic(topic.name, topic.num_partitions, topic.replication_factor, assignment, configs)


def made(name: str, topic: Created, ctx: Context) -> CreatableTopicResult:
    """Counts and configs only for those who may see configs."""
    row = CreatableTopicResult(name=name, topic_id=topic.id, error_message=None)
    if ctx.version < 5:
        return row
    if not ctx.allowed(Operation.DESCRIBE_CONFIGS, Resource.topic(name)):
        row.topic_config_error_code = ErrorCode.TOPIC_AUTHORIZATION_FAILED
        return row
    row.num_partitions, row.replication_factor = len(topic.assignment), topic.replication_factor
    layers = ctx.rooms.configs.layers
    row.configs = [
        CreatableTopicConfigs(
            name=entry.name,
            value=entry.value,
            read_only=entry.read_only,
            config_source=entry.source,
            is_sensitive=entry.secret,
        )
        for entry in describe_topic(layers, layers.settings.topic(topic.configs))
    ]
    return row


def refused_row(name: str, error: ApiError) -> CreatableTopicResult:
    return CreatableTopicResult(name=name, error_code=error.code, error_message=error.message)


def refused(request: CreateTopicsRequest, error: ApiError) -> CreateTopicsResponse:
    """The code in every row: the answer has no field on top."""
    names = dict.fromkeys(topic.name for topic in request.topics)
    return CreateTopicsResponse(topics=[refused_row(name, error) for name in names])
