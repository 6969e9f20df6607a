"""An option that is said to work is read by somebody; else it is set, nothing warns, and nothing follows."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from broker.config.keys import WORKS, Key, Settings, TimeKey
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings

ROOT = Path(__file__).resolve().parent.parent
DECLARATIONS = ROOT / "broker" / "config"
CONFIG_THAT_ACTS = ("listeners.py", "settings.py", "load.py", "tls_options.py")
"""Modules of the configuration that do what an option says; the others only declare and check."""
REFUSED = {"authorizer.class.name", "zookeeper.set.acl", "zookeeper.ssl.client.enable"}
"""What these do is that the broker does not start; `broker/config/test_load.py` has it."""


def test_every_option_that_works_is_read() -> None:
    read = set(attributes_read())
    served = {key.broker_key for key in TopicSettings.KEYS.values() if is_read(key, read)}
    served |= {key for key in BrokerSettings.KEYS.values() if is_read(key, read)}
    served_names = {key.name for key in served if key is not None} | REFUSED
    served_names |= {name for key in served if isinstance(key, TimeKey) for name in key.stand_ins}
    served_names.add("log.message.timestamp.difference.max.ms")  # for the two newer limits, as below
    assert working(BrokerSettings) - served_names == set()


def test_every_topic_option_that_works_is_read() -> None:
    read = set(attributes_read())
    stand_in = {"message.timestamp.difference.max.ms"}  # for the two newer limits; test_options.py has it
    idle = {name for name in working(TopicSettings) if not is_read(TopicSettings.KEYS[name], read)}
    assert idle - stand_in == set()


def working(settings: type[Settings]) -> set[str]:
    return {name for name, key in settings.KEYS.items() if key.standing is WORKS}


def is_read(key: Key[Any], read: set[str]) -> bool:
    return key.attribute in read


def attributes_read() -> Iterator[str]:
    """Every `….name` that the program loads; a Protocol that merely names an option reads nothing."""
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield node.attr


def sources() -> Iterator[Path]:
    for room in ("broker", "coordinator", "tools"):
        for file in (ROOT / room).rglob("*.py"):
            declares = DECLARATIONS in file.parents and file.name not in CONFIG_THAT_ACTS
            if not file.name.startswith("test_") and not declares:
                yield file
