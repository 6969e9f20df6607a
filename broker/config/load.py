"""From what was written to settings: the one way in for file, environment and command line.

Order: the file, then the environment, then `--override`; the later one wins.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from broker.config.cross_checks import check_together
from broker.config.environment import read_environment
from broker.config.keys import WORKS, BadValue
from broker.config.listener_limits import limit_key
from broker.config.problems import OperatorError
from broker.config.server_properties import read_properties
from broker.config.settings import BrokerSettings
from broker.config.tls_options import works_for_listener
from broker.config.unknown_names import RENAMED, hint, is_plug_in
from broker.config.written import Written
from kproto.values import frozen


@frozen
class Loaded:
    """Settings, and what an operator should hear at start, a line each."""

    settings: BrokerSettings
    warnings: tuple[str, ...]


def load(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Iterable[str] = (),
    defaults: Mapping[str, str] | None = None,
) -> Loaded:
    """Read, check and compose.

    Args:
        file: a server.properties.
        environment: variables of the process, if they count.
        overrides: `name=value` texts of the command line.
        defaults: a profile, values in place of Kafka's defaults.
    Raises: OperatorError: a bad value, with its place and the allowed range; options that contradict one another.
    """
    written = read_properties(file) if file is not None else []
    if environment is not None:
        written += read_environment(environment)
    written += [parse_override(text) for text in overrides]
    return settings_of(written, defaults)


def settings_of(written: Iterable[Written], defaults: Mapping[str, str] | None = None) -> Loaded:
    """Settings of assignments, the last of a name wins. Raises OperatorError."""
    last = {item.name: item for item in written}
    for item in last.values():
        _check(item)
    settings = BrokerSettings({name: item.text.strip() for name, item in last.items()}, defaults=defaults)
    check_together(settings)
    return Loaded(settings, tuple(_warnings(settings, last)))


def parse_override(text: str) -> Written:
    """`name=value`. Raises OperatorError."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise OperatorError(f"--override has {text!r}.", "It is written name=value.", "Correct it.")
    return Written(name.strip(), value.strip(), "--override")


def _check(item: Written) -> None:
    if item.name in RENAMED:
        new = RENAMED[item.name]
        raise OperatorError(
            f"{item.place}: {item.name} is a name of Kafka 0.7.", f"It is called {new} since 0.8.", f"Write {new}."
        )
    key = BrokerSettings.KEYS.get(item.name) or limit_key(item.name)
    if key is None:
        return
    try:
        key.parse(item.text)
    except BadValue as bad:
        shown = "its value" if key.secret else repr(bad.text)
        default = "none" if key.default is None else key.show(key.default) or "empty"
        raise OperatorError(
            f"{item.place}: {item.name} is {shown}.",
            f"It must be {bad.allowed}.",
            f"Correct it, or remove it for the default ({default}).",
        ) from None


def _warnings(settings: BrokerSettings, last: Mapping[str, Written]) -> Iterable[str]:
    known, plain = settings.KEYS, [name for name in last if name not in settings.KEYS]
    idle = [name for name in last if name in known and known[name].standing is not WORKS]
    heeded = [name for name in plain if limit_key(name) is not None or works_for_listener(name, settings)]
    idle += [name for name in plain if is_plug_in(name) and name not in heeded]
    if idle:
        yield f"Known, checked and without effect in this version: {', '.join(sorted(idle))}."
    for name in plain:
        if not is_plug_in(name):
            yield f"{last[name].place}: {name} is not an option. {hint(name, known)}".rstrip()
    if settings.process_roles:
        yield (
            "process.roles: this broker starts as a single process with a registry of its own; "
            "Kafka's quorum (controller.…) is not used."
        )
