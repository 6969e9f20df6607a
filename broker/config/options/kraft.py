"""Options of Kafka's own quorum, which files of newer releases carry."""

from broker.config.checks import at_least, each_of
from broker.config.keys import NO_EFFECT, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, LONG, STRING
from broker.config.numbers import LONG_MAX


class KraftSettings(Settings):
    """Options of Kafka's own quorum, which files of newer releases carry."""

    NO_EFFECT_BECAUSE = "there is no quorum of Kafka's kind here"

    broker_heartbeat_interval_ms = Key(
        "broker.heartbeat.interval.ms",
        INT,
        2000,
        standing=NO_EFFECT,
        doc="How often a broker tells the quorum that it lives.",
    )
    broker_session_timeout_ms = Key(
        "broker.session.timeout.ms",
        INT,
        9000,
        standing=NO_EFFECT,
        doc="Silence after which the quorum takes a broker for gone.",
    )
    controller_listener_names = Key(
        "controller.listener.names", STRING, None, doc="Listeners of Kafka's own quorum; they are not opened here."
    )
    controller_performance_always_log_threshold_ms = Key(
        "controller.performance.always.log.threshold.ms",
        LONG,
        2000,
        check=at_least(0),
        standing=NO_EFFECT,
        hidden=True,
        doc="Time from which each slow event of the controller is logged.",
    )
    controller_performance_sample_period_ms = Key(
        "controller.performance.sample.period.ms",
        LONG,
        60_000,
        check=at_least(100),
        standing=NO_EFFECT,
        hidden=True,
        doc="How often the slowest event of the controller is logged.",
    )
    controller_quorum_append_linger_ms = Key(
        "controller.quorum.append.linger.ms",
        INT,
        25,
        standing=NO_EFFECT,
        doc="Time that records of the quorum wait to be written together.",
    )
    controller_quorum_auto_join_enable = Key(
        "controller.quorum.auto.join.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        doc="Whether a controller joins the quorum's voters by itself.",
    )
    controller_quorum_bootstrap_servers = Key(
        "controller.quorum.bootstrap.servers",
        LIST,
        (),
        standing=NO_EFFECT,
        doc="Addresses by which the quorum is found.",
    )
    controller_quorum_election_backoff_max_ms = Key(
        "controller.quorum.election.backoff.max.ms",
        INT,
        1000,
        standing=NO_EFFECT,
        doc="Longest pause before a candidate of the quorum tries again.",
    )
    controller_quorum_election_timeout_ms = Key(
        "controller.quorum.election.timeout.ms",
        INT,
        1000,
        standing=NO_EFFECT,
        doc="Time in which a candidate of the quorum must get its votes.",
    )
    controller_quorum_fetch_max_bytes = Key(
        "controller.quorum.fetch.max.bytes",
        INT,
        1_048_576,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Bytes of one fetch of the quorum's log.",
    )
    controller_quorum_fetch_snapshot_max_bytes = Key(
        "controller.quorum.fetch.snapshot.max.bytes",
        INT,
        1_048_576,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Bytes of one fetch of the quorum's snapshot.",
    )
    controller_quorum_fetch_timeout_ms = Key(
        "controller.quorum.fetch.timeout.ms",
        INT,
        2000,
        standing=NO_EFFECT,
        doc="Time without a fetch after which a member of the quorum becomes a candidate.",
    )
    controller_quorum_request_timeout_ms = Key(
        "controller.quorum.request.timeout.ms",
        INT,
        2000,
        standing=NO_EFFECT,
        doc="Longest time that a request within the quorum waits for its answer.",
    )
    controller_quorum_retry_backoff_ms = Key(
        "controller.quorum.retry.backoff.ms",
        INT,
        20,
        standing=NO_EFFECT,
        doc="Pause before a request within the quorum is sent again.",
    )
    controller_quorum_voters = Key(
        "controller.quorum.voters", LIST, (), standing=NO_EFFECT, doc="The voters of the quorum, id@host:port."
    )
    initial_broker_registration_timeout_ms = Key(
        "initial.broker.registration.timeout.ms",
        INT,
        60_000,
        standing=NO_EFFECT,
        doc="Time in which a starting broker must be registered with the quorum.",
    )
    internal_metadata_delete_delay_millis = Key(
        "internal.metadata.delete.delay.millis",
        LONG,
        60_000,
        standing=NO_EFFECT,
        hidden=True,
        doc="Time before deleted segments of the quorum's log leave the disk.",
    )
    internal_metadata_log_segment_bytes = Key(
        "internal.metadata.log.segment.bytes",
        INT,
        None,
        standing=NO_EFFECT,
        hidden=True,
        doc="Segment size of the quorum's log in Kafka's own tests.",
    )
    internal_metadata_max_batch_size_in_bytes = Key(
        "internal.metadata.max.batch.size.in.bytes",
        INT,
        8_388_608,
        standing=NO_EFFECT,
        hidden=True,
        doc="Largest batch of the quorum's log in Kafka's own tests.",
    )
    internal_metadata_max_fetch_size_in_bytes = Key(
        "internal.metadata.max.fetch.size.in.bytes",
        INT,
        8_388_608,
        standing=NO_EFFECT,
        hidden=True,
        doc="Largest fetch of the quorum's log in Kafka's own tests.",
    )
    metadata_log_dir = Key("metadata.log.dir", STRING, None, standing=NO_EFFECT, doc="Directory of the quorum's log.")
    metadata_log_max_record_bytes_between_snapshots = Key(
        "metadata.log.max.record.bytes.between.snapshots",
        LONG,
        20_971_520,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Bytes of the quorum's log after which a snapshot is written.",
    )
    metadata_log_max_snapshot_interval_ms = Key(
        "metadata.log.max.snapshot.interval.ms",
        LONG,
        3_600_000,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Time after which a snapshot of the quorum's log is written.",
    )
    metadata_log_segment_bytes = Key(
        "metadata.log.segment.bytes",
        INT,
        1_073_741_824,
        check=at_least(12),
        standing=NO_EFFECT,
        doc="Segment size of the quorum's log.",
    )
    metadata_log_segment_min_bytes = Key(
        "metadata.log.segment.min.bytes",
        INT,
        8_388_608,
        check=at_least(12),
        standing=NO_EFFECT,
        hidden=True,
        doc="Smallest segment of the quorum's log, for Kafka's own tests.",
    )
    metadata_log_segment_ms = Key(
        "metadata.log.segment.ms",
        LONG,
        604_800_000,
        standing=NO_EFFECT,
        doc="Age at which a segment of the quorum's log is closed.",
    )
    metadata_max_idle_interval_ms = Key(
        "metadata.max.idle.interval.ms",
        INT,
        500,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="How often the quorum writes an empty record while nothing happens.",
    )
    metadata_max_retention_bytes = Key(
        "metadata.max.retention.bytes",
        LONG,
        104_857_600,
        standing=NO_EFFECT,
        doc="Size of the quorum's log and snapshots from which old ones are deleted.",
    )
    metadata_max_retention_ms = Key(
        "metadata.max.retention.ms",
        LONG,
        604_800_000,
        standing=NO_EFFECT,
        doc="Age from which parts of the quorum's log and snapshots are deleted.",
    )
    process_roles = Key(
        "process.roles",
        LIST,
        (),
        check=each_of("broker", "controller"),
        doc="Roles in Kafka's own quorum; this broker starts as a single process without that quorum.",
    )
    server_max_startup_time_ms = Key(
        "server.max.startup.time.ms",
        LONG,
        LONG_MAX,
        check=at_least(0),
        standing=NO_EFFECT,
        hidden=True,
        doc="Time in which a broker must have started.",
    )
    unstable_api_versions_enable = Key(
        "unstable.api.versions.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        hidden=True,
        doc="Whether versions of APIs that may still change are served.",
    )
    unstable_feature_versions_enable = Key(
        "unstable.feature.versions.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        hidden=True,
        doc="Whether features that may still change can be switched on.",
    )
