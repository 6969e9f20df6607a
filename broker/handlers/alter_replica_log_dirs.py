"""AlterReplicaLogDirs, key 34: replicas move between the data directories of this broker.  Versions 0 to 2.

1 throttled clients wait · 2 flexible. The answer comes when a move has begun; DescribeLogDirs shows how far it is.
A replica that is not here yet is made in that directory later, and answered with REPLICA_NOT_AVAILABLE all the same.
Source: KIP-113, ReplicaManager.alterReplicaLogDirs.
"""

from broker.handlers.group_calls import Turns
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.alter_replica_log_dirs import (
    AlterReplicaLogDirPartitionResult,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
    AlterReplicaLogDirTopicResult,
)

Place = tuple[str, int]
LONGEST_TOPIC = 255 - len("-0.") - 32 - len("-future")
"""A future directory has the topic's name and more in its own."""


async def alter_replica_log_dirs(request: AlterReplicaLogDirsRequest, ctx: Context) -> AlterReplicaLogDirsResponse:
    """Each replica answers for itself; of one that is named twice the last directory counts."""
    turns, codes = Turns(ctx), dict.fromkeys(wanted(request), ErrorCode.NONE)
    for place, path in wanted(request).items():
        try:
            move(place, path, ctx)
        except ApiError as no:
            codes[place] = no.code
        await turns.next()
    return answer(codes)


def wanted(request: AlterReplicaLogDirsRequest) -> dict[Place, str]:
    """The directory of each replica."""
    return {
        (topic.name, index): directory.path
        for directory in request.dirs
        for topic in directory.topics
        for index in topic.partitions
    }


def move(place: Place, path: str, ctx: Context) -> None:
    """Raises: ApiError: the codes of Kafka."""
    topic, index = place
    if len(topic) + len(str(index)) - 1 > LONGEST_TOPIC:
        raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION)
    image = ctx.rooms.image.topics.get(topic)
    known = image is not None and 0 <= index < len(image.partitions)
    if not ctx.rooms.partitions.move(topic, index, image.id if image is not None and known else None, path):
        raise ApiError(ErrorCode.REPLICA_NOT_AVAILABLE if known else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)


def answer(codes: dict[Place, ErrorCode]) -> AlterReplicaLogDirsResponse:
    topics: dict[str, AlterReplicaLogDirTopicResult] = {}
    for (topic, index), code in codes.items():
        rows = topics.setdefault(topic, AlterReplicaLogDirTopicResult(topic_name=topic)).partitions
        rows.append(AlterReplicaLogDirPartitionResult(partition_index=index, error_code=code))
    return AlterReplicaLogDirsResponse(results=list(topics.values()))


def refused(request: AlterReplicaLogDirsRequest, error: ApiError) -> AlterReplicaLogDirsResponse:
    """The code in every row: the answer has no field on top."""
    return answer(dict.fromkeys(wanted(request), error.code))
