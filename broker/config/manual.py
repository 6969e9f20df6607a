"""The manual of all options, as Markdown: docs/options.md is what `page` says.

Everything in it is read from the lines of the options; there is no text of its own beside the introduction.
"""

from collections.abc import Iterator
from typing import Any

from broker.config.cross_checks import PROMISES
from broker.config.keys import AT_START, CLUSTER, WORKS, Key, Settings, TimeKey
from broker.config.layers import FIXED_HERE, PER_LISTENER_PREFIXES
from broker.config.listener_limits import LIMITS
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.config.unknown_names import MOVE_RATE, ONLY_DYNAMIC

INTRODUCTION = """\
# Options

Every option that Apache Kafka 0.8.1 to 4.4 has or had, and those of Barnabas itself, which begin with `barnabas.`.
This page is written by `barnabas options --markdown`; `barnabas options NAME` shows one of them.

Options of a broker stand in `server.properties`, in `KAFKA_…` variables of the environment or behind `--override`; the
later of these wins. A value that is not allowed stops the start with its place and what is allowed. An option that
nobody knows is named in the log, with the name that was meant.

What may change while the broker runs is set by clients (AlterConfigs, `kafka-configs`) for one broker or for the whole
cluster: the broker's own value comes before the cluster's, and that before the file's. A topic's own value comes before
all of them. What is fixed at start is refused there.

What an option does here is said honestly: it **works**; or it is known, checked and **without effect**, with the
reason, and the log names it at start; or it **stops the start**, because what it promises to protect is not built yet.
Options of TLS may be set for one listener alone, as `listener.name.NAME.ssl.…`; that comes before the broker's value.
"""


def page() -> str:
    """The whole manual."""
    parts = [INTRODUCTION]
    for title, keys in sections():
        parts.append(f"\n## {title}\n")
        parts += [f"\n{entry(key)}" for key in keys]
    parts.append(f"\n{only_dynamic()}")
    return "".join(parts)


def find(name: str) -> Iterator[str]:
    """What the manual says of a name: as an option of the broker, of a topic, or of both."""
    return (entry(settings.KEYS[name]) for settings in (BrokerSettings, TopicSettings) if name in settings.KEYS)


def names() -> list[str]:
    """Of all options of the broker and of topics, in order."""
    return sorted(BrokerSettings.KEYS.keys() | TopicSettings.KEYS.keys())


def sections() -> Iterator[tuple[str, list[Key[Any]]]]:
    """The groups of options, each with its title."""
    for group in (*BrokerSettings.__bases__, TopicSettings):
        assert issubclass(group, Settings)
        title = "Topics" if group is TopicSettings else (group.__doc__ or "").partition("\n")[0].rstrip(".")
        yield title, sorted(group.KEYS.values(), key=lambda key: key.name)


def entry(key: Key[Any]) -> str:
    """One option: what it means, its values, when it may change, what it does here."""
    lines = [f"### {key.name}", "", key.doc, "", f"- {values_of(key)}", f"- {change_of(key)}"]
    lines += [f"- {line}" for line in topic_side(key)]
    lines.append(f"- {state_of(key)}")
    return "\n".join(lines) + "\n"


def values_of(key: Key[Any]) -> str:
    default = "the broker's `" + key.broker_key.name + "`" if key.broker_key else shown(key, default_of(key))
    allowed = "" if key.check is None and key.kind.name in ("string", "class", "password", "list") else key.allowed
    return f"Type {key.kind.name}{': ' + allowed if allowed else ''}. Default: {default}."


def default_of(key: Key[Any]) -> object:
    return None if isinstance(key, TimeKey) else key.default


def shown(key: Key[Any], value: object) -> str:
    text = key.show(value)
    if text is None:
        stand_ins = " or ".join(f"`{name}`" for name in key.stand_ins) if isinstance(key, TimeKey) else ""
        return f"none; then {stand_ins} counts" if stand_ins else "none"
    return f"`{text}`" if text else "empty"


def change_of(key: Key[Any]) -> str:
    if key.broker_key is not None or (key.name in TopicSettings.KEYS and TopicSettings.KEYS[key.name] is key):
        return "May change while the broker runs, for each topic."
    if key.name in FIXED_HERE:
        return "Fixed at start here: sockets are bound once. Kafka can change it while it runs."
    if key.update is AT_START:
        return "Fixed at start."
    if key.name.startswith(PER_LISTENER_PREFIXES):
        return "May change while the broker runs, for one listener: `listener.name.NAME." + key.name + "`."
    return f"May change while the broker runs, {'for one or for all' if key.update is CLUSTER else 'for one broker'}."


def topic_side(key: Key[Any]) -> Iterator[str]:
    if key in LIMITS:
        yield f"A listener may have a limit of its own beside it: `listener.name.NAME.{key.name}`."
    names = [f"`{name}`" for name, topic in TopicSettings.KEYS.items() if topic.broker_key is key]
    if names:
        yield f"Topics may have a value of their own: {', '.join(names)}."


def state_of(key: Key[Any]) -> str:
    if key.name in PROMISES:
        return "Asked to protect, it **stops the start**: what it promises is not built yet."
    if key.standing is WORKS:
        return "**Works.**"
    return f"**Without effect**: {key.because}."


def only_dynamic() -> str:
    """Names that a file cannot set, in Kafka either."""
    state = {MOVE_RATE: "bytes per second of moves between data directories. **Works.**"}
    idle = "bytes per second of replication. **Without effect**: quotas are not built yet."
    listed = "".join(f"- `{name}`: {state.get(name, idle)}\n" for name in ONLY_DYNAMIC)
    return f"## Only while running\n\nClients set these for a broker; a file cannot.\n\n{listed}"
