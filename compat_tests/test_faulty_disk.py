"""The disk of a real broker fails under unmodified clients. docs/reliability.md says which row each test holds."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaStorageError

from compat_tests.broker_process import BrokerProcess
from compat_tests.short_logs import create, file_of, leaders, producer_of, read, send, until
from compat_tests.system_call_faults import FOR_EVER_US, faults

pytestmark = pytest.mark.campaign
OPTIONS = {"broker.id": "0", "group.min.session.timeout.ms": "1000", "offsets.topic.replication.factor": "1"}
SILENCE_S = 6.0
"""Longer than the group waits for a member's heartbeat."""


@pytest.fixture
def one(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker with one data directory."""
    broker = BrokerProcess(tmp_path, properties=OPTIONS).start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("error", ["EIO", "EROFS"])
def test_a_write_that_fails_takes_its_partition_offline_and_no_other(
    one: BrokerProcess, topic: str, error: str
) -> None:
    """Rows 47 and 57."""
    other = f"{topic}-other"
    create(one, topic, other)
    producer = producer_of(one)
    assert [send(producer, topic, b"kept"), send(producer, other, b"kept")] == [0, 0]
    with faults(one, file_of(one, topic), pwrite64=f"error={error}") as trace:
        with pytest.raises(KafkaStorageError):
            send(producer, topic, b"lost")
        assert trace.injected() == 1
        assert send(producer, other, b"goes on") == 1
    producer.close()
    until(lambda: leaders(one, topic, other) == {topic: -1, other: 0})
    assert read(one, other) == {0: b"kept", 1: b"goes on"}
    one.stop()
    one.start()
    assert read(one, topic) == {0: b"kept"}


def test_a_full_disk_refuses_one_record_and_takes_the_next(one: BrokerProcess, topic: str) -> None:
    """Rows 44 and 46, where the system says so in the middle of a write and not before."""
    create(one, topic)
    producer = producer_of(one)
    send(producer, topic, b"kept")
    with faults(one, file_of(one, topic), pwrite64="error=ENOSPC:when=1"):
        with pytest.raises(KafkaStorageError):
            send(producer, topic, b"refused")
        assert read(one, topic) == {0: b"kept"}
    until(lambda: _is_taken(producer, topic, b"fits again"))
    producer.close()
    assert read(one, topic) == {0: b"kept", 1: b"fits again"}


def _is_taken(producer: Any, topic: str, value: bytes) -> bool:
    try:
        send(producer, topic, value)
    except KafkaStorageError:
        return False
    return True


def test_a_read_that_fails_takes_its_partition_offline_and_no_other(one: BrokerProcess, topic: str) -> None:
    """Row 47; a consumer gets nothing instead of something wrong."""
    other = f"{topic}-other"
    create(one, topic, other)
    producer = producer_of(one)
    for name in (topic, other):
        send(producer, name, b"kept")
    with faults(one, file_of(one, topic), pread64="error=EIO:when=1") as trace:
        place = TopicPartition(topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=one.bootstrap)
        consumer.assign([place])
        consumer.seek(place, 0)
        until(lambda: trace.injected() == 1 or bool(consumer.poll(100)))
        assert trace.injected() == 1
        assert not consumer.poll(0)
        consumer.close(autocommit=False)
        assert read(one, other) == {0: b"kept"}
    until(lambda: leaders(one, topic, other) == {topic: -1, other: 0})
    assert send(producer, other, b"goes on") == 1
    producer.close()


def test_a_run_of_a_file_that_cannot_be_sent_ends_the_connection_and_is_asked_for_again(
    one: BrokerProcess, topic: str
) -> None:
    """Row 47: the answer has begun when `sendfile` fails, so nothing but its end can tell the client."""
    create(one, topic)
    producer = producer_of(one)
    values = [b"%d" % number * 20_000 for number in range(10)]
    for value in values:
        send(producer, topic, value)
    producer.close()
    with faults(one, file_of(one, topic), sendfile="error=EIO:when=1") as trace:
        assert list(read(one, topic).values()) == values
        assert trace.injected() == 1


def test_an_fsync_that_failed_once_is_never_built_upon(one: BrokerProcess, topic: str) -> None:
    """Row 48: one fails, all that follow would succeed."""
    other = f"{topic}-other"
    create(one, topic, other, flush_messages="1")
    producer = producer_of(one)
    with faults(one, file_of(one, topic), fdatasync="error=EIO:when=2") as trace:
        send(producer, topic, b"makes the file, or is the first")
        acked = 1
        with pytest.raises(KafkaStorageError):
            for _ in range(50):  # each thread of the broker counts its own fsyncs
                send(producer, topic, b"more")
                acked += 1
        until(lambda: leaders(one, topic, other) == {topic: -1, other: 0})
        assert send(producer, other, b"goes on") == 0
        assert trace.injected() == 1
        assert trace.last_was_injected("fdatasync")
    producer.close()
    assert "fsync failed (Input/output error); what was written cannot be trusted" in one.log.read_text()
    one.stop()
    one.start()
    assert list(read(one, topic).values())[1:acked] == [b"more"] * (acked - 1)


def test_an_fsync_that_hangs_holds_only_its_own_partition(one: BrokerProcess, topic: str) -> None:
    """Row 49: it hangs until the test ends it, for longer than a group waits for a heartbeat."""
    other = f"{topic}-other"
    create(one, topic, other, flush_messages="1")
    producer, second = producer_of(one), producer_of(one)
    for name in (topic, other):
        send(producer, name, b"first")
    member = KafkaConsumer(
        other,
        bootstrap_servers=one.bootstrap,
        group_id="g",
        session_timeout_ms=5_000,
        heartbeat_interval_ms=500,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    seen: list[bytes] = []

    def poll(wait_ms: int) -> None:
        for records in member.poll(wait_ms).values():
            seen.extend(record.value for record in records)

    while not seen:
        poll(5_000)  # kafka-python 3.0.12 forgets an assignment that comes between two polls
    generation = generation_of(member)
    with faults(one, file_of(one, topic), fdatasync=f"delay_enter={FOR_EVER_US}") as trace:
        waiting = producer.send(topic, b"waits", partition=0)
        until(lambda: trace.begun("fdatasync"))
        began = time.monotonic()
        while time.monotonic() - began < SILENCE_S or len(seen) < 20:
            send(second, other, b"goes on")
            poll(50)
        member.commit()
        assert not waiting.is_done
    assert waiting.get(30).offset == 1
    assert generation_of(member) == generation
    assert "fsync failed" not in one.log.read_text()
    member.close()
    producer.close()
    second.close()


def generation_of(member: Any) -> tuple[int, str]:
    found = member._coordinator._generation
    return found.generation_id, found.member_id


def test_a_write_that_is_cut_short_and_then_fails_leaves_no_torn_batch(one: BrokerProcess, topic: str) -> None:
    """Rows 50 and 51: a limit on the size of files lets the first half of a batch through, and no more."""
    create(one, topic)
    producer = producer_of(one)
    send(producer, topic, b"kept")
    size = file_of(one, topic).stat().st_size
    before = resource.prlimit(one.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (size + 500, before[1]))
    with pytest.raises(KafkaStorageError):
        send(producer, topic, b"torn" * 1_000)
    producer.close()
    one.kill()
    assert file_of(one, topic).stat().st_size in (size, size + 500)
    one.start()
    assert read(one, topic) == {0: b"kept"}
    producer = producer_of(one)
    assert send(producer, topic, b"goes on") == 1
    producer.close()
