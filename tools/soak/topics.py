"""The topics of a soak: segments are small, so that an hour sees what is otherwise a month of rolling and deleting."""

KEPT = "soak-kept"
"""Nothing goes from here: what was acknowledged must be there at the end. Few segments, as each costs a descriptor."""
BY_SIZE = "soak-by-size"
BY_TIME = "soak-by-time"
COMPACTED = "soak-compacted"
"""Here the newest value of every key must be there at the end."""
BOTH = "soak-both"
"""Compacted, and old segments go too."""
PROBED = "soak-probed"
BRIEF = "soak-brief"
"""Prefix of topics and groups that come and go."""

_SMALL = {"segment.bytes": "262144", "segment.ms": "60000", "file.delete.delay.ms": "5000"}
_COMPACT = {
    "min.cleanable.dirty.ratio": "0.3",
    "delete.retention.ms": "30000",
    "max.compaction.lag.ms": "120000",
}

PARTITIONS = {KEPT: 4, BY_SIZE: 3, BY_TIME: 2, COMPACTED: 2, BOTH: 2, PROBED: 1}
CONFIGS: dict[str, dict[str, str]] = {
    KEPT: {"segment.bytes": "8388608", "retention.ms": "-1", "retention.bytes": "-1"},
    BY_SIZE: {**_SMALL, "retention.bytes": "2097152", "retention.ms": "-1"},
    BY_TIME: {**_SMALL, "retention.ms": "120000", "segment.ms": "20000"},
    COMPACTED: {**_SMALL, **_COMPACT, "cleanup.policy": "compact"},
    BOTH: {**_SMALL, **_COMPACT, "cleanup.policy": "compact,delete", "retention.ms": "180000"},
    PROBED: {**_SMALL, "retention.bytes": "524288"},
}
BROKER = {
    "auto.create.topics.enable": "false",
    "log.retention.check.interval.ms": "5000",
    "log.cleaner.backoff.ms": "2000",
    "log.segment.delete.delay.ms": "5000",
    "offsets.topic.segment.bytes": "131072",
    "offsets.topic.num.partitions": "4",
    "producer.id.expiration.ms": "120000",
    "producer.id.expiration.check.interval.ms": "10000",
    "connections.max.idle.ms": "60000",
}
"""Idempotent producers that are gone are forgotten after two minutes, idle connections closed after one."""
