"""Share groups (KIP-932)."""

from broker.config.checks import at_least, between
from broker.config.keys import CLUSTER, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, SHORT, STRING
from broker.config.numbers import INT_MAX


class ShareGroupSettings(Settings):
    """Share groups (KIP-932)."""

    NO_EFFECT_BECAUSE = "share groups are not built yet"
    NOTHING_WORKS = True

    group_share_assignment_interval_ms = Key(
        "group.share.assignment.interval.ms",
        INT,
        1000,
        check=at_least(0),
        update=CLUSTER,
        doc="Time between two assignments of one share group.",
    )
    group_share_assignor_offload_enable = Key(
        "group.share.assignor.offload.enable",
        BOOLEAN,
        True,
        update=CLUSTER,
        hidden=True,
        doc="Whether assignments are computed beside the share group's own thread.",
    )
    group_share_assignors = Key(
        "group.share.assignors", LIST, ("simple",), doc="Ways of assigning partitions to members of share groups."
    )
    group_share_delivery_count_limit = Key(
        "group.share.delivery.count.limit",
        INT,
        5,
        check=between(2, 10),
        doc="How often a record is delivered before it counts as rejected.",
    )
    group_share_dlq_manager_class_name = Key(
        "group.share.dlq.manager.class.name",
        STRING,
        "org.apache.kafka.server.share.dlq.DefaultShareGroupDLQManager",
        hidden=True,
        doc="Java class that keeps the records that share groups reject.",
    )
    group_share_enable = Key(
        "group.share.enable", BOOLEAN, False, hidden=True, doc="Whether Kafka 3.9 lets clients use share groups."
    )
    group_share_heartbeat_interval_ms = Key(
        "group.share.heartbeat.interval.ms",
        INT,
        5000,
        check=at_least(1),
        doc="How often a member of a share group is asked to send a heartbeat.",
    )
    group_share_initialize_retry_interval_ms = Key(
        "group.share.initialize.retry.interval.ms",
        INT,
        30_000,
        check=at_least(1),
        hidden=True,
        doc="Pause before the state of a share group's partitions is set up again.",
    )
    group_share_max_assignment_interval_ms = Key(
        "group.share.max.assignment.interval.ms",
        INT,
        15_000,
        check=at_least(0),
        doc="Largest assignment interval that a share group may set.",
    )
    group_share_max_delivery_count_limit = Key(
        "group.share.max.delivery.count.limit",
        INT,
        10,
        check=between(5, 25),
        doc="Largest delivery count that a share group may set.",
    )
    group_share_max_groups = Key(
        "group.share.max.groups", SHORT, 10, check=between(1, 100), doc="Most share groups that may exist."
    )
    group_share_max_heartbeat_interval_ms = Key(
        "group.share.max.heartbeat.interval.ms",
        INT,
        15_000,
        check=at_least(1),
        doc="Largest heartbeat interval that a share group may set.",
    )
    group_share_max_partition_max_record_locks = Key(
        "group.share.max.partition.max.record.locks",
        INT,
        4000,
        check=between(2000, 10_000),
        doc="Largest number of records in hand that a share group may set.",
    )
    group_share_max_record_lock_duration_ms = Key(
        "group.share.max.record.lock.duration.ms",
        INT,
        60_000,
        check=between(30_000, 3_600_000),
        doc="Longest lock that a share group may set.",
    )
    group_share_max_session_timeout_ms = Key(
        "group.share.max.session.timeout.ms",
        INT,
        60_000,
        check=at_least(1),
        doc="Largest session timeout that a share group may set.",
    )
    group_share_max_share_sessions = Key(
        "group.share.max.share.sessions",
        INT,
        2000,
        check=at_least(1),
        doc="Most sessions of consumers of share groups.",
    )
    group_share_max_size = Key(
        "group.share.max.size", SHORT, 200, check=between(10, 1000), doc="Most members of a share group."
    )
    group_share_min_assignment_interval_ms = Key(
        "group.share.min.assignment.interval.ms",
        INT,
        0,
        check=at_least(0),
        doc="Smallest assignment interval that a share group may set.",
    )
    group_share_min_delivery_count_limit = Key(
        "group.share.min.delivery.count.limit",
        INT,
        2,
        check=between(2, 5),
        doc="Smallest delivery count that a share group may set.",
    )
    group_share_min_heartbeat_interval_ms = Key(
        "group.share.min.heartbeat.interval.ms",
        INT,
        5000,
        check=at_least(1),
        doc="Smallest heartbeat interval that a share group may set.",
    )
    group_share_min_partition_max_record_locks = Key(
        "group.share.min.partition.max.record.locks",
        INT,
        100,
        check=between(100, 2000),
        doc="Smallest number of records in hand that a share group may set.",
    )
    group_share_min_record_lock_duration_ms = Key(
        "group.share.min.record.lock.duration.ms",
        INT,
        15_000,
        check=between(1000, 30_000),
        doc="Shortest lock that a share group may set.",
    )
    group_share_min_session_timeout_ms = Key(
        "group.share.min.session.timeout.ms",
        INT,
        45_000,
        check=at_least(1),
        doc="Smallest session timeout that a share group may set.",
    )
    group_share_partition_max_record_locks = Key(
        "group.share.partition.max.record.locks",
        INT,
        200,
        check=between(100, 10_000),
        doc="Records of a partition that may be in the hands of consumers.",
    )
    group_share_persister_class_name = Key(
        "group.share.persister.class.name",
        STRING,
        "org.apache.kafka.server.share.persister.DefaultStatePersister",
        hidden=True,
        doc="Java class that keeps the state of share groups.",
    )
    group_share_record_lock_duration_ms = Key(
        "group.share.record.lock.duration.ms",
        INT,
        30_000,
        check=between(1000, 60_000),
        doc="Time that a record stays with the consumer it was delivered to.",
    )
    group_share_session_timeout_ms = Key(
        "group.share.session.timeout.ms",
        INT,
        45_000,
        check=at_least(1),
        doc="Silence after which a member of a share group counts as gone.",
    )
    share_coordinator_append_linger_ms = Key(
        "share.coordinator.append.linger.ms",
        INT,
        -1,
        check=at_least(-1),
        doc="Time that records of share state wait to be written together.",
    )
    share_coordinator_cached_buffer_max_bytes = Key(
        "share.coordinator.cached.buffer.max.bytes",
        INT,
        1_048_588,
        check=at_least(524_288),
        update=CLUSTER,
        doc="Largest buffer that is kept for the next batch of share state.",
    )
    share_coordinator_cold_partition_snapshot_interval_ms = Key(
        "share.coordinator.cold.partition.snapshot.interval.ms",
        INT,
        300_000,
        check=at_least(1),
        hidden=True,
        doc="How often partitions of share state that rest are written whole.",
    )
    share_coordinator_load_buffer_size = Key(
        "share.coordinator.load.buffer.size",
        INT,
        5_242_880,
        check=at_least(1),
        doc="Bytes read at once when share state is loaded.",
    )
    share_coordinator_snapshot_update_records_per_snapshot = Key(
        "share.coordinator.snapshot.update.records.per.snapshot",
        INT,
        500,
        check=between(0, 500),
        doc="Changes of share state between two whole records of it.",
    )
    share_coordinator_state_topic_compression_codec = Key(
        "share.coordinator.state.topic.compression.codec",
        INT,
        0,
        doc="Codec of the batches in the topic of share state, by its number.",
    )
    share_coordinator_state_topic_min_isr = Key(
        "share.coordinator.state.topic.min.isr",
        SHORT,
        2,
        check=at_least(1),
        doc="min.insync.replicas of the topic of share state.",
    )
    share_coordinator_state_topic_num_partitions = Key(
        "share.coordinator.state.topic.num.partitions",
        INT,
        50,
        check=at_least(1),
        doc="Partitions of the topic of share state.",
    )
    share_coordinator_state_topic_prune_interval_ms = Key(
        "share.coordinator.state.topic.prune.interval.ms",
        INT,
        300_000,
        check=at_least(1),
        hidden=True,
        doc="How often old records of share state are deleted.",
    )
    share_coordinator_state_topic_replication_factor = Key(
        "share.coordinator.state.topic.replication.factor",
        SHORT,
        3,
        check=at_least(1),
        doc="Replicas of the topic of share state.",
    )
    share_coordinator_state_topic_segment_bytes = Key(
        "share.coordinator.state.topic.segment.bytes",
        INT,
        104_857_600,
        check=at_least(1),
        doc="Segment size of the topic of share state.",
    )
    share_coordinator_threads = Key(
        "share.coordinator.threads", INT, 1, check=at_least(1), doc="Threads that handle share state."
    )
    share_coordinator_write_timeout_ms = Key(
        "share.coordinator.write.timeout.ms",
        INT,
        5000,
        check=at_least(1),
        doc="Longest time that a write of share state waits for its replicas.",
    )
    share_fetch_max_fetch_records = Key(
        "share.fetch.max.fetch.records", INT, INT_MAX, hidden=True, doc="Most records of one ShareFetch answer."
    )
    share_fetch_purgatory_purge_interval_requests = Key(
        "share.fetch.purgatory.purge.interval.requests",
        INT,
        1000,
        doc="Waiting ShareFetch requests after which finished ones are cleared away.",
    )
