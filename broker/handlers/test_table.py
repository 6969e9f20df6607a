"""The table says the truth: every row has its handler, every version a codec, and it agrees with Kafka's releases."""

import importlib
import inspect
import re

import pytest

from broker.cluster.authorizer import Resource
from broker.handlers.table import TABLE, Row, served
from kproto.api_keys import ApiKey, request_class, response_class
from kproto.messages.offset_commit import OffsetCommitRequest
from kproto.messages.produce import ProduceRequest

ROWS = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.module)


@ROWS
def test_each_row_has_a_handler_and_its_refusal(row: Row) -> None:
    module = importlib.import_module(f"broker.handlers.{row.module}")
    assert inspect.iscoroutinefunction(getattr(module, row.module))
    assert list(inspect.signature(getattr(module, row.module)).parameters) == ["request", "ctx"]
    assert list(inspect.signature(module.refused).parameters)[:2] == ["request", "error"]
    assert module.__doc__
    assert f"key {row.key}" in module.__doc__
    told = re.search(r"[Vv]ersions? (\d+)(?: to (\d+))?", module.__doc__)
    assert told
    assert int(told[1]) == row.versions[0]
    assert int(told[2] or told[1]) in (row.versions[1], request_class(row.key).VERSIONS[1])


@ROWS
def test_each_version_served_has_a_codec_in_both_directions(row: Row) -> None:
    for declared in (request_class(row.key), response_class(row.key)):
        assert declared.VERSIONS[0] <= row.versions[0]
        assert row.versions[1] <= declared.VERSIONS[1]
    unstable = 1 if row.key is ApiKey.INIT_PRODUCER_ID else 0
    assert row.versions[1] == request_class(row.key).VERSIONS[1] - unstable


@ROWS
def test_the_module_has_the_name_of_its_api(row: Row) -> None:
    assert row.module == row.key.file_name


def test_each_api_stands_once() -> None:
    assert len({row.key for row in TABLE}) == len(TABLE)


def test_clients_are_not_served_what_brokers_ask_of_each_other() -> None:
    inter_broker = {ApiKey.LEADER_AND_ISR, ApiKey.STOP_REPLICA, ApiKey.UPDATE_METADATA}
    assert served(TABLE, inter_broker=True).keys() - served(TABLE, inter_broker=False).keys() == inter_broker


def test_a_right_is_asked_on_what_the_request_names() -> None:
    rows = served(TABLE, inter_broker=True)
    commit, produce, stop = rows[8].right, rows[0].right, rows[5].right
    assert commit is not None
    assert produce is not None
    assert stop is not None
    assert commit.resource_of(OffsetCommitRequest(group_id="g")) == Resource.group("g")
    assert produce.resource_of(ProduceRequest(transactional_id="t")) == Resource.transactional_id("t")
    assert produce.resource_of(ProduceRequest()) is None
    assert stop.resource_of(object()) == Resource.cluster()
