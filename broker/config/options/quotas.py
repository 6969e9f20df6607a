"""Quotas."""

from broker.config.checks import at_least
from broker.config.keys import JAVA, Key, Settings
from broker.config.kinds import CLASS, INT, LONG
from broker.config.numbers import LONG_MAX


class QuotaSettings(Settings):
    """Quotas."""

    NO_EFFECT_BECAUSE = "quotas are not built yet"
    NOTHING_WORKS = True

    alter_log_dirs_replication_quota_window_num = Key(
        "alter.log.dirs.replication.quota.window.num",
        INT,
        11,
        check=at_least(1),
        doc="Samples kept for the quota of moves between data directories.",
    )
    alter_log_dirs_replication_quota_window_size_seconds = Key(
        "alter.log.dirs.replication.quota.window.size.seconds",
        INT,
        1,
        check=at_least(1),
        doc="Length of a sample for the quota of moves between data directories.",
    )
    client_quota_callback_class = Key(
        "client.quota.callback.class",
        CLASS,
        None,
        because=JAVA,
        doc="Java class that decides about the quotas of clients.",
    )
    controller_quota_window_num = Key(
        "controller.quota.window.num",
        INT,
        11,
        check=at_least(1),
        doc="Samples kept for the quota of changes of topics.",
    )
    controller_quota_window_size_seconds = Key(
        "controller.quota.window.size.seconds",
        INT,
        1,
        check=at_least(1),
        doc="Length of a sample for the quota of changes of topics.",
    )
    quota_consumer_default = Key(
        "quota.consumer.default",
        LONG,
        LONG_MAX,
        doc="Bytes per second that a consumer might fetch, in releases before 3.0.",
    )
    quota_producer_default = Key(
        "quota.producer.default",
        LONG,
        LONG_MAX,
        doc="Bytes per second that a producer might send, in releases before 3.0.",
    )
    quota_window_num = Key(
        "quota.window.num", INT, 11, check=at_least(1), doc="Samples kept for the quotas of clients."
    )
    quota_window_size_seconds = Key(
        "quota.window.size.seconds", INT, 1, check=at_least(1), doc="Length of a sample for the quotas of clients."
    )
    replication_quota_window_num = Key(
        "replication.quota.window.num", INT, 11, check=at_least(1), doc="Samples kept for the quota of replication."
    )
    replication_quota_window_size_seconds = Key(
        "replication.quota.window.size.seconds",
        INT,
        1,
        check=at_least(1),
        doc="Length of a sample for the quota of replication.",
    )
