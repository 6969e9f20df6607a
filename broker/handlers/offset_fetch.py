"""OffsetFetch, key 9: where groups have got to.  Versions 0 to 10.

0 from the registry, where clients of 0.8.1 commit · 1 from the group's log · 2 null topics: all; an error on top ·
3 throttling · 5 leader epochs (KIP-320) · 6 flexible · 7 may ask for stable offsets only (KIP-447): nothing is
undecided while there are no transactions · 8 several groups (KIP-709) · 9 member and epoch (KIP-848) · 10 topics by id.
A partition without an offset is answered with -1, and so is one whose topic is another than the one committed for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from broker.cluster.authorizer import Operation, Resource
from broker.coordinator_runtime.registry_offsets import RegistryOffsets
from broker.handlers.group_calls import Turns, ask_or_raise, waited
from broker.handlers.topic_rows import topic_by_id
from broker.requests.context import Context
from coordinator.groups.effects import Committed
from coordinator.groups.events import FetchOffsets, TopicPartition
from kproto.errors import ApiError, ErrorCode
from kproto.messages import offset_fetch as wire
from kproto.messages.internal_topics import OffsetCommitValue
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchResponse
from kproto.schema import ZERO_UUID

NO_OFFSET = OffsetCommitValue(offset=-1)


@dataclass(slots=True)
class Cell:
    """One partition's answer."""

    partition: int
    offset: OffsetCommitValue = field(default_factory=lambda: NO_OFFSET)
    code: ErrorCode = ErrorCode.NONE


@dataclass(slots=True)
class Topic:
    """A topic asked for; `refusal`: all its partitions are refused."""

    name: str
    id: UUID
    partitions: list[int]
    refusal: ErrorCode | None = None


@dataclass(slots=True)
class Group:
    """A group asked for; topics None: all that it committed."""

    id: str
    topics: list[Topic] | None


Answered = list[tuple[Topic, list[Cell]]]


async def offset_fetch(request: OffsetFetchRequest, ctx: Context) -> OffsetFetchResponse:
    """Each group answers for itself."""
    groups = groups_of(request, ctx)
    if ctx.version >= 8:
        turns, rows = Turns(ctx), []
        for each in groups:
            rows.append(await group_row(each, ctx))
            await turns.next()
        return OffsetFetchResponse(groups=rows)
    [group] = groups
    return OffsetFetchResponse(topics=old_topics(await answered(group, ctx)))


async def group_row(group: Group, ctx: Context) -> wire.OffsetFetchResponseGroup:
    try:
        topics = new_topics(await answered(group, ctx))
    except ApiError as no:
        return wire.OffsetFetchResponseGroup(group_id=group.id, error_code=no.code)
    return wire.OffsetFetchResponseGroup(group_id=group.id, topics=topics)


def groups_of(request: OffsetFetchRequest, ctx: Context) -> list[Group]:
    """What is asked for, in one shape for all versions."""
    if ctx.version < 8:
        every = request.topics
        topics = None if every is None else [Topic(t.name, ZERO_UUID, t.partition_indexes) for t in every]
        return [Group(request.group_id, topics)]
    return [
        Group(
            group.group_id,
            None if group.topics is None else [Topic(t.name, t.topic_id, t.partition_indexes) for t in group.topics],
        )
        for group in request.groups
    ]


async def answered(group: Group, ctx: Context) -> Answered:
    """Raises: ApiError: GROUP_AUTHORIZATION_FAILED, INVALID_GROUP_ID (0), and what coordinators refuse with."""
    ctx.may(Operation.DESCRIBE, Resource.group(group.id))
    if ctx.version == 0:
        return await from_registry(group, ctx)
    for topic in group.topics or ():
        look_up(topic, ctx)
    wanted = None if group.topics is None else [p for topic in group.topics for p in partitions_of(topic)]
    committed = await ask_or_raise(ctx, group.id, FetchOffsets(wanted), ctx.rooms.settings.offsets_commit_timeout_ms)
    assert isinstance(committed, Committed)
    topics = all_topics(committed.offsets, ctx) if group.topics is None else group.topics
    return [(topic, [cell_of(topic, p, committed, ctx) for p in topic.partitions]) for topic in topics]


def look_up(topic: Topic, ctx: Context) -> None:
    """Fill in the name of a topic asked for by id, or the refusal."""
    try:
        if ctx.version >= 10:
            topic.name = topic_by_id(ctx, Operation.DESCRIBE, topic.id).name
        else:
            ctx.may(Operation.DESCRIBE, Resource.topic(topic.name))
    except ApiError as no:
        topic.refusal = no.code


def partitions_of(topic: Topic) -> Iterable[TopicPartition]:
    return [] if topic.refusal is not None else [(topic.name, partition) for partition in topic.partitions]


def all_topics(offsets: Iterable[TopicPartition], ctx: Context) -> list[Topic]:
    """Those of which this client may know; by id only those that are still there."""
    by_name: dict[str, list[int]] = {}
    for name, partition in offsets:
        by_name.setdefault(name, []).append(partition)
    known = ctx.rooms.image.topics
    return [
        Topic(name, known[name].id if name in known else ZERO_UUID, sorted(partitions))
        for name, partitions in sorted(by_name.items())
        if ctx.allowed(Operation.DESCRIBE, Resource.topic(name)) and (name in known or ctx.version < 10)
    ]


def cell_of(topic: Topic, partition: int, committed: Committed, ctx: Context) -> Cell:
    if topic.refusal is not None:
        return Cell(partition, code=topic.refusal)
    value = committed.offsets.get((topic.name, partition))
    known = ctx.rooms.image.topics.get(topic.name)
    of_another = known is not None and value is not None and value.topic_id not in (known.id, ZERO_UUID)
    return Cell(partition) if value is None or of_another else Cell(partition, value)


async def from_registry(group: Group, ctx: Context) -> Answered:
    """No offset, or no such topic: UNKNOWN_TOPIC_OR_PARTITION, as clients of that time expect."""
    topics = group.topics or []
    for topic in topics:
        look_up(topic, ctx)
        if topic.refusal is None and topic.name not in ctx.rooms.image.topics:
            topic.refusal = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    registry = RegistryOffsets(ctx.rooms.registry, group.id)
    wanted = [partition for topic in topics for partition in partitions_of(topic)]
    done = ctx.rooms.groups.begin(lambda: registry.read(wanted))
    found = await waited(ctx, done, ctx.rooms.settings.offsets_commit_timeout_ms)
    return [(topic, [registry_cell(topic, partition, found) for partition in topic.partitions]) for topic in topics]


def registry_cell(topic: Topic, partition: int, found: dict[TopicPartition, int]) -> Cell:
    if topic.refusal is not None:
        return Cell(partition, code=topic.refusal)
    offset = found.get((topic.name, partition))
    if offset is None:
        return Cell(partition, code=ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return Cell(partition, OffsetCommitValue(offset=offset))


def old_topics(topics: Answered) -> list[wire.OffsetFetchResponseTopic]:
    return [
        wire.OffsetFetchResponseTopic(
            name=topic.name,
            partitions=[
                wire.OffsetFetchResponsePartition(
                    partition_index=cell.partition,
                    committed_offset=cell.offset.offset,
                    committed_leader_epoch=cell.offset.leader_epoch,
                    metadata=cell.offset.metadata,
                    error_code=cell.code,
                )
                for cell in cells
            ],
        )
        for topic, cells in topics
    ]


def new_topics(topics: Answered) -> list[wire.OffsetFetchResponseTopics]:
    return [
        wire.OffsetFetchResponseTopics(
            name=topic.name,
            topic_id=topic.id,
            partitions=[
                wire.OffsetFetchResponsePartitions(
                    partition_index=cell.partition,
                    committed_offset=cell.offset.offset,
                    committed_leader_epoch=cell.offset.leader_epoch,
                    metadata=cell.offset.metadata,
                    error_code=cell.code,
                )
                for cell in cells
            ],
        )
        for topic, cells in topics
    ]


def refused(request: OffsetFetchRequest, error: ApiError) -> OffsetFetchResponse:
    """The code on top (2 to 7), in every row (0 and 1), in every group (8): each version has its own place."""
    topics = [Topic(t.name, ZERO_UUID, t.partition_indexes, error.code) for t in request.topics or ()]
    return OffsetFetchResponse(
        topics=old_topics([(topic, [Cell(p, code=error.code) for p in topic.partitions]) for topic in topics]),
        error_code=error.code,
        groups=[
            wire.OffsetFetchResponseGroup(group_id=group.group_id, error_code=error.code) for group in request.groups
        ],
    )
