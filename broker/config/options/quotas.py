"""Quotas."""

from broker.config.checks import at_least
from broker.config.keys import NO_EFFECT, Key, Settings
from broker.config.kinds import CLASS, INT, LONG
from broker.config.numbers import LONG_MAX


class QuotaSettings(Settings):
    """Quotas."""

    alter_log_dirs_replication_quota_window_num = Key(
        "alter.log.dirs.replication.quota.window.num", INT, 11, check=at_least(1), standing=NO_EFFECT
    )
    alter_log_dirs_replication_quota_window_size_seconds = Key(
        "alter.log.dirs.replication.quota.window.size.seconds", INT, 1, check=at_least(1), standing=NO_EFFECT
    )
    client_quota_callback_class = Key("client.quota.callback.class", CLASS, None, standing=NO_EFFECT)
    controller_quota_window_num = Key("controller.quota.window.num", INT, 11, check=at_least(1), standing=NO_EFFECT)
    controller_quota_window_size_seconds = Key(
        "controller.quota.window.size.seconds", INT, 1, check=at_least(1), standing=NO_EFFECT
    )
    quota_consumer_default = Key("quota.consumer.default", LONG, LONG_MAX, standing=NO_EFFECT)
    quota_producer_default = Key("quota.producer.default", LONG, LONG_MAX, standing=NO_EFFECT)
    quota_window_num = Key("quota.window.num", INT, 11, check=at_least(1), standing=NO_EFFECT)
    quota_window_size_seconds = Key("quota.window.size.seconds", INT, 1, check=at_least(1), standing=NO_EFFECT)
    replication_quota_window_num = Key("replication.quota.window.num", INT, 11, check=at_least(1), standing=NO_EFFECT)
    replication_quota_window_size_seconds = Key(
        "replication.quota.window.size.seconds", INT, 1, check=at_least(1), standing=NO_EFFECT
    )
