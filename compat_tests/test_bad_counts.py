"""Rows 31 and 42 of our catalogue of bad inputs: more elements than a request may have, in each array of each version.

Over a real socket to a broker that allows few; a neighbour is served after each of them.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from broker.handlers.table import TABLE, Row
from compat_tests.broker_process import BrokerProcess
from compat_tests.frames import request_frame
from compat_tests.typed_client import TypedClient
from compat_tests.wire import outcome
from kproto.api_keys import ApiKey, request_class
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.testing.strategies import filled

MOST = 200
TOGETHER = 15
"""Its square is too many."""
OPTIONS = {"barnabas.request.max.elements": str(MOST), "offsets.topic.replication.factor": "1"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    yield process
    process.stop()


def arrays(of: Any, above: tuple[list[Any], ...] = ()) -> Iterator[tuple[list[Any], ...]]:
    """Every list in a message that has something in every field, behind those that it lies in."""
    if isinstance(of, list):
        yield (*above, of)
        yield from (found for each in of for found in arrays(each, (*above, of)))
    elif is_dataclass(of):
        for field in fields(of):
            yield from arrays(getattr(of, field.name), above)


def too_many(row: Row, version: int) -> Iterator[bytes]:
    """Frames in which one array is too long, or together with the one that it lies in."""
    usual = request_frame(filled(request_class(row.key), version), version)
    for place in range(len(list(arrays(filled(request_class(row.key), version))))):
        long = with_repeated(row, version, place, MOST + 1)
        if long is not None and len(long) > len(usual) + MOST:  # else this version does not have it
            yield long
            if (both := with_repeated(row, version, place, TOGETHER, TOGETHER)) is not None:
                yield both


def with_repeated(row: Row, version: int, place: int, *times: int) -> bytes | None:
    """A frame with one array's elements so often, and so on outwards; None if nothing is around it."""
    message = filled(request_class(row.key), version)
    nest = list(arrays(message))[place]
    if len(nest) < len(times):
        return None
    for array, repeated in zip(reversed(nest), times, strict=False):
        array *= repeated
    return request_frame(message, version)


WITHOUT_ARRAYS = {ApiKey.API_VERSIONS, ApiKey.DESCRIBE_CLUSTER, ApiKey.HEARTBEAT, ApiKey.INIT_PRODUCER_ID}
WITH_ARRAYS = [row for row in TABLE if not row.inter_broker and row.key not in WITHOUT_ARRAYS]


@pytest.mark.parametrize("row", WITH_ARRAYS, ids=lambda row: row.module)
def test_too_many_elements_close_and_nobody_else_notices(broker: BrokerProcess, row: Row) -> None:
    frames = [
        (version, each) for version in range(row.versions[0], row.versions[1] + 1) for each in too_many(row, version)
    ]
    assert frames
    with TypedClient(broker.port) as bystander:
        for version, frame in frames:
            assert outcome(broker.port, frame) is None, (row.key.kafka_name, version)
            assert bystander.ask(ApiVersionsRequest(), 0).error_code == 0
