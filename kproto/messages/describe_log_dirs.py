"""DescribeLogDirs: the log directories of a broker, with the sizes of their replicas.

Versions 0 to 5.
2: flexible.
3: answer: `error_code`.
4: answer: `results.total_bytes`, `results.usable_bytes`.
5: answer: `results.is_cordoned`.
1: same fields as the version before.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class DescribableLogDirTopic(Struct):
    topic: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@message(ApiKey.DESCRIBE_LOG_DIRS, versions=(0, 5), flexible=2)
class DescribeLogDirsRequest(Message):
    """Source: DescribeLogDirsRequest.json, Kafka 4.4."""

    topics: list[DescribableLogDirTopic] | None = wire(array(DescribableLogDirTopic), nullable=0)


@struct
class DescribeLogDirsPartition(Struct):
    partition_index: int = wire("int32")
    partition_size: int = wire("int64")
    offset_lag: int = wire("int64")
    is_future_key: bool = wire("bool")


@struct
class DescribeLogDirsTopic(Struct):
    name: str = wire("string")
    partitions: list[DescribeLogDirsPartition] = wire(array(DescribeLogDirsPartition))


@struct
class DescribeLogDirsResult(Struct):
    error_code: int = wire("int16")
    log_dir: str = wire("string")
    topics: list[DescribeLogDirsTopic] = wire(array(DescribeLogDirsTopic))
    total_bytes: int = wire("int64", since=4, default=-1)
    usable_bytes: int = wire("int64", since=4, default=-1)
    is_cordoned: bool = wire("bool", since=5)


@message(ApiKey.DESCRIBE_LOG_DIRS, versions=(0, 5), flexible=2)
class DescribeLogDirsResponse(Message):
    """Source: DescribeLogDirsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16", since=3)
    results: list[DescribeLogDirsResult] = wire(array(DescribeLogDirsResult))
