"""Metadata, key 3: brokers, topics, leaders; and the creation of unknown topics.  Versions 0 to 13.

0 no topics named: all; dead replicas are left out · 1 null: all; racks, controller, internal topics · 2 cluster id ·
3 throttling · 4 may forbid creation · 5 offline replicas · 6 a leader without our listener: LISTENER_NOT_FOUND ·
7 leader epochs · 8 authorized operations · 9 flexible · 10 topic ids · 11 no more operations on the cluster ·
12 by topic id · 13 error on top.
A topic that is created is answered with its leaders in the same answer.
"""

from collections.abc import Iterable, Iterator

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.image import PartitionImage, TopicImage
from broker.cluster.topic_rules import INTERNAL_TOPICS, wrong_name
from broker.handlers.brokers import NOT_ASKED, operations, reachable, until_told
from broker.requests.context import Context
from broker.transport.contract import Address
from kproto.errors import ApiError, ErrorCode
from kproto.messages.metadata import (
    MetadataRequest,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from kproto.schema import ZERO_UUID

CREATION_MS = 5_000
"""How long a client waits for the leaders of topics that it has made by asking for them."""


async def metadata(request: MetadataRequest, ctx: Context) -> MetadataResponse:
    """Every topic asked for has one row, whatever its state."""
    await until_told(ctx)
    check_names(request, ctx)
    if names_all(request, ctx):
        every = ctx.rooms.image.topics.values()
        rows = list(described((each for each in every if may_see(ctx, each.name)), request, ctx))
    elif any(topic.topic_id != ZERO_UUID for topic in request.topics or ()):
        rows = rows_by_id(request, ctx)
    else:
        rows = await rows_by_name(request, ctx)
    addresses, image = reachable(ctx), ctx.rooms.image
    return MetadataResponse(
        brokers=[
            MetadataResponseBroker(node_id=id, host=at.host, port=at.port, rack=image.brokers[id].rack)
            for id, at in addresses.items()
        ],
        cluster_id=image.cluster_id,
        controller_id=image.controller_id,
        topics=rows,
        cluster_authorized_operations=cluster_operations(request, ctx),
    )


def check_names(request: MetadataRequest, ctx: Context) -> None:
    """Raises: ApiError: INVALID_REQUEST: ids, or no name, where the version has fields for them but no meaning yet."""
    if ctx.version < 12 and any(topic.name is None or topic.topic_id != ZERO_UUID for topic in request.topics or ()):
        raise ApiError(ErrorCode.INVALID_REQUEST, "Topics are asked for by name before version 12.")


def names_all(request: MetadataRequest, ctx: Context) -> bool:
    return request.topics is None or (ctx.version == 0 and not request.topics)


def may_see(ctx: Context, topic: str) -> bool:
    return ctx.allowed(Operation.DESCRIBE, Resource.topic(topic))


def rows_by_id(request: MetadataRequest, ctx: Context) -> list[MetadataResponseTopic]:
    """A denied topic keeps its name for itself; an id is no secret.  Source: KIP-516."""
    rows: list[MetadataResponseTopic] = []
    known: list[TopicImage] = []
    for topic_id in dict.fromkeys(topic.topic_id for topic in request.topics or () if topic.topic_id != ZERO_UUID):
        topic = ctx.rooms.image.topics_by_id.get(topic_id)
        if topic is not None and may_see(ctx, topic.name):
            known.append(topic)
            continue
        code = ErrorCode.UNKNOWN_TOPIC_ID if topic is None else ErrorCode.TOPIC_AUTHORIZATION_FAILED
        rows.append(MetadataResponseTopic(error_code=code, name=None, topic_id=topic_id))
    return [*rows, *described(known, request, ctx)]


async def rows_by_name(request: MetadataRequest, ctx: Context) -> list[MetadataResponseTopic]:
    """In the order asked for, each once. Rights come first, so that names do not leak."""
    names = list(dict.fromkeys(topic.name or "" for topic in request.topics or ()))
    codes = {name: ErrorCode.TOPIC_AUTHORIZATION_FAILED for name in names if not may_see(ctx, name)}
    unknown = [name for name in names if name not in codes and name not in ctx.rooms.image.topics]
    codes |= {name: ErrorCode.INVALID_TOPIC_EXCEPTION for name in unknown if wrong_name(name)}
    unknown = [name for name in unknown if name not in codes]
    if request.allow_auto_topic_creation and ctx.rooms.settings.auto_create_topics_enable and unknown:
        codes |= await created(unknown, ctx)
    topics = ctx.rooms.image.topics
    found = {
        row.name: row for row in described((topics[n] for n in names if n in topics and n not in codes), request, ctx)
    }
    return [found.get(name) or refused_row(name, codes, ctx) for name in names]


async def created(names: list[str], ctx: Context) -> dict[str, ErrorCode]:
    """Create topics; the codes of those that did not come to be. One request may create only so many."""
    codes: dict[str, ErrorCode] = {}
    if not ctx.allowed(Operation.CREATE, Resource.cluster()):
        denied = [name for name in names if not ctx.allowed(Operation.CREATE, Resource.topic(name))]
        codes = dict.fromkeys(denied, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    allowed = [name for name in names if name not in codes]
    most = ctx.rooms.settings.barnabas_autocreate_max_per_request
    codes |= dict.fromkeys(allowed[most:], ErrorCode.THROTTLING_QUOTA_EXCEEDED)
    if not allowed[:most]:
        return codes
    job = ctx.rooms.topics.create_by_default(allowed[:most], timeout_ms=CREATION_MS)
    await ctx.pause(job.waiter(), CREATION_MS)
    for name in allowed[:most]:
        try:
            job.row(name)
        except ApiError as no:
            if name not in ctx.rooms.image.topics:
                soon = no.code in (ErrorCode.REQUEST_TIMED_OUT, ErrorCode.TOPIC_ALREADY_EXISTS)
                codes[name] = ErrorCode.LEADER_NOT_AVAILABLE if soon else no.code
    return codes


def refused_row(name: str, codes: dict[str, ErrorCode], ctx: Context) -> MetadataResponseTopic:
    code = codes.get(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return MetadataResponseTopic(error_code=code, name=name, is_internal=name in INTERNAL_TOPICS)


def described(topics: Iterable[TopicImage], request: MetadataRequest, ctx: Context) -> Iterator[MetadataResponseTopic]:
    """A row per topic, with all its partitions that the controller has told of."""
    addresses = reachable(ctx)
    rights = request.include_topic_authorized_operations and ctx.version >= 8
    for topic in topics:
        yield MetadataResponseTopic(
            name=topic.name,
            topic_id=topic.id,
            is_internal=topic.name in INTERNAL_TOPICS,
            partitions=[
                partition_row(index, partition, addresses, ctx)
                for index, partition in enumerate(topic.partitions)
                if partition.replicas
            ],
            topic_authorized_operations=operations(ctx, Resource.topic(topic.name)) if rights else NOT_ASKED,
        )


def partition_row(
    index: int, partition: PartitionImage, addresses: dict[int, Address], ctx: Context
) -> MetadataResponsePartition:
    """A leader that this client cannot reach is none. Version 0 leaves out what is dead and says so."""
    code, leader, replicas, isr = ErrorCode.NONE, partition.leader, partition.replicas, partition.isr
    if ctx.version == 0:
        replicas, isr = ([each for each in brokers if each in addresses] for brokers in (replicas, isr))
        if len(replicas) < len(partition.replicas) or len(isr) < len(partition.isr):
            code = ErrorCode.REPLICA_NOT_AVAILABLE
    if leader not in addresses:
        hidden = leader in ctx.rooms.image.brokers and ctx.version >= 6
        code, leader = (ErrorCode.LISTENER_NOT_FOUND if hidden else ErrorCode.LEADER_NOT_AVAILABLE), -1
    return MetadataResponsePartition(
        error_code=code,
        partition_index=index,
        leader_id=leader,
        leader_epoch=partition.leader_epoch,
        replica_nodes=replicas,
        isr_nodes=isr,
        offline_replicas=partition.offline,
    )


def cluster_operations(request: MetadataRequest, ctx: Context) -> int:
    if not request.include_cluster_authorized_operations:
        return NOT_ASKED
    cluster = Resource.cluster()
    return operations(ctx, cluster) if ctx.allowed(Operation.DESCRIBE, cluster) else 0


def refused(request: MetadataRequest, error: ApiError) -> MetadataResponse:
    """The code on top (13) and in every row that has a name or an id to answer by."""
    rows = [
        MetadataResponseTopic(error_code=error.code, name=topic.name or "", topic_id=topic.topic_id)
        for topic in request.topics or ()
    ]
    return MetadataResponse(topics=rows, error_code=error.code)
