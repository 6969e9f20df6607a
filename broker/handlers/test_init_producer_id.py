"""Producer ids over the bytes of each version."""

import json

import pytest

from broker.clock import SetClock
from broker.cluster.authorizer import Operation, Resource
from broker.registry.embedded import EmbeddedTree
from broker.testing.cluster_of_one import ClusterOfOne, cluster_of_one
from kproto.errors import ErrorCode
from kproto.messages.init_producer_id import InitProducerIdRequest

PATH = "/latest_producer_id_block"


class NoIdempotence:
    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return operation != Operation.IDEMPOTENT_WRITE


async def fresh_id(cluster: ClusterOfOne, version: int = 4) -> int:
    response = await cluster.ask(InitProducerIdRequest(transactional_id=None), version)
    assert (response.error_code, response.producer_epoch) == (0, 0)
    producer_id: int = response.producer_id
    return producer_id


@pytest.mark.parametrize("version", range(6))
async def test_ids_count_up_from_the_first_block(version: int) -> None:
    async with cluster_of_one(broker_id=3) as cluster:
        assert [await fresh_id(cluster, version) for _ in range(3)] == [0, 1, 2]
        data, _ = await cluster.tools.get(PATH)
        assert json.loads(data or b"") == {"version": 1, "broker": 3, "block_start": "0", "block_end": "999"}


async def test_a_used_up_block_is_followed_by_the_next_free_one() -> None:
    async with cluster_of_one() as cluster:
        for _ in range(1000):
            await fresh_id(cluster)
        taken = {"version": 1, "broker": 9, "block_start": "1000", "block_end": "1999"}
        await cluster.tools.set(PATH, json.dumps(taken).encode())
        assert await fresh_id(cluster) == 2000


async def test_an_id_is_never_given_twice_even_after_a_restart() -> None:
    tree = EmbeddedTree(None, SetClock())
    async with cluster_of_one(tree=tree) as cluster:
        assert await fresh_id(cluster) == 0
    async with cluster_of_one(tree=tree) as cluster:
        assert await fresh_id(cluster) == 1000


async def test_a_registry_without_the_node_gets_one() -> None:
    async with cluster_of_one() as cluster:
        await cluster.tools.delete(PATH)
        assert await fresh_id(cluster) == 0


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (InitProducerIdRequest(transactional_id="t", transaction_timeout_ms=60_000), ErrorCode.INVALID_REQUEST),
        (InitProducerIdRequest(transactional_id="", transaction_timeout_ms=60_000), ErrorCode.INVALID_REQUEST),
        (InitProducerIdRequest(transactional_id="t", transaction_timeout_ms=0), ErrorCode.INVALID_TRANSACTION_TIMEOUT),
        (
            InitProducerIdRequest(transactional_id="t", transaction_timeout_ms=900_001),
            ErrorCode.INVALID_TRANSACTION_TIMEOUT,
        ),
        (InitProducerIdRequest(transactional_id=None, producer_id=5), ErrorCode.INVALID_REQUEST),
        (InitProducerIdRequest(transactional_id=None, producer_epoch=5), ErrorCode.INVALID_REQUEST),
    ],
)
async def test_what_cannot_be_is_refused(request_: InitProducerIdRequest, code: ErrorCode) -> None:
    async with cluster_of_one() as cluster:
        response = await cluster.ask(request_, 4)
        assert (response.error_code, response.producer_id, response.producer_epoch) == (code, -1, -1)


async def test_who_may_not_write_idempotently_gets_no_id() -> None:
    async with cluster_of_one(authorizer=NoIdempotence()) as cluster:
        response = await cluster.ask(InitProducerIdRequest(transactional_id=None), 4)
        assert (response.error_code, response.producer_id) == (ErrorCode.CLUSTER_AUTHORIZATION_FAILED, -1)
