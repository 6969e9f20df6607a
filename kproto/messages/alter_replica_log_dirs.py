"""AlterReplicaLogDirs: replicas move between the log directories of a broker.

Versions 0 to 2.
2: flexible.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class AlterReplicaLogDirTopic(Struct):
    name: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class AlterReplicaLogDir(Struct):
    path: str = wire("string")
    topics: list[AlterReplicaLogDirTopic] = wire(array(AlterReplicaLogDirTopic))


@message(ApiKey.ALTER_REPLICA_LOG_DIRS, versions=(0, 2), flexible=2)
class AlterReplicaLogDirsRequest(Message):
    """Source: AlterReplicaLogDirsRequest.json, Kafka 4.4."""

    dirs: list[AlterReplicaLogDir] = wire(array(AlterReplicaLogDir))


@struct
class AlterReplicaLogDirPartitionResult(Struct):
    partition_index: int = wire("int32")
    error_code: int = wire("int16")


@struct
class AlterReplicaLogDirTopicResult(Struct):
    topic_name: str = wire("string")
    partitions: list[AlterReplicaLogDirPartitionResult] = wire(array(AlterReplicaLogDirPartitionResult))


@message(ApiKey.ALTER_REPLICA_LOG_DIRS, versions=(0, 2), flexible=2)
class AlterReplicaLogDirsResponse(Message):
    """Source: AlterReplicaLogDirsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    results: list[AlterReplicaLogDirTopicResult] = wire(array(AlterReplicaLogDirTopicResult))
