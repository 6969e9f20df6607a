"""Clients of Node and Go that share no line of code with those of Python and Java: kafkajs, franz-go, sarama, kafka-go.

What each wrote is read by itself and by kafka-python. Lines that they were told are safe outlive `kill -9`.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE
from threading import Timer
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess
from compat_tests.command import environment
from compat_tests.other_languages.programs import Program, go_client, kafkajs

pytestmark = pytest.mark.campaign

ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CODECS = {"kafkajs": ALL_CODECS[:3], "franz-go": ALL_CODECS, "sarama": ALL_CODECS, "kafka-go": ALL_CODECS}
"""kafkajs wants compiled extras for the last two."""
IDEMPOTENT = {"kafkajs", "franz-go", "sarama"}
WITHIN_S = 60
RECORDS = [[f"key {n}", str(n)] for n in range(5)]


@dataclass(frozen=True)
class Judge:
    name: str
    program: Program
    bootstrap: str

    @contextmanager
    def running(self, *verb: str) -> Iterator["subprocess.Popen[str]"]:
        command = [*self.program.command, self.bootstrap, *verb]
        variables = environment(**self.program.variables)
        with subprocess.Popen(command, env=variables, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as process:
            patience = Timer(WITHIN_S, process.kill)
            patience.start()
            try:
                yield process
            finally:
                patience.cancel()
                process.kill()

    def ask(self, *verb: str) -> Any:
        """What it tells in its one line."""
        with self.running(*verb) as process:
            [told] = ended(process)
        return told


def ended(process: "subprocess.Popen[str]") -> list[Any]:
    """The rest of what it tells, now that its stdin ends. Raises: AssertionError with its error."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.close()
    told = process.stdout.readlines()  # not `communicate`, which forgets what lies in the buffer of `readline`
    errors = process.stderr.read()
    assert process.wait() == 0, errors
    return [json.loads(line) for line in told]


def next_told(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "" if process.stderr is None else process.stderr.read()
    return json.loads(line)


@pytest.fixture(params=CODECS)
def judge(request: pytest.FixtureRequest, broker: BrokerProcess) -> Judge:
    return judge_of(request.param, broker)


def judge_of(name: str, broker: BrokerProcess) -> Judge:
    return Judge(name, kafkajs() if name == "kafkajs" else go_client(name), broker.bootstrap)


def create(broker: BrokerProcess, partitions: int, *names: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.create_topics([NewTopic(name=name, num_partitions=partitions, replication_factor=1) for name in names])
    admin.close()


def read_by_kafka_python(broker: BrokerProcess, topic: str) -> list[Any]:
    """All records of a topic's only partition."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end, records = consumer.end_offsets([partition])[partition], []
    while consumer.position(partition) < end:
        records += [record for some in consumer.poll(500).values() for record in some]
    consumer.close()
    return records


def test_what_it_writes_in_each_codec_is_read_by_itself_and_by_kafka_python(
    judge: Judge, broker: BrokerProcess, topic: str
) -> None:
    create(broker, 1, *(f"{topic}-{codec}" for codec in CODECS[judge.name]))
    for codec in CODECS[judge.name]:
        expected = [[key, f"{codec} {number}", number] for key, number in RECORDS]
        judge.ask("write", f"{topic}-{codec}", codec, str(len(RECORDS)))
        assert judge.ask("read", f"{topic}-{codec}", str(len(RECORDS)))["records"] == expected, codec
        read = read_by_kafka_python(broker, f"{topic}-{codec}")
        found = [[each.key.decode(), each.value.decode(), dict(each.headers)["number"].decode()] for each in read]
        assert found == expected, codec


def test_two_members_share_a_topic_and_others_go_on_where_they_committed(
    judge: Judge, broker: BrokerProcess, topic: str
) -> None:
    create(broker, 4, topic)
    for half in ("first", "second"):
        lines = [f"{half} {n}" for n in range(20)]
        with judge.running("group", topic, f"group of {topic}", str(len(lines))) as members:
            partitions = next_told(members)["partitions"]
            with KafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
                for n, line in enumerate(lines):
                    producer.send(topic, line.encode(), partition=n % 4)
            [told] = ended(members)
        assert [len(own) for own in partitions] == [2, 2]
        assert sorted(each for own in partitions for each in own) == [0, 1, 2, 3]
        assert sorted(told["values"]) == sorted(lines)


def test_its_admin_creates_lists_describes_and_deletes_a_topic(judge: Judge, topic: str) -> None:
    assert judge.ask("admin", topic) == {
        "created": True,
        "again": False,
        "listed": True,
        "partitions": 3,
        "retention": "3600000",
        "gone": True,
    }


@pytest.mark.parametrize("name", CODECS)
def test_what_was_acknowledged_outlives_a_killed_broker(name: str, own_broker: BrokerProcess, topic: str) -> None:
    """Twice; and an idempotent producer's lines are there once, in order, although it sent some again."""
    create(own_broker, 1, topic)
    with judge_of(name, own_broker).running("write-on", topic) as writer:
        acknowledged = [next_told(writer)["acknowledged"] for _ in range(200)]
        for _ in range(2):
            own_broker.kill()
            own_broker.start()
            last = acknowledged[-1]
            while acknowledged[-1] < last + 200:
                acknowledged.append(next_told(writer)["acknowledged"])
        acknowledged += [each["acknowledged"] for each in ended(writer)]
    stored = [int(record.value) for record in read_by_kafka_python(own_broker, topic)]
    assert acknowledged == list(range(len(acknowledged)))
    if name in IDEMPOTENT:
        assert stored == acknowledged
    else:
        assert sorted(set(stored)) == acknowledged
