"""DescribeLogDirs, key 35: the data directories of this broker, with the sizes of their replicas.  Versions 0 to 5.

A replica that moves is told in both directories; the lag of its future copy is in offsets.

1 throttled clients wait · 2 flexible · 3 a code on top; before it who is denied gets an empty answer · 4 size of the
file system (KIP-827) · 5 cordoned directories (KIP-1066), of which there are none here.
"""

from broker.requests.context import Context
from broker.storage.places import DirectoryUse
from kproto.errors import ApiError, ErrorCode
from kproto.messages.describe_log_dirs import (
    DescribeLogDirsPartition,
    DescribeLogDirsRequest,
    DescribeLogDirsResponse,
    DescribeLogDirsResult,
    DescribeLogDirsTopic,
)


async def describe_log_dirs(request: DescribeLogDirsRequest, ctx: Context) -> DescribeLogDirsResponse:
    """Every directory, with the replicas asked for (null: all) that lie there; the others are left out."""
    wanted = None
    if request.topics is not None:
        wanted = {(topic.topic, index) for topic in request.topics for index in topic.partitions}
    found = await ctx.rooms.partitions.directories()
    return DescribeLogDirsResponse(results=[result_of(directory, wanted, ctx) for directory in found])


def result_of(directory: DirectoryUse, wanted: set[tuple[str, int]] | None, ctx: Context) -> DescribeLogDirsResult:
    topics: dict[str, DescribeLogDirsTopic] = {}
    here = [(log_id, size, None) for log_id, size in directory.sizes.items()]
    coming = [(log_id, size, lag) for log_id, (size, lag) in directory.futures.items()]
    for log_id, size, missing in sorted([*here, *coming], key=lambda each: each[0].partition):
        partition = ctx.rooms.partitions.find(log_id.topic_id, log_id.partition)
        if partition is None or (wanted is not None and (partition.topic, partition.index) not in wanted):
            continue
        topic = topics.setdefault(partition.topic, DescribeLogDirsTopic(name=partition.topic))
        lag = max(partition.high_watermark - partition.log.end_offset, 0) if missing is None else missing
        row = DescribeLogDirsPartition(
            partition_index=partition.index, partition_size=size, offset_lag=lag, is_future_key=missing is not None
        )
        topic.partitions.append(row)
    return DescribeLogDirsResult(
        error_code=ErrorCode.KAFKA_STORAGE_ERROR if directory.failed else ErrorCode.NONE,
        log_dir=directory.path,
        topics=[topics[name] for name in sorted(topics)],
        total_bytes=directory.total_bytes,
        usable_bytes=directory.usable_bytes,
    )


def refused(request: DescribeLogDirsRequest, error: ApiError) -> DescribeLogDirsResponse:
    return DescribeLogDirsResponse(error_code=error.code)
