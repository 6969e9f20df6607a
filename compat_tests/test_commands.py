"""`barnabas topics`, `produce`, `consume`, `groups` against our own broker: output, JSON, exit codes, closed pipes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.command import ROOT, barnabas, environment


class AtBroker:
    """The command with the broker's address in the environment, as users keep it in their shell."""

    def __init__(self, broker: BrokerProcess) -> None:
        self.variables = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap}

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """What it printed; asserts the exit code, and that only a failure says something on stderr."""
        ended = barnabas(*arguments, folder=ROOT, stdin=stdin, **self.variables)
        assert ended.returncode == code, ended.stderr
        assert (ended.stderr != "") == (code != 0), ended.stderr
        return ended.stdout if code == 0 else ended.stderr

    def rows(self, *arguments: str) -> Iterator[dict[str, Any]]:
        return map(json.loads, self(*arguments, "--output", "json").splitlines())


@pytest.fixture(scope="module")
def at(broker: BrokerProcess) -> AtBroker:
    return AtBroker(broker)


def test_topics_are_created_listed_described_grown_and_deleted(at: AtBroker, topic: str) -> None:
    assert at("topics", "create", topic, "--partitions", "2", "--config", "retention.ms=5000") == (
        f"Created topic {topic}.\n"
    )
    assert {"topic": topic, "partitions": 2, "replicas": 1, "internal": False} in at.rows("topics", "list")
    assert f"{topic}  2           1" in at("topics", "list")
    assert at("topics", "alter", topic, "--partitions", "3") == f"Topic {topic} has 3 partitions.\n"
    [described] = at.rows("topics", "describe", topic)
    assert described["partitions"] == [{"partition": n, "leader": 0, "replicas": [0], "isr": [0]} for n in range(3)]
    assert described["configs"]["retention.ms"] == "5000"
    assert at("topics", "delete", topic) == f"Deleted topic {topic}.\n"
    assert topic not in at("topics", "list")


def test_options_of_a_topic_are_set_and_given_back(at: AtBroker, topic: str) -> None:
    at("topics", "create", topic, "--config", "retention.ms=5000")
    said = at("topics", "alter", topic, "--config", "max.message.bytes=9000", "--delete-config", "retention.ms")
    assert said == f"Updated options of topic {topic}.\n"
    [described] = at.rows("topics", "describe", topic)
    assert described["configs"] == {"max.message.bytes": "9000"}
    said = at("topics", "alter", topic, "--config", "max.message.bytes=many", code=1)
    assert f"The options of topic {topic} were not changed." in said
    assert "max.message.bytes is 'many'; it must be" in said


def test_a_topic_that_is_there_already_or_not_at_all_fails_unless_that_was_allowed(at: AtBroker, topic: str) -> None:
    at("topics", "create", topic)
    assert f"barnabas: Cannot create topic {topic}: TopicAlreadyExists." in at("topics", "create", topic, code=1)
    assert at("topics", "create", topic, "--if-not-exists") == ""
    at("topics", "delete", topic)
    assert "UnknownTopicOrPartition" in at("topics", "delete", topic, code=1)
    assert at("topics", "delete", topic, "--if-exists") == ""
    assert "UnknownTopicOrPartition" in at("topics", "describe", topic, code=1)


def test_a_bad_option_of_a_topic_is_refused_in_the_brokers_words(at: AtBroker, topic: str) -> None:
    said = at("topics", "create", topic, "--config", "retention.mss=1", code=1)
    assert "InvalidConfiguration" in said
    assert "retention.mss" in said


def test_lines_with_keys_and_headers_go_in_and_come_out_in_any_form(at: AtBroker, topic: str) -> None:
    assert at("produce", topic, "-K:", "-H", "colour=red", "-z", "lz4", stdin="a:1\nb:2\n") == ""
    at("produce", topic, "three", "--acks", "1")
    assert at("consume", topic, "-e") == "1\n2\nthree\n"
    assert at("consume", topic, "-n", "1", "-f", "%t/%p@%o %k=%s %h\\n") == f"{topic}/0@0 a=1 colour=red\n"
    first, second, third = at.rows("consume", topic, "-e")
    assert (first["key"], first["value"], first["headers"]) == ("a", "1", [{"name": "colour", "value": "red"}])
    assert (second["offset"], third["key"]) == (1, None)


def test_what_is_no_text_is_shown_as_base64(at: AtBroker, topic: str) -> None:
    command = [sys.executable, "-m", "barnabas", "produce", topic]
    subprocess.run(command, env=environment(**at.variables), cwd=ROOT, input=b"\xff\xfe\n", check=True, timeout=60)
    [row] = at.rows("consume", topic, "-e")
    assert row["value_base64"] == "//4="
    assert "value" not in row


def test_a_line_without_its_key_fails_and_says_which(at: AtBroker, topic: str) -> None:
    assert "No key in line 2." in at("produce", topic, "-K:", stdin="a:1\nb\n", code=1)


def test_a_record_that_is_too_large_fails(at: AtBroker, topic: str) -> None:
    assert "barnabas: " in at("produce", topic, stdin="x" * 2_000_000, code=1)


def test_a_group_goes_on_where_it_was_and_is_described_and_deleted(at: AtBroker, topic: str) -> None:
    at("produce", topic, "1", "2", "3")
    assert at("consume", topic, "-g", topic, "-n", "2") == "1\n2\n"
    assert at("consume", topic, "-g", topic, "-n", "1") == "3\n"
    at("produce", topic, "4")
    listed = {row["group"]: row for row in at.rows("groups", "list")}
    assert (listed[topic]["protocol"], listed[topic]["state"]) == ("consumer", "Empty")
    [group] = at.rows("groups", "describe", topic)
    assert (group["state"], group["members"]) == ("Empty", [])
    [partition] = group["partitions"]
    assert (partition["current_offset"], partition["log_end_offset"], partition["lag"]) == (3, 4, 1)
    assert f"Group {topic}: Empty, 0 members." in at("groups", "describe", topic)
    assert at("groups", "delete", topic) == f"Deleted group {topic}.\n"
    assert "does not exist" in at("groups", "describe", topic, code=1)
    assert "GroupIdNotFound" in at("groups", "delete", topic, code=1)


def test_a_group_with_a_member_is_not_deleted(at: AtBroker, topic: str) -> None:
    at("produce", topic, "1")
    member = reader(at, topic, "-g", topic)
    try:
        assert member.stdout is not None
        assert member.stdout.readline() == b"1\n"
        [group] = at.rows("groups", "describe", topic)
        [only] = group["members"]
        assert group["state"] == "Stable"
        assert [row["consumer_id"] for row in group["partitions"]] == [only["consumer_id"]]
        assert "It has members" in at("groups", "delete", topic, code=1)
        member.send_signal(signal.SIGINT)
        assert member.wait(20) == 130
        assert member.stderr is not None
        assert b"Traceback" not in member.stderr.read()
        assert next(at.rows("groups", "describe", topic))["members"] == []  # it said goodbye
    finally:
        end(member)


def test_a_reader_that_has_enough_ends_the_consumer_quietly(at: AtBroker, topic: str) -> None:
    """`barnabas consume t | head -1`."""
    at("produce", topic, stdin="".join(f"line {n}\n" for n in range(20_000)))
    consumer = reader(at, topic)
    try:
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == b"line 0\n"
        consumer.stdout.close()
        assert consumer.wait(30) == 0
        assert consumer.stderr is not None
        assert consumer.stderr.read() == b""
    finally:
        end(consumer)


def reader(at: AtBroker, topic: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "barnabas", "consume", topic, *arguments],
        cwd=ROOT,
        env=environment(**at.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def test_a_closed_standard_output_is_no_failure(at: AtBroker) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "barnabas", "topics", "list"],
            cwd=ROOT,
            env=environment(**at.variables),
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
