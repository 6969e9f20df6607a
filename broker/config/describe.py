"""Options as DescribeConfigs tells them: value, where it comes from, and the names that could have given it.

Source: ConfigHelper and DynamicBrokerConfig.brokerConfigSynonyms of Kafka 3.9; KIP-226, KIP-569.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from broker.config.keys import AT_START, Key
from broker.config.kinds import UNKNOWN_WIRE_CODE
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings

FAMILIES = (
    ("log.roll.ms", "log.roll.hours"),
    ("log.roll.jitter.ms", "log.roll.jitter.hours"),
    ("log.retention.ms", "log.retention.minutes", "log.retention.hours"),
)
"""Names of one thing, the finest first."""


class Source(IntEnum):
    """ConfigSource on the wire."""

    TOPIC = 1
    DYNAMIC_BROKER = 2
    DYNAMIC_CLUSTER = 3
    STATIC = 4
    DEFAULT = 5
    LOGGER = 6


@dataclass(frozen=True, slots=True)
class Synonym:
    """A name that gave, or could have given, the value."""

    name: str
    value: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Entry:
    """One option with its value; `value` is None for null and for secrets."""

    name: str
    value: str | None
    source: Source
    read_only: bool
    secret: bool
    wire_code: int
    doc: str | None = None
    synonyms: list[Synonym] = field(default_factory=list)


def describe_broker(settings: BrokerSettings) -> Iterator[Entry]:
    """Every option of the broker, and what its file has beside them (unknown, so it may be a secret)."""
    for name, key in settings.KEYS.items():
        if not key.hidden:
            synonyms = _known_values(settings, name, _family(name), key)
            yield _entry(key, settings.raw[name], synonyms, read_only=key.update is AT_START)
    for name in settings.texts:
        if name not in settings.KEYS:
            synonyms = [Synonym(name, None, Source.STATIC)]
            yield Entry(name, None, Source.STATIC, True, True, UNKNOWN_WIRE_CODE, None, synonyms)


def describe_topic(settings: BrokerSettings, topic: TopicSettings) -> Iterator[Entry]:
    """Every option of a topic; synonyms are its own override, then what the broker says."""
    for name, key in topic.KEYS.items():
        if key.hidden:
            continue
        value = getattr(topic, key.attribute)
        synonyms = []
        if key.broker_key is not None:
            broker_name = key.broker_key.name
            synonyms = _known_values(settings, broker_name, _family(broker_name), key.broker_key)
        if name in topic.overrides:
            synonyms.insert(0, Synonym(name, key.show(value), Source.TOPIC))
        yield _entry(key, value, synonyms, read_only=False)


def _family(name: str) -> tuple[str, ...]:
    if name == "log.flush.interval.ms":  # the other way round Kafka knows no synonym
        return (name, "log.flush.scheduler.interval.ms")
    return next((family for family in FAMILIES if name in family), (name,))


def _known_values(settings: BrokerSettings, name: str, family: tuple[str, ...], key: Key[Any]) -> list[Synonym]:
    """What is set and what is default among the names, best first, from the entry of the name itself on.

    Kafka drops what stands before that entry, so a retention set in hours does not show as the source of the
    milliseconds; scripts compare this output.
    """
    found = []
    for source in (Source.STATIC, Source.DEFAULT):
        for other in family:
            text = settings.texts.get(other) if source is Source.STATIC else _default_of(settings, other)
            if text is not None:
                found.append(Synonym(other, None if key.secret else text, source))
    own = next((place for place, synonym in enumerate(found) if synonym.name == name), len(found))
    return found[own:]


def _default_of(settings: BrokerSettings, name: str) -> str | None:
    key = settings.KEYS[name]
    return key.show(settings.profile.get(name, key.default))


def _entry(key: Key[Any], value: object, synonyms: list[Synonym], *, read_only: bool) -> Entry:
    return Entry(
        name=key.name,
        value=None if key.secret else key.show(value),
        source=synonyms[0].source if synonyms else Source.DEFAULT,
        read_only=read_only,
        secret=key.secret,
        wire_code=key.kind.wire_code,
        doc=key.doc,
        synonyms=synonyms,
    )
