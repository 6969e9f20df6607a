"""`BrokerSettings`: every option of a broker with its value, as typed attributes."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from broker.config.keys import TimeKey
from broker.config.listener_limits import ListenerLimits, limits_of_listeners
from broker.config.listeners import Listening
from broker.config.options.cleaner import CleanerSettings
from broker.config.options.groups import GroupSettings
from broker.config.options.kraft import KraftSettings
from broker.config.options.listeners import ListenerSettings
from broker.config.options.log import LogSettings
from broker.config.options.metrics import MetricsSettings
from broker.config.options.network import NetworkSettings
from broker.config.options.offsets import OffsetSettings
from broker.config.options.quotas import QuotaSettings
from broker.config.options.records import RecordSettings
from broker.config.options.registry import RegistrySettings
from broker.config.options.replication import ReplicationSettings
from broker.config.options.sasl import SaslSettings
from broker.config.options.security import SecuritySettings
from broker.config.options.share_groups import ShareGroupSettings
from broker.config.options.streams_groups import StreamsGroupSettings
from broker.config.options.tiered import TieredSettings
from broker.config.options.topics import TopicLifeSettings
from broker.config.options.transactions import TransactionSettings
from broker.config.topic_settings import TopicSettings


class BrokerSettings(
    ListenerSettings,
    NetworkSettings,
    TopicLifeSettings,
    LogSettings,
    RecordSettings,
    CleanerSettings,
    ReplicationSettings,
    GroupSettings,
    OffsetSettings,
    ShareGroupSettings,
    StreamsGroupSettings,
    TransactionSettings,
    RegistrySettings,
    SecuritySettings,
    SaslSettings,
    QuotaSettings,
    MetricsSettings,
    TieredSettings,
    KraftSettings,
):
    """The options of one broker. An attribute is the option's name with dots as underscores.

    Args:
        texts: option name to text, as a file or the environment gives them. Names that we do not know are
            kept for DescribeConfigs and mean nothing.
        defaults: values of a profile (a bare `barnabas`), as texts; they count as defaults, not as set.

    Raises: BadValue: a text is no value of its option.
    """

    def __init__(self, texts: Mapping[str, str] | None = None, *, defaults: Mapping[str, str] | None = None) -> None:
        texts = _one_number(texts or {})
        defaults = {name: self.KEYS[name].parse(text) for name, text in _one_number(defaults or {}).items()}
        raw: dict[str, Any] = {name: key.default for name, key in self.KEYS.items()} | defaults
        raw |= {name: self.KEYS[name].parse(text) for name, text in texts.items() if name in self.KEYS}
        self._keep(texts, defaults, raw)

    def _keep(self, texts: Mapping[str, str], defaults: Mapping[str, Any], raw: dict[str, Any]) -> None:
        state = self.__dict__
        state["texts"] = MappingProxyType(dict(texts))
        state["profile"] = MappingProxyType(dict(defaults))
        state["raw"] = MappingProxyType(raw)
        for name, key in self.KEYS.items():
            state[key.attribute] = key.resolve(raw) if isinstance(key, TimeKey) else raw[name]
        state["node_id"] = state["broker_id"]

    texts: Mapping[str, str]
    """What was set, by name, unknown names too."""
    profile: Mapping[str, Any]
    """Values that stand in for Kafka's defaults in this profile, by name."""
    raw: Mapping[str, Any]
    """Each option's own value by name, before other names stand in for it."""

    def topic(self, overrides: Mapping[str, str]) -> TopicSettings:
        """The options of a topic: its overrides before the broker's values."""
        return TopicSettings(self, overrides)

    @functools.cached_property
    def listening(self) -> Listening:
        """Where to bind and what to tell clients. Raises OperatorError; whoever loads settings asks it first."""
        return Listening.of(self)

    @property
    def listener_limits(self) -> Mapping[str, ListenerLimits]:
        """Listener name to its own limits, where it has some."""
        return limits_of_listeners(self.texts)

    @property
    def directories(self) -> tuple[str, ...]:
        """The data directories in the order written; `log.dirs` wins over `log.dir`."""
        written = self.log_dir if self.log_dirs is None else self.log_dirs
        return tuple(path.strip() for path in written.split(",") if path.strip())


def _one_number(texts: Mapping[str, str]) -> Mapping[str, str]:
    """broker.id and node.id, the name that files of Kafka's own quorum use, are set together, as in Kafka."""
    for one, other in (("broker.id", "node.id"), ("node.id", "broker.id")):
        if one in texts and other not in texts:
            return {**texts, other: texts[one]}
    return texts
