"""`TopicSettings`: the options of one topic, each falling back to the broker's value."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from broker.config.checks import at_least, between, throttled_replicas
from broker.config.keys import CLUSTER, NO_EFFECT, NO_REPLICATION, NO_TIER, BadValue, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, LONG
from broker.config.numbers import LONG_MAX
from broker.config.options.cleaner import CleanerSettings
from broker.config.options.log import LogSettings
from broker.config.options.records import RecordSettings
from broker.config.options.topics import TopicLifeSettings

log = logging.getLogger("barnabas.config")


class UnknownTopicOption(BadValue):
    """No topic option has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "", "the name of a topic option")
        self.args = (f"Unknown topic config name: {name}",)


class TopicSettings(Settings):
    """The options of one topic. An attribute is the option's name with dots as underscores.

    Args:
        broker: the settings that hold where the topic says nothing.
        overrides: option name to text. A bad value (a foreign tool may have written it) is logged and passed over.
    """

    cleanup_policy = LogSettings.log_cleanup_policy.for_topics("cleanup.policy")
    compression_gzip_level = RecordSettings.compression_gzip_level.for_topics("compression.gzip.level")
    compression_lz4_level = RecordSettings.compression_lz4_level.for_topics("compression.lz4.level")
    compression_type = RecordSettings.compression_type.for_topics("compression.type")
    compression_zstd_level = RecordSettings.compression_zstd_level.for_topics("compression.zstd.level")
    delete_retention_ms = CleanerSettings.log_cleaner_delete_retention_ms.for_topics("delete.retention.ms")
    errors_deadletterqueue_group_enable = Key(
        "errors.deadletterqueue.group.enable",
        BOOLEAN,
        False,
        update=CLUSTER,
        standing=NO_EFFECT,
        because="share groups are not built yet",
        doc="Whether share groups may write the records that they reject to this topic.",
    )
    file_delete_delay_ms = LogSettings.log_segment_delete_delay_ms.for_topics("file.delete.delay.ms")
    flush_messages = LogSettings.log_flush_interval_messages.for_topics("flush.messages")
    flush_ms = LogSettings.log_flush_interval_ms.for_topics("flush.ms", check=at_least(0))
    follower_replication_throttled_replicas = Key(
        "follower.replication.throttled.replicas",
        LIST,
        (),
        check=throttled_replicas(),
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_REPLICATION,
        doc="Replicas whose traffic counts against the follower's replication quota.",
    )
    index_interval_bytes = LogSettings.log_index_interval_bytes.for_topics("index.interval.bytes")
    internal_segment_bytes = Key(
        "internal.segment.bytes",
        INT,
        None,
        update=CLUSTER,
        standing=NO_EFFECT,
        because="segment.bytes has no lower bound to pass here",
        hidden=True,
        doc="Segment size without its lower bound, for Kafka's own tests.",
    )
    leader_replication_throttled_replicas = Key(
        "leader.replication.throttled.replicas",
        LIST,
        (),
        check=throttled_replicas(),
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_REPLICATION,
        doc="Replicas whose traffic counts against the leader's replication quota.",
    )
    local_retention_bytes = LogSettings.log_local_retention_bytes.for_topics("local.retention.bytes")
    local_retention_ms = LogSettings.log_local_retention_ms.for_topics("local.retention.ms")
    max_compaction_lag_ms = CleanerSettings.log_cleaner_max_compaction_lag_ms.for_topics(
        "max.compaction.lag.ms", check=at_least(1)
    )
    max_decompressed_message_bytes = RecordSettings.max_decompressed_message_bytes.for_topics(
        "max.decompressed.message.bytes"
    )
    max_message_bytes = RecordSettings.message_max_bytes.for_topics("max.message.bytes")
    message_downconversion_enable = RecordSettings.log_message_downconversion_enable.for_topics(
        "message.downconversion.enable"
    )
    message_format_version = RecordSettings.log_message_format_version.for_topics("message.format.version")
    message_timestamp_after_max_ms = RecordSettings.log_message_timestamp_after_max_ms.for_topics(
        "message.timestamp.after.max.ms"
    )
    message_timestamp_before_max_ms = RecordSettings.log_message_timestamp_before_max_ms.for_topics(
        "message.timestamp.before.max.ms"
    )
    message_timestamp_difference_max_ms = RecordSettings.log_message_timestamp_difference_max_ms.for_topics(
        "message.timestamp.difference.max.ms"
    )
    message_timestamp_type = RecordSettings.log_message_timestamp_type.for_topics("message.timestamp.type")
    min_cleanable_dirty_ratio = CleanerSettings.log_cleaner_min_cleanable_ratio.for_topics(
        "min.cleanable.dirty.ratio", check=between(0, 1)
    )
    min_compaction_lag_ms = CleanerSettings.log_cleaner_min_compaction_lag_ms.for_topics("min.compaction.lag.ms")
    min_insync_replicas = TopicLifeSettings.min_insync_replicas.for_topics("min.insync.replicas")
    preallocate = LogSettings.log_preallocate.for_topics("preallocate")
    remote_copy_lag_bytes = Key(
        "remote.copy.lag.bytes",
        LONG,
        -1,
        check=at_least(-1),
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_TIER,
        doc="Bytes of closed segments that may wait to be copied to remote storage.",
    )
    remote_copy_lag_ms = Key(
        "remote.copy.lag.ms",
        LONG,
        0,
        check=at_least(-1),
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_TIER,
        doc="Time that a closed segment may wait to be copied to remote storage.",
    )
    remote_log_copy_disable = Key(
        "remote.log.copy.disable",
        BOOLEAN,
        False,
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_TIER,
        doc="Whether nothing more is copied to remote storage.",
    )
    remote_log_delete_on_disable = Key(
        "remote.log.delete.on.disable",
        BOOLEAN,
        False,
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_TIER,
        doc="Whether remote segments are deleted when remote storage is switched off.",
    )
    remote_storage_enable = Key(
        "remote.storage.enable",
        BOOLEAN,
        False,
        update=CLUSTER,
        standing=NO_EFFECT,
        because=NO_TIER,
        doc="Whether older segments of the topic lie in remote storage.",
    )
    retention_bytes = LogSettings.log_retention_bytes.for_topics("retention.bytes")
    retention_ms = LogSettings.log_retention_ms.for_topics("retention.ms", check=at_least(-1))
    segment_bytes = LogSettings.log_segment_bytes.for_topics("segment.bytes")
    segment_index_bytes = LogSettings.log_index_size_max_bytes.for_topics("segment.index.bytes")
    segment_jitter_ms = LogSettings.log_roll_jitter_ms.for_topics("segment.jitter.ms", check=at_least(0))
    segment_ms = LogSettings.log_roll_ms.for_topics("segment.ms", check=at_least(1))
    unclean_leader_election_enable = TopicLifeSettings.unclean_leader_election_enable.for_topics(
        "unclean.leader.election.enable"
    )

    overrides: Mapping[str, str]
    """What the topic itself says, by name."""

    def __init__(self, broker: Settings, overrides: Mapping[str, str]) -> None:
        state = self.__dict__
        state["overrides"] = MappingProxyType(dict(overrides))
        for key in self.KEYS.values():
            state[key.attribute] = getattr(broker, key.broker_key.attribute) if key.broker_key else key.default
        for name, text in overrides.items():
            self._override(name, text)
        # The two newer limits count before the one they replaced (KIP-937).
        for limit in ("message_timestamp_before_max_ms", "message_timestamp_after_max_ms"):
            if state[limit] == LONG_MAX:
                state[limit] = state["message_timestamp_difference_max_ms"]

    def _override(self, name: str, text: str) -> None:
        try:
            key = self.KEYS[name]
            self.__dict__[key.attribute] = key.parse(text)
        except KeyError:
            log.debug("topic option %s is not known and has no effect", name)
        except BadValue as bad:
            log.warning("%s; the broker's value holds", bad)

    @classmethod
    def check(cls, overrides: Mapping[str, str | None]) -> None:
        """Refuse what a client may not set.

        Raises: BadValue, or its child UnknownTopicOption; the text is for the client.
        """
        for name, text in overrides.items():
            if name not in cls.KEYS:
                raise UnknownTopicOption(name)
            if text is None:
                raise BadValue(name, "null", cls.KEYS[name].allowed)
            cls.KEYS[name].parse(text)
