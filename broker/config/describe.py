"""Options as DescribeConfigs tells them: value, where it comes from, and the names that could have given it.

Source: ConfigHelper and DynamicBrokerConfig.brokerConfigSynonyms of Kafka 3.9; KIP-226, KIP-569.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from typing import Any

from broker.config.keys import AT_START, BadValue, Key
from broker.config.kinds import LONG, UNKNOWN_WIRE_CODE
from broker.config.layers import Layers
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.config.unknown_names import ONLY_DYNAMIC
from kproto.values import frozen

LISTENER_NAME = re.compile(r"listener\.name\.[^.]*\.(.*)")
"""An option of one listener, or of one mechanism on it: the name of the option it stands before."""
OF_MECHANISMS = (
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
    "connections.max.reauth.ms",
)
"""Between listener and option these have a mechanism: listener.name.outside.plain.sasl.jaas.config."""

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


@frozen
class Synonym:
    """A name that gave, or could have given, the value."""

    name: str
    value: str | None
    source: Source


@frozen
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


def describe_broker(layers: Layers) -> Iterator[Entry]:
    """Every option of the broker, and the names beside them that somebody set (unknown, so they may be secrets)."""
    settings = layers.settings
    for name, key in settings.KEYS.items():
        if not key.hidden:
            yield _entry(key, settings.raw[name], _known_values(layers, name, key), read_only=key.update is AT_START)
    for name in settings.texts:
        if name not in settings.KEYS:
            yield _beside(layers, name, _set_in(layers))


def describe_cluster_defaults(layers: Layers) -> Iterator[Entry]:
    """What was set for all brokers while they run."""
    for name, text in layers.cluster.items():
        key = layers.settings.KEYS.get(name)
        if key is None:
            yield _beside(layers, name, [(Source.DYNAMIC_CLUSTER, layers.cluster)], defaults=False)
        else:
            synonyms = [Synonym(name, None if key.secret else text, Source.DYNAMIC_CLUSTER)]
            yield _entry(key, key.parse(text), synonyms, read_only=key.update is AT_START)


def describe_topic(layers: Layers, topic: TopicSettings) -> Iterator[Entry]:
    """Every option of a topic; synonyms are its own override, then what the broker says."""
    for name, key in topic.KEYS.items():
        if key.hidden:
            continue
        value = getattr(topic, key.attribute)
        synonyms = []
        if key.broker_key is not None:
            synonyms = _known_values(layers, key.broker_key.name, key.broker_key)
        if _is_set(key, topic.overrides):
            synonyms.insert(0, Synonym(name, key.show(value), Source.TOPIC))
        yield _entry(key, value, synonyms, read_only=False)
    for name in topic.overrides:
        if name not in topic.KEYS:  # some tool wrote it; it may be a secret
            yield Entry(
                name, None, Source.TOPIC, False, True, UNKNOWN_WIRE_CODE, None, [Synonym(name, None, Source.TOPIC)]
            )


def _is_set(key: Key[Any], overrides: Mapping[str, str]) -> bool:
    """A value that cannot be read does not count: the broker's holds."""
    try:
        return key.name in overrides and key.parse(overrides[key.name]) is not None
    except BadValue:
        return False


def _set_in(layers: Layers) -> list[tuple[Source, Mapping[str, str]]]:
    """The first that has a name wins."""
    return [
        (Source.DYNAMIC_BROKER, layers.broker),
        (Source.DYNAMIC_CLUSTER, layers.cluster),
        (Source.STATIC, layers.static.texts),
    ]


def _beside(
    layers: Layers, name: str, layers_asked: list[tuple[Source, Mapping[str, str]]], *, defaults: bool = True
) -> Entry:
    """A name that is no option: one of a single listener, of replication quotas, or somebody's own, maybe a secret."""
    base = _listener_base(name)
    key = layers.settings.KEYS.get(base or name)
    shown = name in ONLY_DYNAMIC or (key is not None and not key.secret)
    wire_code = LONG.wire_code if name in ONLY_DYNAMIC else UNKNOWN_WIRE_CODE if key is None else key.kind.wire_code
    names = (name,) if key is None else (name, key.name)
    found = [Synonym(each, texts[each], source) for source, texts in layers_asked for each in names if each in texts]
    if key is not None and defaults and (default := _default_of(layers.static, key.name)) is not None:
        found.append(Synonym(key.name, default, Source.DEFAULT))
    own = next(place for place, synonym in enumerate(found) if synonym.name == name)
    synonyms = [Synonym(each.name, each.value if shown else None, each.source) for each in found[own:]]
    return Entry(name, synonyms[0].value, synonyms[0].source, True, not shown, wire_code, None, synonyms)


def _listener_base(name: str) -> str | None:
    """The option that `listener.name.…` stands before; None for other names."""
    match = LISTENER_NAME.fullmatch(name)
    if match is None:
        return None
    base = match.group(1)
    return next((option for option in OF_MECHANISMS if base.endswith(option)), base)


def _family(name: str) -> tuple[str, ...]:
    if name == "log.flush.interval.ms":  # the other way round Kafka knows no synonym
        return (name, "log.flush.scheduler.interval.ms")
    return next((family for family in FAMILIES if name in family), (name,))


def _known_values(layers: Layers, name: str, key: Key[Any]) -> list[Synonym]:
    """What is set and what is default among the names, best first, from the entry of the name itself on.

    Kafka drops what stands before that entry, so a retention set in hours does not show as the source of the
    milliseconds; scripts compare this output.
    """
    family = _family(name)
    found = [
        Synonym(other, texts[other], source) for source, texts in _set_in(layers) for other in family if other in texts
    ]
    defaults = ((other, _default_of(layers.static, other)) for other in family)
    found += [Synonym(other, text, Source.DEFAULT) for other, text in defaults if text is not None]
    own = next((place for place, synonym in enumerate(found) if synonym.name == name), len(found))
    return [Synonym(each.name, None if key.secret else each.value, each.source) for each in found[own:]]


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
        doc=key.documentation,
        synonyms=synonyms,
    )
