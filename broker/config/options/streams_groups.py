"""Streams groups (KIP-1071)."""

from broker.config.checks import at_least
from broker.config.keys import CLUSTER, NO_EFFECT, Key, Settings
from broker.config.kinds import BOOLEAN, CLASS, INT, LIST, LONG
from broker.config.numbers import INT_MAX


class StreamsGroupSettings(Settings):
    """Streams groups (KIP-1071)."""

    group_streams_acceptable_recovery_lag = Key(
        "group.streams.acceptable.recovery.lag", LONG, 10_000, check=at_least(0), standing=NO_EFFECT, hidden=True
    )
    group_streams_assignment_interval_ms = Key(
        "group.streams.assignment.interval.ms", INT, 1000, check=at_least(0), update=CLUSTER, standing=NO_EFFECT
    )
    group_streams_assignor_offload_enable = Key(
        "group.streams.assignor.offload.enable", BOOLEAN, True, update=CLUSTER, standing=NO_EFFECT, hidden=True
    )
    group_streams_assignors = Key("group.streams.assignors", LIST, ("sticky",), standing=NO_EFFECT)
    group_streams_heartbeat_interval_ms = Key(
        "group.streams.heartbeat.interval.ms", INT, 5000, check=at_least(1), standing=NO_EFFECT
    )
    group_streams_initial_rebalance_delay_ms = Key(
        "group.streams.initial.rebalance.delay.ms", INT, 3000, check=at_least(0), standing=NO_EFFECT
    )
    group_streams_max_assignment_interval_ms = Key(
        "group.streams.max.assignment.interval.ms", INT, 15_000, check=at_least(0), standing=NO_EFFECT
    )
    group_streams_max_heartbeat_interval_ms = Key(
        "group.streams.max.heartbeat.interval.ms", INT, 15_000, check=at_least(1), standing=NO_EFFECT
    )
    group_streams_max_session_timeout_ms = Key(
        "group.streams.max.session.timeout.ms", INT, 60_000, check=at_least(1), standing=NO_EFFECT
    )
    group_streams_max_size = Key("group.streams.max.size", INT, INT_MAX, check=at_least(1), standing=NO_EFFECT)
    group_streams_max_standby_replicas = Key(
        "group.streams.max.standby.replicas", INT, 2, check=at_least(0), standing=NO_EFFECT
    )
    group_streams_max_warmup_replicas = Key(
        "group.streams.max.warmup.replicas", INT, 20, check=at_least(0), standing=NO_EFFECT, hidden=True
    )
    group_streams_min_assignment_interval_ms = Key(
        "group.streams.min.assignment.interval.ms", INT, 0, check=at_least(0), standing=NO_EFFECT
    )
    group_streams_min_heartbeat_interval_ms = Key(
        "group.streams.min.heartbeat.interval.ms", INT, 5000, check=at_least(1), standing=NO_EFFECT
    )
    group_streams_min_session_timeout_ms = Key(
        "group.streams.min.session.timeout.ms", INT, 45_000, check=at_least(1), standing=NO_EFFECT
    )
    group_streams_min_task_offset_interval_ms = Key(
        "group.streams.min.task.offset.interval.ms", INT, 15_000, check=at_least(1), standing=NO_EFFECT, hidden=True
    )
    group_streams_num_standby_replicas = Key(
        "group.streams.num.standby.replicas", INT, 0, check=at_least(0), standing=NO_EFFECT
    )
    group_streams_num_warmup_replicas = Key(
        "group.streams.num.warmup.replicas", INT, 2, check=at_least(0), standing=NO_EFFECT, hidden=True
    )
    group_streams_rack_aware_assignment_tags = Key(
        "group.streams.rack.aware.assignment.tags", LIST, (), standing=NO_EFFECT
    )
    group_streams_session_timeout_ms = Key(
        "group.streams.session.timeout.ms", INT, 45_000, check=at_least(1), standing=NO_EFFECT
    )
    group_streams_task_offset_interval_ms = Key(
        "group.streams.task.offset.interval.ms", INT, 60_000, check=at_least(1), standing=NO_EFFECT, hidden=True
    )
    group_streams_topology_description_plugin_class = Key(
        "group.streams.topology.description.plugin.class", CLASS, None, standing=NO_EFFECT
    )
