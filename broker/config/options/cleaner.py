"""Compaction."""

from broker.config.checks import at_least, between
from broker.config.keys import CLUSTER, NO_EFFECT, Key, Settings
from broker.config.kinds import BOOLEAN, DOUBLE, INT, LONG
from broker.config.numbers import DOUBLE_MAX, LONG_MAX


class CleanerSettings(Settings):
    """Compaction."""

    NO_EFFECT_BECAUSE = "compaction is not built yet"

    log_cleaner_backoff_ms = Key(
        "log.cleaner.backoff.ms",
        LONG,
        15_000,
        check=at_least(0),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Pause of compaction when nothing is left to do.",
    )
    log_cleaner_dedupe_buffer_size = Key(
        "log.cleaner.dedupe.buffer.size",
        LONG,
        134_217_728,
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Most memory for the keys of one compaction pass.",
    )
    log_cleaner_delete_retention_ms = Key(
        "log.cleaner.delete.retention.ms",
        LONG,
        86_400_000,
        check=at_least(0),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="How long compaction keeps the mark of a deleted key.",
    )
    log_cleaner_enable = Key(
        "log.cleaner.enable", BOOLEAN, True, standing=NO_EFFECT, doc="Whether topics are compacted at all."
    )
    log_cleaner_io_buffer_load_factor = Key(
        "log.cleaner.io.buffer.load.factor",
        DOUBLE,
        0.9,
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="How full the table of keys may get before a pass of compaction ends.",
    )
    log_cleaner_io_buffer_size = Key(
        "log.cleaner.io.buffer.size",
        INT,
        524_288,
        check=at_least(0),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Bytes of the buffers that compaction reads into and writes from.",
    )
    log_cleaner_io_max_bytes_per_second = Key(
        "log.cleaner.io.max.bytes.per.second",
        DOUBLE,
        DOUBLE_MAX,
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Most bytes per second that compaction reads and writes.",
    )
    log_cleaner_max_compaction_lag_ms = Key(
        "log.cleaner.max.compaction.lag.ms",
        LONG,
        LONG_MAX,
        check=at_least(1),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Longest time that a record stays out of reach of compaction.",
    )
    log_cleaner_min_cleanable_ratio = Key(
        "log.cleaner.min.cleanable.ratio",
        DOUBLE,
        0.5,
        check=between(0, 1),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Share of not yet compacted bytes at which a pass begins.",
    )
    log_cleaner_min_compaction_lag_ms = Key(
        "log.cleaner.min.compaction.lag.ms",
        LONG,
        0,
        check=at_least(0),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Shortest time that a record stays out of reach of compaction.",
    )
    log_cleaner_threads = Key(
        "log.cleaner.threads",
        INT,
        1,
        check=at_least(0),
        update=CLUSTER,
        standing=NO_EFFECT,
        doc="Threads that compact.",
    )
