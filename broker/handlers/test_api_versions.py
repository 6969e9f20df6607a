"""ApiVersions: what is listed, who is refused."""

from types import SimpleNamespace
from typing import Any

import pytest

from broker.handlers.api_versions import api_versions, refused
from broker.handlers.table import TABLE, served
from broker.requests.context import ConnectionFacts, Context
from broker.transport.contract import Address
from kproto.api_keys import ApiKey
from kproto.errors import ApiError, ErrorCode
from kproto.headers import RequestHeader
from kproto.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse

NOWHERE = Address("local", 0)
CLUSTER = "lkc-1"


def context(request: ApiVersionsRequest, version: int) -> Context:
    rooms: Any = SimpleNamespace(broker_id=3, image=SimpleNamespace(cluster_id=CLUSTER))
    apis = served(TABLE, inter_broker=False)
    header = RequestHeader(ApiKey.API_VERSIONS, version, 1, "me")
    return Context(header, apis[18], ConnectionFacts(NOWHERE, NOWHERE, "PLAINTEXT"), rooms, apis, request)


async def ask(version: int, **fields: Any) -> ApiVersionsResponse:
    request = ApiVersionsRequest(**{"client_software_name": "a", "client_software_version": "1", **fields})
    return await api_versions(request, context(request, version))


async def test_what_is_served_is_listed_in_order_and_nothing_else() -> None:
    answer = await ask(0)
    listed = {each.api_key: (each.min_version, each.max_version) for each in answer.api_keys}
    assert list(listed) == sorted(listed)
    assert listed.pop(ApiKey.PRODUCE) == (0, 13)
    assert listed.pop(ApiKey.INIT_PRODUCER_ID) == (0, 5)
    assert listed[ApiKey.FETCH] == (0, 18)
    assert not {ApiKey.LEADER_AND_ISR, ApiKey.UPDATE_METADATA, ApiKey.SASL_HANDSHAKE} & set(listed)
    assert all(listed[row.key] == row.versions for row in TABLE if row.key in listed)
    assert (answer.supported_features, answer.finalized_features, answer.finalized_features_epoch) == ([], [], -1)


@pytest.mark.parametrize("name", ["apache-kafka-java", "x", "a.b-c9", "9"])
async def test_software_is_noted(name: str) -> None:
    request = ApiVersionsRequest(client_software_name=name, client_software_version="4.3.1")
    ctx = context(request, 3)
    assert (await api_versions(request, ctx)).error_code == 0
    assert (ctx.connection.software_name, ctx.connection.software_version) == (name, "4.3.1")


@pytest.mark.parametrize("name", ["", "-a", "a-", ".a", "a b", "a\n", "ä", "a/b"])
async def test_an_illegal_software_name_or_version_is_an_invalid_request(name: str) -> None:
    """Row 16: the connection stays."""
    for fields in ({"client_software_name": name}, {"client_software_version": name}):
        with pytest.raises(ApiError) as no:
            await ask(3, **fields)
        assert refused(ApiVersionsRequest(), no.value).error_code == ErrorCode.INVALID_REQUEST
        assert (await ask(2, **fields)).error_code == 0


async def test_a_client_that_means_another_cluster_or_broker_is_told_to_bootstrap_again() -> None:
    """KIP-1242."""
    assert (await ask(5)).error_code == 0
    assert (await ask(5, cluster_id=CLUSTER, node_id=3)).error_code == 0
    for wrong in ({"cluster_id": "other"}, {"node_id": 4}, {"cluster_id": CLUSTER, "node_id": 0}):
        with pytest.raises(ApiError) as no:
            await ask(5, **wrong)
        assert no.value.code == ErrorCode.REBOOTSTRAP_REQUIRED
        assert (await ask(4, **wrong)).error_code == 0
