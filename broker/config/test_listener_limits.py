"""Limits that one listener has for itself."""

import pytest

from broker.config.layers import Layers, NotDynamic
from broker.config.listener_limits import ListenerLimits
from broker.config.load import load
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings

INSIDE = "listener.name.inside.max.connections"


def test_they_are_read_per_listener_whatever_its_case() -> None:
    texts = [f"{INSIDE}=20", "listener.name.inside.max.connection.creation.rate=5", "listener.name.B.max.connections=1"]
    loaded = load(overrides=texts)
    assert loaded.settings.listener_limits == {"INSIDE": ListenerLimits(20, 5), "B": ListenerLimits(1)}
    assert loaded.warnings == ()


@pytest.mark.parametrize("text", ["many", "-1", "2147483648"])
def test_a_bad_value_is_an_operators_mistake(text: str) -> None:
    with pytest.raises(OperatorError, match=INSIDE):
        load(overrides=[f"{INSIDE}={text}"])


def test_they_may_change_while_the_broker_runs() -> None:
    layers = Layers(BrokerSettings({INSIDE: "3"}), {INSIDE: "7"}, {"listener.name.b.max.connections": "9"})
    assert layers.settings.listener_limits == {"INSIDE": ListenerLimits(7), "B": ListenerLimits(9)}
    assert layers.idle == []
    layers.check({INSIDE: "8"}, whole_cluster=False)
    with pytest.raises(NotDynamic, match="must be"):
        layers.check({INSIDE: "x"}, whole_cluster=False)


def test_a_bad_value_that_lies_in_the_registry_is_left_out() -> None:
    assert Layers(BrokerSettings(), {INSIDE: "x"}).settings.listener_limits == {}


def test_the_listener_of_the_brokers_is_protected_if_it_is_theirs_alone() -> None:
    two = {
        "listeners": "OUT://:1,IN://:2",
        "listener.security.protocol.map": "OUT:PLAINTEXT,IN:PLAINTEXT",
        "inter.broker.listener.name": "IN",
    }
    assert BrokerSettings(two).listening.protected == "IN"
    assert BrokerSettings().listening.protected is None
