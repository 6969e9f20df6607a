"""Listener options of all eras."""

import pytest

from broker.config.listeners import Endpoint, ListenerPlan
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings


def plans(texts: dict[str, str]) -> tuple[ListenerPlan, ...]:
    return BrokerSettings(texts).listening.listeners


def test_the_default_binds_every_address_and_tells_none() -> None:
    assert plans({}) == (ListenerPlan("PLAINTEXT", "PLAINTEXT", ("",), 9092, None),)


def test_localhost_is_both_loopback_addresses() -> None:
    (plan,) = plans({"listeners": "PLAINTEXT://localhost:0"})
    assert plan.hosts == ("127.0.0.1", "::1")
    assert plan.advertised == Endpoint("PLAINTEXT", "localhost", 0)


def test_only_listeners_without_an_advertised_address_tell_the_local_end() -> None:
    texts = {
        "listeners": "PLAINTEXT://10.0.0.1:1,C://:2",
        "advertised.listeners": "C://containers:2",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,C:PLAINTEXT",
    }
    assert [plan.tells_local_end for plan in plans(texts)] == [False, False]
    texts["barnabas.advertise.local.address"] = "true"
    assert [plan.tells_local_end for plan in plans(texts)] == [True, False]


def test_an_address_of_version_6_is_written_in_brackets() -> None:
    (plan,) = plans({"listeners": "PLAINTEXT://[::1]:9092"})
    assert plan.hosts == ("::1",)
    assert str(plan.advertised) == "PLAINTEXT://[::1]:9092"


def test_names_are_compared_in_upper_case() -> None:
    texts = {
        "listeners": "inside://:1,Outside://:2",
        "advertised.listeners": "OUTSIDE://o:3,INSIDE://i:4",
        "listener.security.protocol.map": "inside:plaintext,outside:PLAINTEXT",
        "inter.broker.listener.name": "inside",
    }
    assert [(plan.name, str(plan.advertised)) for plan in plans(texts)] == [
        ("INSIDE", "INSIDE://i:4"),
        ("OUTSIDE", "OUTSIDE://o:3"),
    ]
    assert BrokerSettings(texts).listening.inter_broker == "INSIDE"


def test_the_older_names_count_while_listeners_is_not_set() -> None:
    (plan,) = plans({"port": "6667", "host.name": "10.0.0.1", "advertised.host.name": "kafka", "advertised.port": "7"})
    assert (plan.hosts, plan.port, str(plan.advertised)) == (("10.0.0.1",), 6667, "PLAINTEXT://kafka:7")
    (newer,) = plans({"port": "6667", "listeners": "PLAINTEXT://:9092"})
    assert newer.port == 9092


def test_the_older_advertised_names_count_beside_listeners() -> None:
    (plan,) = plans({"listeners": "PLAINTEXT://:9092", "advertised.host.name": "kafka"})
    assert str(plan.advertised) == "PLAINTEXT://kafka:9092"


def test_one_port_may_serve_an_address_of_each_family() -> None:
    texts = {
        "listeners": "PLAINTEXT://127.0.0.1:1,B://[::1]:1",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,B:PLAINTEXT",
    }
    assert len(plans(texts)) == 2


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        ({"listeners": "localhost:9092"}, "localhost:9092"),
        ({"listeners": "://localhost:9092"}, "://localhost"),
        ({"listeners": "PLAINTEXT://:70000"}, "70000"),
        ({"listeners": "PLAINTEXT://:1,PLAINTEXT://:2"}, "PLAINTEXT twice"),
        ({"listeners": "PLAINTEXT://:1,SSL://:1"}, "port 1 twice"),
        ({"listeners": "A://:1"}, "the name A"),
        ({"listeners": "", "port": "1"}, "No listener"),
        ({"advertised.listeners": "PLAINTEXT://0.0.0.0:9092"}, "0.0.0.0"),
        ({"advertised.listeners": "PLAINTEXT://[::]:9092"}, "[::]"),
        ({"advertised.listeners": "PLAINTEXT://:9092"}, "advertised.listeners"),
        ({"advertised.listeners": "OTHER://h:9092"}, "OTHER"),
        ({"listener.security.protocol.map": "PLAINTEXT"}, "'PLAINTEXT'"),
        ({"listener.security.protocol.map": "PLAINTEXT:TLS"}, "'PLAINTEXT:TLS'"),
        ({"inter.broker.listener.name": "REPLICATION"}, "REPLICATION"),
        ({"controller.listener.names": "PLAINTEXT"}, "No listener"),
    ],
)
def test_listeners_that_cannot_work_stop_the_start(texts: dict[str, str], named: str) -> None:
    with pytest.raises(OperatorError) as caught:
        plans(texts)
    assert named in caught.value.what
    assert caught.value.why
    assert caught.value.do_this
