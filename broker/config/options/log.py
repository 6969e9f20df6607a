"""Logs: directories, size, age, flushing."""

from broker.config.checks import at_least, each_of, one_of
from broker.config.keys import (
    CLUSTER,
    NO_TIER,
    ONE_LOOP,
    PER_BROKER,
    Key,
    Settings,
    TimeKey,
)
from broker.config.kinds import BOOLEAN, INT, LIST, LONG, STRING
from broker.config.numbers import HOUR_MS, LONG_MAX, MINUTE_MS


class LogSettings(Settings):
    """Logs: directories, size, age, flushing."""

    cordoned_log_dirs = Key(
        "cordoned.log.dirs",
        LIST,
        (),
        update=PER_BROKER,
        because="placement over data directories does not look at it yet",
        doc="Data directories that get no new partitions.",
    )
    log_cleanup_policy = Key(
        "log.cleanup.policy",
        LIST,
        ("delete",),
        check=each_of("compact", "delete"),
        update=CLUSTER,
        doc="delete drops old segments, compact keeps the last value of each key; both may be named.",
    )
    log_dir = Key("log.dir", STRING, "/tmp/kafka-logs", doc="Data directory when log.dirs is not set.")
    log_dir_failure_timeout_ms = Key(
        "log.dir.failure.timeout.ms",
        LONG,
        30_000,
        check=at_least(1),
        because="there is no quorum of Kafka's kind here",
        doc="Time in which the controller must hear of a failed data directory; else the broker ends.",
    )
    log_dirs = Key("log.dirs", STRING, None, doc="Data directories, comma separated.")
    log_flush_interval_messages = Key(
        "log.flush.interval.messages",
        LONG,
        LONG_MAX,
        check=at_least(1),
        update=CLUSTER,
        doc="Records written before an fsync; 1 means every write is on disk before it is acknowledged.",
    )
    log_flush_interval_ms = TimeKey(
        "log.flush.interval.ms",
        LONG,
        stand_ins={"log.flush.scheduler.interval.ms": 1},
        update=CLUSTER,
        doc="Longest time that a record waits for an fsync; log.flush.scheduler.interval.ms when not set.",
    )
    log_flush_offset_checkpoint_interval_ms = Key(
        "log.flush.offset.checkpoint.interval.ms",
        INT,
        60_000,
        check=at_least(0),
        doc="How often recovery points are written down.",
    )
    log_flush_scheduler_interval_ms = Key(
        "log.flush.scheduler.interval.ms",
        LONG,
        LONG_MAX,
        doc="How often partitions are looked at for an fsync that is due.",
    )
    log_flush_start_offset_checkpoint_interval_ms = Key(
        "log.flush.start.offset.checkpoint.interval.ms",
        INT,
        60_000,
        check=at_least(0),
        doc="How often first offsets are written down.",
    )
    log_index_interval_bytes = Key(
        "log.index.interval.bytes",
        INT,
        4096,
        check=at_least(0),
        update=CLUSTER,
        doc="Log bytes between two entries of the offset index.",
    )
    log_index_size_max_bytes = Key(
        "log.index.size.max.bytes",
        INT,
        10_485_760,
        check=at_least(4),
        update=CLUSTER,
        doc="Largest index of a segment; a full index begins a new segment.",
    )
    log_initial_task_delay_ms = Key(
        "log.initial.task.delay.ms",
        LONG,
        30_000,
        check=at_least(0),
        because="the first look comes after log.retention.check.interval.ms",
        hidden=True,
        doc="Pause after the start before retention and flushing first look at the logs.",
    )
    log_local_retention_bytes = Key(
        "log.local.retention.bytes",
        LONG,
        -2,
        check=at_least(-2),
        update=CLUSTER,
        because=NO_TIER,
        doc="Size of a partition's local part once older segments lie in remote storage.",
    )
    log_local_retention_ms = Key(
        "log.local.retention.ms",
        LONG,
        -2,
        check=at_least(-2),
        update=CLUSTER,
        because=NO_TIER,
        doc="Age of a partition's local part once older segments lie in remote storage.",
    )
    log_preallocate = Key(
        "log.preallocate",
        BOOLEAN,
        False,
        update=CLUSTER,
        because="segment files grow as they are written",
        doc="Whether a segment file takes its full size when it is made.",
    )
    log_retention_bytes = Key(
        "log.retention.bytes",
        LONG,
        -1,
        update=CLUSTER,
        doc="Size of a partition above which old segments are deleted; -1 means no limit.",
    )
    log_retention_check_interval_ms = Key(
        "log.retention.check.interval.ms",
        LONG,
        300_000,
        check=at_least(1),
        doc="How often partitions are looked at for segments to delete.",
    )
    log_retention_hours = Key(
        "log.retention.hours",
        INT,
        168,
        doc="Age in hours at which segments are deleted, where minutes and ms say nothing.",
    )
    log_retention_minutes = Key(
        "log.retention.minutes", INT, None, doc="Age in minutes at which segments are deleted, where ms says nothing."
    )
    log_retention_ms = TimeKey(
        "log.retention.ms",
        LONG,
        stand_ins={"log.retention.minutes": MINUTE_MS, "log.retention.hours": HOUR_MS},
        update=CLUSTER,
        doc="Age at which segments are deleted; -1 keeps them for ever.",
    )
    log_roll_hours = Key(
        "log.roll.hours",
        INT,
        168,
        check=at_least(1),
        doc="Age in hours at which a new segment is begun, where ms says nothing.",
    )
    log_roll_jitter_hours = Key(
        "log.roll.jitter.hours",
        INT,
        0,
        check=at_least(0),
        because="segments roll without a random time",
        doc="Random hours taken off the age at which a new segment is begun, where ms says nothing.",
    )
    log_roll_jitter_ms = TimeKey(
        "log.roll.jitter.ms",
        LONG,
        stand_ins={"log.roll.jitter.hours": HOUR_MS},
        update=CLUSTER,
        because="segments roll without a random time",
        doc="Random time taken off the age at which a new segment is begun.",
    )
    log_roll_ms = TimeKey(
        "log.roll.ms",
        LONG,
        stand_ins={"log.roll.hours": HOUR_MS},
        update=CLUSTER,
        doc="Age at which a new segment is begun even if the old one is not full.",
    )
    log_segment_bytes = Key(
        "log.segment.bytes",
        INT,
        1_073_741_824,
        check=at_least(14),
        update=CLUSTER,
        doc="Size in bytes at which a new segment file is begun.",
    )
    log_segment_delete_delay_ms = Key(
        "log.segment.delete.delay.ms",
        LONG,
        60_000,
        check=at_least(0),
        update=CLUSTER,
        doc="How long the files of a deleted segment stay on disk.",
    )
    num_recovery_threads_per_data_dir = Key(
        "num.recovery.threads.per.data.dir",
        INT,
        1,
        check=at_least(1),
        update=CLUSTER,
        because="logs are read one after another, in one thread",
        doc="Threads that read a data directory at start and flush it at the end.",
    )
    num_replica_alter_log_dirs_threads = Key(
        "num.replica.alter.log.dirs.threads",
        INT,
        None,
        because=ONE_LOOP,
        doc="Threads that move replicas between data directories.",
    )
    barnabas_log_dir_reserve_bytes = Key(
        "barnabas.log.dir.reserve.bytes",
        LONG,
        67_108_864,
        check=at_least(0),
        doc="Kept free on the file system of each data directory, at most a twentieth of it: records are refused"
        " before it is used up, so that group offsets, checkpoints and deletes still work.",
    )
    barnabas_scrub_bytes_per_second = Key(
        "barnabas.scrub.bytes.per.second",
        INT,
        1_048_576,
        check=at_least(0),
        update=CLUSTER,
        doc="Bytes a second of closed segments that are read again, to find what changed on the disk; 0 for none.",
    )
    barnabas_storage = Key(
        "barnabas.storage",
        STRING,
        "files",
        check=one_of("files", "memory"),
        doc="Where logs are kept: in files below log.dirs, or in memory until the broker stops.",
    )
