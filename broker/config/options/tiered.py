"""Tiered storage (KIP-405)."""

from broker.config.checks import at_least, between, not_empty
from broker.config.keys import CLUSTER, NO_TIER, Key, Settings
from broker.config.kinds import BOOLEAN, DOUBLE, INT, LONG, STRING
from broker.config.numbers import LONG_MAX


class TieredSettings(Settings):
    """Tiered storage (KIP-405)."""

    NO_EFFECT_BECAUSE = NO_TIER
    NOTHING_WORKS = True

    follower_fetch_last_tiered_offset_enable = Key(
        "follower.fetch.last.tiered.offset.enable",
        BOOLEAN,
        False,
        update=CLUSTER,
        doc="Whether a new follower begins at the end of what lies in remote storage.",
    )
    log_remote_copy_lag_bytes = Key(
        "log.remote.copy.lag.bytes",
        LONG,
        -1,
        check=at_least(-1),
        update=CLUSTER,
        doc="Bytes of closed segments that may wait to be copied to remote storage.",
    )
    log_remote_copy_lag_ms = Key(
        "log.remote.copy.lag.ms",
        LONG,
        0,
        check=at_least(-1),
        update=CLUSTER,
        doc="Time that a closed segment may wait to be copied to remote storage.",
    )
    remote_fetch_max_wait_ms = Key(
        "remote.fetch.max.wait.ms",
        INT,
        500,
        check=at_least(1),
        update=CLUSTER,
        doc="Longest time that a fetch waits for remote storage.",
    )
    remote_list_offsets_request_timeout_ms = Key(
        "remote.list.offsets.request.timeout.ms",
        LONG,
        30_000,
        check=at_least(1),
        update=CLUSTER,
        doc="Longest time that ListOffsets waits for remote storage.",
    )
    remote_log_index_file_cache_total_size_bytes = Key(
        "remote.log.index.file.cache.total.size.bytes",
        LONG,
        1_073_741_824,
        check=at_least(1),
        update=CLUSTER,
        doc="Bytes of remote indexes that are kept on the local disk.",
    )
    remote_log_index_file_cache_ttl_ms = Key(
        "remote.log.index.file.cache.ttl.ms",
        LONG,
        900_000,
        check=at_least(-1),
        hidden=True,
        doc="Time without use after which a remote index is removed from the local disk.",
    )
    remote_log_manager_copier_thread_pool_size = Key(
        "remote.log.manager.copier.thread.pool.size", INT, -1, doc="Threads that copy segments to remote storage."
    )
    remote_log_manager_copy_max_bytes_per_second = Key(
        "remote.log.manager.copy.max.bytes.per.second",
        LONG,
        LONG_MAX,
        check=at_least(1),
        update=CLUSTER,
        doc="Most bytes per second copied to remote storage.",
    )
    remote_log_manager_copy_quota_window_num = Key(
        "remote.log.manager.copy.quota.window.num",
        INT,
        11,
        check=at_least(1),
        doc="Samples kept for the limit of copying to remote storage.",
    )
    remote_log_manager_copy_quota_window_size_seconds = Key(
        "remote.log.manager.copy.quota.window.size.seconds",
        INT,
        1,
        check=at_least(1),
        doc="Length of a sample for the limit of copying to remote storage.",
    )
    remote_log_manager_expiration_thread_pool_size = Key(
        "remote.log.manager.expiration.thread.pool.size",
        INT,
        -1,
        doc="Threads that delete old segments in remote storage.",
    )
    remote_log_manager_fetch_max_bytes_per_second = Key(
        "remote.log.manager.fetch.max.bytes.per.second",
        LONG,
        LONG_MAX,
        check=at_least(1),
        update=CLUSTER,
        doc="Most bytes per second fetched from remote storage.",
    )
    remote_log_manager_fetch_quota_window_num = Key(
        "remote.log.manager.fetch.quota.window.num",
        INT,
        11,
        check=at_least(1),
        doc="Samples kept for the limit of fetching from remote storage.",
    )
    remote_log_manager_fetch_quota_window_size_seconds = Key(
        "remote.log.manager.fetch.quota.window.size.seconds",
        INT,
        1,
        check=at_least(1),
        doc="Length of a sample for the limit of fetching from remote storage.",
    )
    remote_log_manager_follower_thread_pool_size = Key(
        "remote.log.manager.follower.thread.pool.size",
        INT,
        2,
        check=at_least(1),
        update=CLUSTER,
        doc="Threads for what followers do with remote storage.",
    )
    remote_log_manager_task_interval_ms = Key(
        "remote.log.manager.task.interval.ms",
        LONG,
        30_000,
        check=at_least(1),
        doc="How often each partition is looked at for copying and deleting.",
    )
    remote_log_manager_task_retry_backoff_max_ms = Key(
        "remote.log.manager.task.retry.backoff.max.ms",
        LONG,
        30_000,
        check=at_least(1),
        hidden=True,
        doc="Longest pause before a failed task of remote storage is tried again.",
    )
    remote_log_manager_task_retry_backoff_ms = Key(
        "remote.log.manager.task.retry.backoff.ms",
        LONG,
        500,
        check=at_least(1),
        hidden=True,
        doc="First pause before a failed task of remote storage is tried again.",
    )
    remote_log_manager_task_retry_jitter = Key(
        "remote.log.manager.task.retry.jitter",
        DOUBLE,
        0.2,
        check=between(0, 0.5),
        hidden=True,
        doc="Random share added to the pauses between tries of a task of remote storage.",
    )
    remote_log_manager_thread_pool_size = Key(
        "remote.log.manager.thread.pool.size",
        INT,
        10,
        check=at_least(1),
        doc="Threads for remote storage where no other number is set.",
    )
    remote_log_metadata_custom_metadata_max_bytes = Key(
        "remote.log.metadata.custom.metadata.max.bytes",
        INT,
        128,
        check=at_least(0),
        doc="Largest note that the storage plug-in may keep for a segment.",
    )
    remote_log_metadata_manager_class_name = Key(
        "remote.log.metadata.manager.class.name",
        STRING,
        "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
        check=not_empty(),
        doc="Java class that keeps what lies in remote storage.",
    )
    remote_log_metadata_manager_class_path = Key(
        "remote.log.metadata.manager.class.path",
        STRING,
        None,
        doc="Where the class that keeps what lies in remote storage is found.",
    )
    remote_log_metadata_manager_impl_prefix = Key(
        "remote.log.metadata.manager.impl.prefix",
        STRING,
        "rlmm.config.",
        check=not_empty(),
        doc="How the names of that metadata class's own options begin.",
    )
    remote_log_metadata_manager_listener_name = Key(
        "remote.log.metadata.manager.listener.name",
        STRING,
        None,
        check=not_empty(),
        doc="Listener by which the class that keeps what lies in remote storage reaches brokers.",
    )
    remote_log_reader_max_pending_tasks = Key(
        "remote.log.reader.max.pending.tasks", INT, 100, check=at_least(1), doc="Reads of remote storage that may wait."
    )
    remote_log_reader_threads = Key(
        "remote.log.reader.threads", INT, 10, check=at_least(1), doc="Threads that read from remote storage."
    )
    remote_log_storage_manager_class_name = Key(
        "remote.log.storage.manager.class.name",
        STRING,
        None,
        check=not_empty(),
        doc="Java class that keeps segments in remote storage.",
    )
    remote_log_storage_manager_class_path = Key(
        "remote.log.storage.manager.class.path", STRING, None, doc="Where the class of remote storage is found."
    )
    remote_log_storage_manager_impl_prefix = Key(
        "remote.log.storage.manager.impl.prefix",
        STRING,
        "rsm.config.",
        check=not_empty(),
        doc="How the names of that storage class's own options begin.",
    )
    remote_log_storage_system_enable = Key(
        "remote.log.storage.system.enable", BOOLEAN, False, doc="Whether topics may use remote storage."
    )
