"""Topics and the log of a partition: size, age, flushing, what a record may be."""

from broker.config.checks import at_least, between, between_or, each_of, one_of, release_name
from broker.config.keys import CLUSTER, INTERNAL, NO_EFFECT, PER_BROKER, Key, Settings, TimeKey
from broker.config.kinds import BOOLEAN, CLASS, INT, LIST, LONG, STRING
from broker.config.numbers import HOUR_MS, LONG_MAX, MINUTE_MS


class LogSettings(Settings):
    """Topics and the log of a partition: size, age, flushing, what a record may be."""

    alter_config_policy_class_name = Key("alter.config.policy.class.name", CLASS, None, standing=NO_EFFECT)
    alter_config_policy_kraft_compatibility_enable = Key(
        "alter.config.policy.kraft.compatibility.enable", BOOLEAN, False, standing=NO_EFFECT
    )
    auto_create_topics_enable = Key("auto.create.topics.enable", BOOLEAN, True)
    compression_gzip_level = Key(
        "compression.gzip.level", INT, -1, check=between_or(1, 9, -1), update=CLUSTER, standing=NO_EFFECT
    )
    compression_lz4_level = Key(
        "compression.lz4.level", INT, 9, check=between(1, 17), update=CLUSTER, standing=NO_EFFECT
    )
    compression_type = Key(
        "compression.type",
        STRING,
        "producer",
        check=one_of("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"),
        update=CLUSTER,
    )
    compression_zstd_level = Key(
        "compression.zstd.level", INT, 3, check=between(-131_072, 22), update=CLUSTER, standing=NO_EFFECT
    )
    cordoned_log_dirs = Key("cordoned.log.dirs", LIST, (), update=PER_BROKER, standing=NO_EFFECT)
    create_topic_policy_class_name = Key("create.topic.policy.class.name", CLASS, None, standing=NO_EFFECT)
    default_replication_factor = Key("default.replication.factor", INT, 1)
    delete_records_purgatory_purge_interval_requests = Key(
        "delete.records.purgatory.purge.interval.requests", INT, 1, standing=NO_EFFECT
    )
    delete_topic_enable = Key("delete.topic.enable", BOOLEAN, True)
    errors_deadletterqueue_auto_create_topics_enable = Key(
        "errors.deadletterqueue.auto.create.topics.enable", BOOLEAN, False, update=CLUSTER, standing=NO_EFFECT
    )
    errors_deadletterqueue_topic_name_prefix = Key(
        "errors.deadletterqueue.topic.name.prefix", STRING, "dlq.", update=CLUSTER, standing=NO_EFFECT
    )
    log_cleanup_policy = Key(
        "log.cleanup.policy", LIST, ("delete",), check=each_of("compact", "delete"), update=CLUSTER
    )
    log_dir = Key("log.dir", STRING, "/tmp/kafka-logs")
    log_dir_failure_timeout_ms = Key("log.dir.failure.timeout.ms", LONG, 30_000, check=at_least(1), standing=NO_EFFECT)
    log_dirs = Key("log.dirs", STRING, None)
    log_flush_interval_messages = Key("log.flush.interval.messages", LONG, LONG_MAX, check=at_least(1), update=CLUSTER)
    log_flush_interval_ms = TimeKey(
        "log.flush.interval.ms", LONG, stand_ins={"log.flush.scheduler.interval.ms": 1}, update=CLUSTER
    )
    log_flush_offset_checkpoint_interval_ms = Key(
        "log.flush.offset.checkpoint.interval.ms", INT, 60_000, check=at_least(0)
    )
    log_flush_scheduler_interval_ms = Key("log.flush.scheduler.interval.ms", LONG, LONG_MAX)
    log_flush_start_offset_checkpoint_interval_ms = Key(
        "log.flush.start.offset.checkpoint.interval.ms", INT, 60_000, check=at_least(0)
    )
    log_index_interval_bytes = Key("log.index.interval.bytes", INT, 4096, check=at_least(0), update=CLUSTER)
    log_index_size_max_bytes = Key("log.index.size.max.bytes", INT, 10_485_760, check=at_least(4), update=CLUSTER)
    log_initial_task_delay_ms = Key("log.initial.task.delay.ms", LONG, 30_000, check=at_least(0), standing=INTERNAL)
    log_local_retention_bytes = Key(
        "log.local.retention.bytes", LONG, -2, check=at_least(-2), update=CLUSTER, standing=NO_EFFECT
    )
    log_local_retention_ms = Key(
        "log.local.retention.ms", LONG, -2, check=at_least(-2), update=CLUSTER, standing=NO_EFFECT
    )
    log_message_downconversion_enable = Key("log.message.downconversion.enable", BOOLEAN, True, update=CLUSTER)
    log_message_format_version = Key(
        "log.message.format.version", STRING, "3.0-IV1", check=release_name(), standing=NO_EFFECT
    )
    log_message_timestamp_after_max_ms = Key(
        "log.message.timestamp.after.max.ms", LONG, LONG_MAX, check=at_least(0), update=CLUSTER
    )
    log_message_timestamp_before_max_ms = Key(
        "log.message.timestamp.before.max.ms", LONG, LONG_MAX, check=at_least(0), update=CLUSTER
    )
    log_message_timestamp_difference_max_ms = Key(
        "log.message.timestamp.difference.max.ms", LONG, LONG_MAX, check=at_least(0), update=CLUSTER
    )
    log_message_timestamp_type = Key(
        "log.message.timestamp.type", STRING, "CreateTime", check=one_of("CreateTime", "LogAppendTime"), update=CLUSTER
    )
    log_preallocate = Key("log.preallocate", BOOLEAN, False, update=CLUSTER, standing=NO_EFFECT)
    log_retention_bytes = Key("log.retention.bytes", LONG, -1, update=CLUSTER)
    log_retention_check_interval_ms = Key("log.retention.check.interval.ms", LONG, 300_000, check=at_least(1))
    log_retention_hours = Key("log.retention.hours", INT, 168)
    log_retention_minutes = Key("log.retention.minutes", INT, None)
    log_retention_ms = TimeKey(
        "log.retention.ms",
        LONG,
        stand_ins={"log.retention.minutes": MINUTE_MS, "log.retention.hours": HOUR_MS},
        update=CLUSTER,
    )
    log_roll_hours = Key("log.roll.hours", INT, 168, check=at_least(1))
    log_roll_jitter_hours = Key("log.roll.jitter.hours", INT, 0, check=at_least(0))
    log_roll_jitter_ms = TimeKey(
        "log.roll.jitter.ms", LONG, stand_ins={"log.roll.jitter.hours": HOUR_MS}, update=CLUSTER
    )
    log_roll_ms = TimeKey("log.roll.ms", LONG, stand_ins={"log.roll.hours": HOUR_MS}, update=CLUSTER)
    log_segment_bytes = Key("log.segment.bytes", INT, 1_073_741_824, check=at_least(14), update=CLUSTER)
    log_segment_delete_delay_ms = Key("log.segment.delete.delay.ms", LONG, 60_000, check=at_least(0), update=CLUSTER)
    max_decompressed_message_bytes = Key(
        "max.decompressed.message.bytes",
        INT,
        2_147_483_639,
        check=between(1, 2_147_483_639),
        update=CLUSTER,
        standing=NO_EFFECT,
    )
    message_max_bytes = Key("message.max.bytes", INT, 1_048_588, check=at_least(0), update=CLUSTER)
    min_insync_replicas = Key("min.insync.replicas", INT, 1, check=at_least(1), update=CLUSTER)
    num_partitions = Key("num.partitions", INT, 1, check=at_least(1))
    num_recovery_threads_per_data_dir = Key(
        "num.recovery.threads.per.data.dir", INT, 1, check=at_least(1), update=CLUSTER, standing=NO_EFFECT
    )
    num_replica_alter_log_dirs_threads = Key("num.replica.alter.log.dirs.threads", INT, None, standing=NO_EFFECT)
    unclean_leader_election_enable = Key("unclean.leader.election.enable", BOOLEAN, False, update=CLUSTER)
    barnabas_autocreate_max_per_request = Key("barnabas.autocreate.max.per.request", INT, 1000, check=at_least(0))
    barnabas_batch_inflated_max_bytes = Key("barnabas.batch.inflated.max.bytes", INT, 134_217_728, check=at_least(1))
    barnabas_records_validation = Key("barnabas.records.validation", STRING, "full", check=one_of("full", "header"))
