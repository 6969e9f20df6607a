"""Streams groups (KIP-1071)."""

from broker.config.checks import at_least
from broker.config.keys import CLUSTER, Key, Settings
from broker.config.kinds import BOOLEAN, CLASS, INT, LIST, LONG
from broker.config.numbers import INT_MAX


class StreamsGroupSettings(Settings):
    """Streams groups (KIP-1071)."""

    NO_EFFECT_BECAUSE = "streams groups are not built yet"
    NOTHING_WORKS = True

    group_streams_acceptable_recovery_lag = Key(
        "group.streams.acceptable.recovery.lag",
        LONG,
        10_000,
        check=at_least(0),
        hidden=True,
        doc="Lag of a task's state below which an instance may take the task over at once.",
    )
    group_streams_assignment_interval_ms = Key(
        "group.streams.assignment.interval.ms",
        INT,
        1000,
        check=at_least(0),
        update=CLUSTER,
        doc="Time between two assignments of one streams group.",
    )
    group_streams_assignor_offload_enable = Key(
        "group.streams.assignor.offload.enable",
        BOOLEAN,
        True,
        update=CLUSTER,
        hidden=True,
        doc="Whether assignments are computed beside the streams group's own thread.",
    )
    group_streams_assignors = Key(
        "group.streams.assignors", LIST, ("sticky",), doc="Ways of assigning tasks to members of streams groups."
    )
    group_streams_heartbeat_interval_ms = Key(
        "group.streams.heartbeat.interval.ms",
        INT,
        5000,
        check=at_least(1),
        doc="How often a member of a streams group is asked to send a heartbeat.",
    )
    group_streams_initial_rebalance_delay_ms = Key(
        "group.streams.initial.rebalance.delay.ms",
        INT,
        3000,
        check=at_least(0),
        doc="Time that a new streams group waits for more members.",
    )
    group_streams_max_assignment_interval_ms = Key(
        "group.streams.max.assignment.interval.ms",
        INT,
        15_000,
        check=at_least(0),
        doc="Largest assignment interval that a streams group may set.",
    )
    group_streams_max_heartbeat_interval_ms = Key(
        "group.streams.max.heartbeat.interval.ms",
        INT,
        15_000,
        check=at_least(1),
        doc="Largest heartbeat interval that a streams group may set.",
    )
    group_streams_max_session_timeout_ms = Key(
        "group.streams.max.session.timeout.ms",
        INT,
        60_000,
        check=at_least(1),
        doc="Largest session timeout that a streams group may set.",
    )
    group_streams_max_size = Key(
        "group.streams.max.size", INT, INT_MAX, check=at_least(1), doc="Most members of a streams group."
    )
    group_streams_max_standby_replicas = Key(
        "group.streams.max.standby.replicas",
        INT,
        2,
        check=at_least(0),
        doc="Most standby copies of a task's state that a streams group may set.",
    )
    group_streams_max_warmup_replicas = Key(
        "group.streams.max.warmup.replicas",
        INT,
        20,
        check=at_least(0),
        hidden=True,
        doc="Most warm-up copies of tasks that a streams group may set.",
    )
    group_streams_min_assignment_interval_ms = Key(
        "group.streams.min.assignment.interval.ms",
        INT,
        0,
        check=at_least(0),
        doc="Smallest assignment interval that a streams group may set.",
    )
    group_streams_min_heartbeat_interval_ms = Key(
        "group.streams.min.heartbeat.interval.ms",
        INT,
        5000,
        check=at_least(1),
        doc="Smallest heartbeat interval that a streams group may set.",
    )
    group_streams_min_session_timeout_ms = Key(
        "group.streams.min.session.timeout.ms",
        INT,
        45_000,
        check=at_least(1),
        doc="Smallest session timeout that a streams group may set.",
    )
    group_streams_min_task_offset_interval_ms = Key(
        "group.streams.min.task.offset.interval.ms",
        INT,
        15_000,
        check=at_least(1),
        hidden=True,
        doc="Smallest interval of task offsets that a streams group may set.",
    )
    group_streams_num_standby_replicas = Key(
        "group.streams.num.standby.replicas", INT, 0, check=at_least(0), doc="Standby copies of each task's state."
    )
    group_streams_num_warmup_replicas = Key(
        "group.streams.num.warmup.replicas",
        INT,
        2,
        check=at_least(0),
        hidden=True,
        doc="Tasks whose state may be warmed up at the same time.",
    )
    group_streams_rack_aware_assignment_tags = Key(
        "group.streams.rack.aware.assignment.tags",
        LIST,
        (),
        doc="Tags of clients over which standby copies are spread.",
    )
    group_streams_session_timeout_ms = Key(
        "group.streams.session.timeout.ms",
        INT,
        45_000,
        check=at_least(1),
        doc="Silence after which a member of a streams group counts as gone.",
    )
    group_streams_task_offset_interval_ms = Key(
        "group.streams.task.offset.interval.ms",
        INT,
        60_000,
        check=at_least(1),
        hidden=True,
        doc="How often members tell the offsets of their tasks.",
    )
    group_streams_topology_description_plugin_class = Key(
        "group.streams.topology.description.plugin.class",
        CLASS,
        None,
        doc="Java class that is given the description of a topology.",
    )
