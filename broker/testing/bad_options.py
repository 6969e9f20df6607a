"""Values that no option may have, by its type and by the range that Kafka's own definition gives it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from broker.config.keys import AT_START, CLUSTER, Key
from broker.config.layers import FIXED_HERE, PER_LISTENER_PREFIXES
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings

OF_TYPE = {
    "int": ("ten", "", "1.5", "0x10", "1_000", "2147483648", "-2147483649"),
    "long": ("ten", "", "1.5", "1e9", "9223372036854775808"),
    "short": ("ten", "", "1.5", "32768", "-32769"),
    "double": ("much", "", "1_0", "0x"),
    "boolean": ("yes", "", "1", "truee"),
}
"""By type, what is no value of it."""
OF_NAME = {
    "compression.gzip.level": ("0", "10", "-2"),
    "follower.replication.throttled.replicas": ("1", "a:b", "1:2,3"),
    "leader.replication.throttled.replicas": ("1", "a:b", "1:2,3"),
    "log.message.format.version": ("x", "0.8.x"),
    "message.format.version": ("x", "0.8.x"),
    "inter.broker.protocol.version": ("x", "0.8.x"),
    "max.connections.per.ip.overrides": ("1.2.3.4", "a:b"),
}
"""What no pattern of ranges says."""


@dataclass(frozen=True, slots=True)
class Range:
    """What Kafka allows: numbers from `least` to `most` where they are not empty, or one of `words`."""

    group: str
    name: str
    least: str
    most: str
    words: tuple[str, ...]

    def parse(self, text: str) -> object:
        """As the option does. Raises: BadValue."""
        return self._key().parse(text)

    def _key(self) -> Key[Any]:
        return (BrokerSettings if self.group == "broker" else TopicSettings).KEYS[self.name]

    def outside(self) -> Iterator[str]:
        """The nearest values that are not allowed."""
        if self.least:
            yield self._beside(self.least, -1)
        if self.most:
            yield self._beside(self.most, 1)
        if self.words:
            yield "no-such-word"
            yield f"{self.words[0]},no-such-word"

    def _beside(self, edge: str, step: int) -> str:
        return str(float(edge) + step / 2 if self._key().kind.name == "double" else int(edge) + step)

    def edges(self) -> Iterator[str]:
        """Values that just pass."""
        yield from (edge for edge in (self.least, self.most, *self.words) if edge)


def ranges() -> list[Range]:
    """As Kafka's definitions have them; `option_ranges.txt`."""
    lines = files("broker.config").joinpath("option_ranges.txt").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        Range(group, name, least, most, tuple(filter(None, words.split(","))))
        for group, name, least, most, words in rows
    ]


def bad_texts(group: str) -> Iterator[tuple[str, str]]:
    """Name and value, of all options of `broker` or `topic`, each pair once."""
    keys = (BrokerSettings if group == "broker" else TopicSettings).KEYS
    found = [(name, text) for name, key in keys.items() for text in OF_TYPE.get(key.kind.name, ())]
    found += [(name, text) for name, texts in OF_NAME.items() if name in keys for text in texts]
    found += [(row.name, text) for row in ranges() if row.group == group for text in row.outside()]
    return iter(dict.fromkeys(found))


def may_change(name: str, *, whole_cluster: bool = False) -> bool:
    """Whether a running broker would take a good value of this option, for itself or for the whole cluster."""
    key = BrokerSettings.KEYS[name]
    dynamic = key.update is CLUSTER if whole_cluster else key.update is not AT_START
    return dynamic and name not in FIXED_HERE and not name.startswith(PER_LISTENER_PREFIXES) and not key.secret
