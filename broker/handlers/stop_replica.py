"""StopReplica, key 5: the controller says which replicas, and which files, this broker lets go.  Versions 0 to 4.

1 grouped by topic, broker epoch · 2 flexible · 3 epoch and deletion by partition (KIP-570) · 4 KRaft controllers.
Only a controller may ask; a client that does is hung up on.
"""

from broker.requests.context import Context
from kproto.errors import ApiError
from kproto.messages.stop_replica import (
    StopReplicaPartitionState,
    StopReplicaRequest,
    StopReplicaResponse,
    StopReplicaTopicState,
)


async def stop_replica(request: StopReplicaRequest, ctx: Context) -> StopReplicaResponse:
    ctx.rooms.image.admit(request.controller_epoch, request.broker_epoch)
    as_newest(request)
    return await ctx.rooms.partitions.stop(request)


def as_newest(request: StopReplicaRequest) -> None:
    """The shape of version 3 and later: rows grouped by topic, each with its own deletion."""
    indexes: dict[str, list[int]] = {topic.name: list(topic.partition_indexes) for topic in request.topics}
    for row in request.ungrouped_partitions:
        indexes.setdefault(row.topic_name, []).append(row.partition_index)
    for name, partitions in indexes.items():
        states = [
            StopReplicaPartitionState(partition_index=index, delete_partition=request.delete_partitions)
            for index in partitions
        ]
        request.topic_states.append(StopReplicaTopicState(topic_name=name, partition_states=states))
    request.topics, request.ungrouped_partitions = [], []


def refused(request: StopReplicaRequest, error: ApiError) -> StopReplicaResponse:
    return StopReplicaResponse(error_code=error.code)
