"""Group coordinator: classic and consumer groups."""

from broker.config.checks import at_least, each_of, one_of_any_case
from broker.config.keys import CLUSTER, NO_EFFECT, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, STRING
from broker.config.numbers import INT_MAX


class GroupSettings(Settings):
    """Group coordinator: classic and consumer groups."""

    group_consumer_assignment_interval_ms = Key(
        "group.consumer.assignment.interval.ms", INT, 1000, check=at_least(0), update=CLUSTER, standing=NO_EFFECT
    )
    group_consumer_assignor_offload_enable = Key(
        "group.consumer.assignor.offload.enable", BOOLEAN, True, update=CLUSTER, standing=NO_EFFECT, hidden=True
    )
    group_consumer_assignors = Key(
        "group.consumer.assignors",
        LIST,
        (
            "org.apache.kafka.coordinator.group.assignor.UniformAssignor",
            "org.apache.kafka.coordinator.group.assignor.RangeAssignor",
        ),
        standing=NO_EFFECT,
    )
    group_consumer_heartbeat_interval_ms = Key(
        "group.consumer.heartbeat.interval.ms", INT, 5000, check=at_least(1), standing=NO_EFFECT
    )
    group_consumer_max_assignment_interval_ms = Key(
        "group.consumer.max.assignment.interval.ms", INT, 15_000, check=at_least(0), standing=NO_EFFECT
    )
    group_consumer_max_heartbeat_interval_ms = Key(
        "group.consumer.max.heartbeat.interval.ms", INT, 15_000, check=at_least(1), standing=NO_EFFECT
    )
    group_consumer_max_session_timeout_ms = Key(
        "group.consumer.max.session.timeout.ms", INT, 60_000, check=at_least(1), standing=NO_EFFECT
    )
    group_consumer_max_size = Key("group.consumer.max.size", INT, INT_MAX, check=at_least(1), standing=NO_EFFECT)
    group_consumer_migration_policy = Key(
        "group.consumer.migration.policy",
        STRING,
        "disabled",
        check=one_of_any_case("DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"),
        standing=NO_EFFECT,
    )
    group_consumer_min_assignment_interval_ms = Key(
        "group.consumer.min.assignment.interval.ms", INT, 0, check=at_least(0), standing=NO_EFFECT
    )
    group_consumer_min_heartbeat_interval_ms = Key(
        "group.consumer.min.heartbeat.interval.ms", INT, 5000, check=at_least(1), standing=NO_EFFECT
    )
    group_consumer_min_session_timeout_ms = Key(
        "group.consumer.min.session.timeout.ms", INT, 45_000, check=at_least(1), standing=NO_EFFECT
    )
    group_consumer_regex_refresh_interval_ms = Key(
        "group.consumer.regex.refresh.interval.ms",
        INT,
        600_000,
        check=at_least(10_000),
        standing=NO_EFFECT,
        hidden=True,
    )
    group_consumer_session_timeout_ms = Key(
        "group.consumer.session.timeout.ms", INT, 45_000, check=at_least(1), standing=NO_EFFECT
    )
    group_coordinator_append_linger_ms = Key(
        "group.coordinator.append.linger.ms", INT, 10, check=at_least(0), standing=NO_EFFECT
    )
    group_coordinator_background_threads = Key(
        "group.coordinator.background.threads", INT, 2, check=at_least(1), standing=NO_EFFECT
    )
    group_coordinator_cached_buffer_max_bytes = Key(
        "group.coordinator.cached.buffer.max.bytes",
        INT,
        1_048_588,
        check=at_least(524_288),
        update=CLUSTER,
        standing=NO_EFFECT,
    )
    group_coordinator_new_enable = Key("group.coordinator.new.enable", BOOLEAN, False, standing=NO_EFFECT, hidden=True)
    group_coordinator_rebalance_protocols = Key(
        "group.coordinator.rebalance.protocols",
        LIST,
        ("classic",),
        check=each_of("consumer", "classic", "share", "streams"),
        standing=NO_EFFECT,
    )
    group_coordinator_threads = Key("group.coordinator.threads", INT, 1, check=at_least(1), standing=NO_EFFECT)
    group_initial_rebalance_delay_ms = Key(
        "group.initial.rebalance.delay.ms",
        INT,
        3000,
        doc="How long an empty group waits for more members before its first rebalance.",
    )
    group_max_session_timeout_ms = Key(
        "group.max.session.timeout.ms", INT, 1_800_000, doc="Longest session timeout that a member may ask for."
    )
    group_max_size = Key("group.max.size", INT, INT_MAX, check=at_least(1), doc="Most members of one group.")
    group_min_session_timeout_ms = Key(
        "group.min.session.timeout.ms", INT, 6000, doc="Shortest session timeout that a member may ask for."
    )
    barnabas_group_metadata_max_bytes = Key(
        "barnabas.group.metadata.max.bytes",
        INT,
        1_048_576,
        check=at_least(0),
        doc="Largest metadata or assignment of one group member; past it the request is refused.",
    )
