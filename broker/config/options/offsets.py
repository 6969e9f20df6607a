"""Committed offsets and the topic that keeps them."""

from broker.config.checks import at_least
from broker.config.keys import Key, Settings
from broker.config.kinds import INT, LONG, SHORT


class OffsetSettings(Settings):
    """Committed offsets and the topic that keeps them."""

    offset_metadata_max_bytes = Key(
        "offset.metadata.max.bytes", INT, 4096, doc="Largest text that a member may store beside an offset."
    )
    offsets_commit_required_acks = Key(
        "offsets.commit.required.acks",
        SHORT,
        -1,
        because="a commit waits for all replicas",
        doc="Acknowledgements a committed offset needs before the answer; all replicas here.",
    )
    offsets_commit_timeout_ms = Key(
        "offsets.commit.timeout.ms",
        INT,
        5000,
        check=at_least(1),
        doc="Longest time that a commit waits for its replicas.",
    )
    offsets_load_buffer_size = Key(
        "offsets.load.buffer.size",
        INT,
        5_242_880,
        check=at_least(1),
        because="a log is read in pieces of its own size",
        doc="Bytes read at once when offsets are loaded.",
    )
    offsets_retention_check_interval_ms = Key(
        "offsets.retention.check.interval.ms",
        LONG,
        600_000,
        check=at_least(1),
        doc="How often expired offsets are looked for.",
    )
    offsets_retention_minutes = Key(
        "offsets.retention.minutes",
        INT,
        10_080,
        check=at_least(1),
        doc="How long offsets of a group without members are kept.",
    )
    offsets_topic_compression_codec = Key(
        "offsets.topic.compression.codec",
        INT,
        0,
        because="the topic of offsets is written without compression",
        doc="Codec of the batches in the topic of group offsets, by its number.",
    )
    offsets_topic_num_partitions = Key(
        "offsets.topic.num.partitions",
        INT,
        50,
        check=at_least(1),
        doc="Partitions of the topic that keeps committed offsets; must not change after the first start.",
    )
    offsets_topic_replication_factor = Key(
        "offsets.topic.replication.factor",
        SHORT,
        3,
        check=at_least(1),
        doc="Replicas of the topic that keeps committed offsets.",
    )
    offsets_topic_segment_bytes = Key(
        "offsets.topic.segment.bytes",
        INT,
        104_857_600,
        check=at_least(1),
        doc="Segment size of the topic that keeps committed offsets.",
    )
