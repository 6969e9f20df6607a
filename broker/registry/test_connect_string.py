"""`zookeeper.connect` as operators write it."""

import pytest

from broker.config.problems import OperatorError
from broker.registry.connect_string import ConnectString


@pytest.mark.parametrize(
    ("text", "servers", "chroot"),
    [
        ("localhost:2181", (("localhost", 2181),), ""),
        ("localhost", (("localhost", 2181),), ""),
        ("localhost:2181/", (("localhost", 2181),), ""),
        ("a:1,b:2 , c/kafka/one/", (("a", 1), ("b", 2), ("c", 2181)), "/kafka/one"),
        ("[::1]:2181,[fe80::1]/k", (("::1", 2181), ("fe80::1", 2181)), "/k"),
    ],
)
def test_servers_come_first_and_one_chroot_last(text: str, servers: tuple[tuple[str, int], ...], chroot: str) -> None:
    assert ConnectString.parse(text) == ConnectString(servers, chroot)


def test_kazoo_is_told_the_servers_without_the_chroot() -> None:
    assert ConnectString.parse("a,[::1]:7/k").hosts == "a:2181,[::1]:7"


@pytest.mark.parametrize("text", ["", "a,,b", "a:x", "a:0", "a:65536", "a:1/k,b:1/k//", "a b:1", ":2181", "a:1/../k"])
def test_what_is_wrong_is_said_with_an_example(text: str) -> None:
    with pytest.raises(OperatorError) as refused:
        ConnectString.parse(text)
    assert refused.value.what.startswith(f"zookeeper.connect={text} ")
    assert "host1:2181" in refused.value.do_this
