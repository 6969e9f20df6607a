"""Group coordinator: classic and consumer groups."""

from broker.config.checks import at_least, each_of, one_of_any_case
from broker.config.keys import CLUSTER, NO_EFFECT, ONE_LOOP, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, STRING
from broker.config.numbers import INT_MAX


class GroupSettings(Settings):
    """Group coordinator: classic and consumer groups."""

    NO_EFFECT_BECAUSE = "the protocol of KIP-848 is not built yet"

    group_consumer_assignment_interval_ms = Key(
        "group.consumer.assignment.interval.ms",
        INT,
        1000,
        check=at_least(0),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Time between two assignments of one group.",
    )
    group_consumer_assignor_offload_enable = Key(
        "group.consumer.assignor.offload.enable",
        BOOLEAN,
        True,
        update=CLUSTER,
        standing=NO_EFFECT,
        hidden=True,
        doc="Whether assignments are computed beside the group's own thread.",
    )
    group_consumer_assignors = Key(
        "group.consumer.assignors",
        LIST,
        (
            "org.apache.kafka.coordinator.group.assignor.UniformAssignor",
            "org.apache.kafka.coordinator.group.assignor.RangeAssignor",
        ),
        standing=NO_EFFECT,
        doc="Ways of assigning partitions that members can choose from; the first one is the default.",
    )
    group_consumer_heartbeat_interval_ms = Key(
        "group.consumer.heartbeat.interval.ms",
        INT,
        5000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="How often a member is asked to send a heartbeat.",
    )
    group_consumer_max_assignment_interval_ms = Key(
        "group.consumer.max.assignment.interval.ms",
        INT,
        15_000,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Largest assignment interval that a group may set.",
    )
    group_consumer_max_heartbeat_interval_ms = Key(
        "group.consumer.max.heartbeat.interval.ms",
        INT,
        15_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Largest heartbeat interval that a group may set.",
    )
    group_consumer_max_session_timeout_ms = Key(
        "group.consumer.max.session.timeout.ms",
        INT,
        60_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Largest session timeout that a group may set.",
    )
    group_consumer_max_size = Key(
        "group.consumer.max.size", INT, INT_MAX, check=at_least(1), standing=NO_EFFECT, doc="Most members of a group."
    )
    group_consumer_migration_policy = Key(
        "group.consumer.migration.policy",
        STRING,
        "disabled",
        check=one_of_any_case("DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"),
        standing=NO_EFFECT,
        doc="Whether groups may change between the classic protocol and the newer one.",
    )
    group_consumer_min_assignment_interval_ms = Key(
        "group.consumer.min.assignment.interval.ms",
        INT,
        0,
        check=at_least(0),
        standing=NO_EFFECT,
        doc="Smallest assignment interval that a group may set.",
    )
    group_consumer_min_heartbeat_interval_ms = Key(
        "group.consumer.min.heartbeat.interval.ms",
        INT,
        5000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Smallest heartbeat interval that a group may set.",
    )
    group_consumer_min_session_timeout_ms = Key(
        "group.consumer.min.session.timeout.ms",
        INT,
        45_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Smallest session timeout that a group may set.",
    )
    group_consumer_regex_refresh_interval_ms = Key(
        "group.consumer.regex.refresh.interval.ms",
        INT,
        600_000,
        check=at_least(10_000),
        standing=NO_EFFECT,
        hidden=True,
        doc="How often patterns of subscriptions are matched with topics again.",
    )
    group_consumer_session_timeout_ms = Key(
        "group.consumer.session.timeout.ms",
        INT,
        45_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Silence after which a member counts as gone.",
    )
    group_coordinator_append_linger_ms = Key(
        "group.coordinator.append.linger.ms",
        INT,
        10,
        check=at_least(0),
        because="records of groups are written at once",
        doc="Time that records of groups wait to be written together.",
    )
    group_coordinator_background_threads = Key(
        "group.coordinator.background.threads",
        INT,
        2,
        check=at_least(1),
        because=ONE_LOOP,
        doc="Threads for work beside that of the groups themselves.",
    )
    group_coordinator_cached_buffer_max_bytes = Key(
        "group.coordinator.cached.buffer.max.bytes",
        INT,
        1_048_588,
        check=at_least(524_288),
        update=CLUSTER,
        because="no such buffer is kept",
        doc="Largest buffer that is kept for the next batch of records of groups.",
    )
    group_coordinator_new_enable = Key(
        "group.coordinator.new.enable",
        BOOLEAN,
        False,
        because="there is one coordinator",
        hidden=True,
        doc="Whether Kafka 3.7 to 3.9 use their newer coordinator.",
    )
    group_coordinator_rebalance_protocols = Key(
        "group.coordinator.rebalance.protocols",
        LIST,
        ("classic",),
        check=each_of("consumer", "classic", "share", "streams"),
        because="only classic groups are built yet",
        doc="Protocols that groups may use; classic is always there.",
    )
    group_coordinator_threads = Key(
        "group.coordinator.threads", INT, 1, check=at_least(1), because=ONE_LOOP, doc="Threads that handle groups."
    )
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
