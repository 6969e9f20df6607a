"""What the commands do with a client, a fake one here; real clusters are in compat_tests."""

import json
import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from broker.config.problems import OperatorError
from tools.banner import banner
from tools.commands.consume import parse_format, print_json, print_records, printer
from tools.commands.groups import facts
from tools.commands.produce import send_all, split_keys
from tools.commands.topics import described, each_done
from tools.output import cell, table

RECORD: Any = SimpleNamespace(
    topic="t", partition=1, offset=7, timestamp=1234, key=b"k", value=b"v", headers=[("a", b"1"), ("b", None)]
)


def test_a_format_has_letters_and_escapes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    printer(r"%t %p %o %k=%s %T %h %%\t\n")(RECORD)
    printer("%k|%s\n")(SimpleNamespace(key=None, value=None))
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"t 1 7 k=v 1234 a=1,b= %\t\n|\n"


def test_a_letter_that_nobody_knows_is_refused() -> None:
    with pytest.raises(click.UsageError, match="%x"):
        parse_format("%x")


def test_json_keeps_what_is_not_text_as_base64(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json(SimpleNamespace(**{**vars(RECORD), "key": None, "value": b"\xff\x00"}))
    sys.stdout.flush()
    row = json.loads(capfdbinary.readouterr().out)
    assert (row["key"], row["value_base64"], row["offset"]) == (None, "/wA=", 7)
    assert row["headers"] == [{"name": "a", "value": "1"}, {"name": "b", "value": None}]


class FakeConsumer:
    """One partition with so many records; remembers how many each poll asked for."""

    def __init__(self, count: int) -> None:
        self.records = list(range(count))
        self.taken = 0
        self.asked: list[int | None] = []

    def poll(self, timeout_ms: int, max_records: int | None) -> dict[str, list[int]]:
        self.asked.append(max_records)
        batch = self.records[self.taken : self.taken + min(max_records or 2, 2)]
        self.taken += len(batch)
        return {"p": batch} if batch else {}

    def assignment(self) -> set[str]:
        return {"p"}

    def end_offsets(self, partitions: list[str]) -> dict[str, int]:
        return {"p": len(self.records)}

    def position(self, partition: str) -> int:
        return self.taken


def test_a_count_is_never_exceeded_nor_taken_from_the_group() -> None:
    consumer, written = FakeConsumer(10), list[int]()
    print_records(consumer, 3, False, written.append)
    assert written == [0, 1, 2]
    assert consumer.taken == 3
    assert consumer.asked == [3, 1]


def test_the_end_that_the_topic_has_now_ends_the_command() -> None:
    consumer, written = FakeConsumer(5), list[int]()
    print_records(consumer, None, True, written.append)
    assert written == [0, 1, 2, 3, 4]


def test_a_line_is_split_at_its_first_separator() -> None:
    assert list(split_keys([b"a:b:c", b":x"], ":")) == [(b"a", b"b:c"), (b"", b"x")]
    assert list(split_keys([b"a:b"], None)) == [(None, b"a:b")]


def test_a_line_without_its_separator_is_named() -> None:
    with pytest.raises(OperatorError, match="line 2"):
        list(split_keys([b"a=1", b"b"], "="))


class FakeProducer:
    """Fails from the n-th record on."""

    def __init__(self, fails_at: int) -> None:
        self.fails_at = fails_at
        self.sent: list[tuple[bytes | None, bytes]] = []
        self.flushed = False

    def send(self, topic: str, *, value: bytes, key: bytes | None, partition: Any, headers: Any) -> Any:
        self.sent.append((key, value))
        failed = len(self.sent) >= self.fails_at

        def add_errback(tell: Any) -> None:
            if failed:
                tell(ValueError("too large"))

        return SimpleNamespace(add_errback=add_errback)

    def flush(self) -> None:
        self.flushed = True


def test_every_record_is_sent_and_waited_for() -> None:
    producer = FakeProducer(fails_at=99)
    send_all(producer, "t", [(None, b"1"), (b"k", b"2")], None, [])
    assert producer.sent == [(None, b"1"), (b"k", b"2")]
    assert producer.flushed


def test_the_first_record_that_fails_ends_the_command() -> None:
    producer = FakeProducer(fails_at=2)
    with pytest.raises(ValueError, match="too large"):
        send_all(producer, "t", [(None, b"%d" % number) for number in range(10)], None, [])
    assert len(producer.sent) == 2


def test_topics_that_went_well_are_told_before_the_one_that_did_not() -> None:
    answers = [
        {"name": "bad", "error_code": 36, "error_message": None},
        {"name": "good", "error_code": 0, "error_message": None},
    ]
    done = []
    with pytest.raises(OperatorError, match="Cannot create topic bad: TopicAlreadyExists"):
        for name in each_done(answers, "create", set()):
            done.append(name)
    assert done == ["good"]
    assert list(each_done(answers, "create", {"TopicAlreadyExists"})) == ["good"]


def test_a_partition_without_a_leader_has_none() -> None:
    partition = {"partition_index": 0, "leader_id": -1, "replica_nodes": [1, 2], "isr_nodes": [2]}
    shown = described({"name": "t", "topic_id": None, "partitions": [partition]})
    assert shown["partitions"] == [{"partition": 0, "leader": None, "replicas": [1, 2], "isr": [2]}]


class FakeAdmin:
    """A group with one member on a partition without commits, and a commit on another."""

    def describe_groups(self, names: list[str]) -> dict[str, Any]:
        topic = {"topic": "t", "partitions": [0]}
        member = {
            "member_id": "m-1",
            "client_id": "c",
            "client_host": "/127.0.0.1",
            "member_assignment": {"assigned_partitions": [topic]},
        }
        facts = {"error": None, "group_state": "Stable", "protocol_data": "range", "members": [member]}
        nobody: dict[str, Any] = {"error": None, "group_state": "Dead", "protocol_data": "", "members": []}
        return {name: facts if name == "g" else nobody for name in names}

    def list_group_offsets(self, wanted: dict[str, None]) -> dict[str, Any]:
        from kafka import TopicPartition

        committed = {TopicPartition("t", 1): SimpleNamespace(offset=4)}
        return {name: committed if name == "g" else {} for name in wanted}

    def list_partition_offsets(self, partitions: dict[Any, Any]) -> dict[Any, Any]:
        return {partition: SimpleNamespace(offset=10) for partition in partitions}


def test_a_group_shows_partitions_with_a_commit_or_a_member() -> None:
    group = facts(FakeAdmin(), "g")
    assert [
        (row["partition"], row["current_offset"], row["log_end_offset"], row["lag"], row["consumer_id"])
        for row in group["partitions"]
    ] == [(0, None, 10, None, "m-1"), (1, 4, 10, 6, None)]


def test_a_group_that_is_dead_and_empty_does_not_exist() -> None:
    with pytest.raises(OperatorError, match="Group nope does not exist"):
        facts(FakeAdmin(), "nope")


def test_a_table_is_as_wide_as_its_widest_cell() -> None:
    rows: list[dict[str, Any]] = [{"topic": "a", "isr": [1, 2]}, {"topic": "longer", "isr": []}]
    assert table(["topic", "isr"], rows) == ["TOPIC   ISR", "a       1,2", "longer  -"]
    assert table(["topic"], []) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), ("", "-"), (0, "0"), ([1, 2], "1,2"), ({"a": "1", "b": "2"}, "a=1,b=2"), ({}, "-")],
)
def test_nothing_is_shown_as_a_dash(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_the_banner_says_where_it_is_and_what_to_try() -> None:
    assert banner("localhost:9092", "./barnabas-data") == [
        "Barnabas 0.1 · Kafka at localhost:9092 · data in ./barnabas-data · Ctrl-C stops",
        "  try:  barnabas produce hello     barnabas consume hello",
    ]


def test_the_banner_of_another_address_shows_commands_that_find_it() -> None:
    first, containers, tries = banner("localhost:5000", "memory", "host.docker.internal:19092")
    assert "data in memory only" in first
    assert containers == "  containers: host.docker.internal:19092"
    assert tries.count("--bootstrap-server localhost:5000") == 2
