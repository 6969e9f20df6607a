"""`listener.name.NAME.max.connections` of a broker that runs, and the listener that clients cannot fill up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat_tests.broker_process import BrokerProcess, free_port
from compat_tests.typed_client import TypedClient
from compat_tests.wire import RawClient, framed, header
from kproto.api_keys import ApiKey
from kproto.messages.incremental_alter_configs import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

PING = framed(header(ApiKey.API_VERSIONS, 0, tags=False))
OPTION = "listener.name.out.max.connections"
BROKER = 4


@pytest.fixture
def two_listeners(tmp_path: Path) -> Iterator[tuple[BrokerProcess, int, int]]:
    """A broker of at most six connections, three of them from outside; the ports of OUT and IN."""
    outside, inside = free_port(), free_port()
    properties = {
        "listeners": f"OUT://127.0.0.1:{outside},IN://127.0.0.1:{inside}",
        "listener.security.protocol.map": "OUT:PLAINTEXT,IN:PLAINTEXT",
        "inter.broker.listener.name": "IN",
        "barnabas.http.listener": "",
        "max.connections": "6",
        OPTION: "3",
    }
    broker = BrokerProcess(tmp_path, properties=properties).start()
    yield broker, outside, inside
    broker.stop()


def test_a_listeners_limit_is_raised_while_clients_wait_and_brokers_always_come_in(
    two_listeners: tuple[BrokerProcess, int, int],
) -> None:
    broker, outside, inside = two_listeners
    clients = [RawClient(outside) for _ in range(4)]
    for client in clients:
        client.send(PING)
    assert all(client.answer() is not None for client in clients[:3])
    assert clients[3].is_open(0.3), "a fourth was served"
    with TypedClient(inside) as admin:
        config = AlterableConfig(name=OPTION, config_operation=0, value="100")
        resource = AlterConfigsResource(resource_type=BROKER, resource_name="1001", configs=[config])
        answer = admin.ask(IncrementalAlterConfigsRequest(resources=[resource]), 1)
        assert answer.responses[0].error_code == 0, answer
        assert clients[3].answer() is not None
        clients += [RawClient(outside) for _ in range(2)]
        clients[4].send(PING)
        assert clients[4].answer() is not None
        with RawClient(inside) as peer:
            peer.send(PING)
            assert peer.answer() is not None, "no room for a broker"
            assert sum(not client.is_open(0.05) for client in clients[:5]) == 1, "one client went for it"
    for client in clients:
        client.close()
    assert "listener IN needed room" in broker.log.read_text()
