"""Compaction."""

from broker.config.checks import at_least, between
from broker.config.keys import CLUSTER, Key, Settings
from broker.config.kinds import BOOLEAN, DOUBLE, INT, LONG
from broker.config.numbers import DOUBLE_MAX, LONG_MAX


class CleanerSettings(Settings):
    """Compaction."""

    log_cleaner_backoff_ms = Key(
        "log.cleaner.backoff.ms",
        LONG,
        15_000,
        check=at_least(0),
        update=CLUSTER,
        doc="Pause of compaction when nothing is left to do.",
    )
    log_cleaner_dedupe_buffer_size = Key(
        "log.cleaner.dedupe.buffer.size",
        LONG,
        134_217_728,
        update=CLUSTER,
        doc="Most memory for the keys of one compaction pass, 24 bytes for each; with more keys it takes more passes.",
    )
    log_cleaner_delete_retention_ms = Key(
        "log.cleaner.delete.retention.ms",
        LONG,
        86_400_000,
        check=at_least(0),
        update=CLUSTER,
        doc="How long compaction keeps the mark of a deleted key.",
    )
    log_cleaner_enable = Key("log.cleaner.enable", BOOLEAN, True, doc="Whether topics are compacted at all.")
    log_cleaner_io_buffer_load_factor = Key(
        "log.cleaner.io.buffer.load.factor",
        DOUBLE,
        0.9,
        update=CLUSTER,
        doc="How full the table of keys of one compaction pass may become, 24 bytes for each key.",
    )
    log_cleaner_io_buffer_size = Key(
        "log.cleaner.io.buffer.size",
        INT,
        524_288,
        check=at_least(0),
        update=CLUSTER,
        doc="Memory for reading and writing in compaction, half for each.",
    )
    log_cleaner_io_max_bytes_per_second = Key(
        "log.cleaner.io.max.bytes.per.second",
        DOUBLE,
        DOUBLE_MAX,
        update=CLUSTER,
        doc="Bytes a second that compaction reads and writes at most.",
    )
    log_cleaner_max_compaction_lag_ms = Key(
        "log.cleaner.max.compaction.lag.ms",
        LONG,
        LONG_MAX,
        check=at_least(1),
        update=CLUSTER,
        doc="Longest time that a record stays out of reach of compaction.",
    )
    log_cleaner_min_cleanable_ratio = Key(
        "log.cleaner.min.cleanable.ratio",
        DOUBLE,
        0.5,
        check=between(0, 1),
        update=CLUSTER,
        doc="Share of not yet compacted bytes at which a pass begins.",
    )
    log_cleaner_min_compaction_lag_ms = Key(
        "log.cleaner.min.compaction.lag.ms",
        LONG,
        0,
        check=at_least(0),
        update=CLUSTER,
        doc="Shortest time that a record stays out of reach of compaction.",
    )
    log_cleaner_threads = Key(
        "log.cleaner.threads",
        INT,
        1,
        check=at_least(0),
        update=CLUSTER,
        doc="Divides the buffers of compaction; the work itself is one task in the broker's loop, whatever it says.",
    )
