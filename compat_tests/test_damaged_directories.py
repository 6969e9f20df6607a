"""A real broker starts with files gone, foreign or read-only. docs/reliability.md says which row each test holds."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.errors import CorruptRecordError, KafkaStorageError

from compat_tests.broker_process import BrokerProcess
from compat_tests.short_logs import (
    create,
    file_of,
    leaders,
    producer_of,
    read,
    segments_of,
    send,
    several_segments,
    until,
)
from compat_tests.tools_at_hand import needs
from kproto.records.batch import split

pytestmark = pytest.mark.campaign
OPTIONS = {"broker.id": "0", "offsets.topic.replication.factor": "1"}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker with one data directory."""
    broker = BrokerProcess(tmp_path, properties=OPTIONS).start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("stopped", ["cleanly", "killed"])
def test_a_segment_that_is_gone_is_missed_and_all_others_are_served(
    one: BrokerProcess, topic: str, stopped: str
) -> None:
    """Row 55, with CORRUPT_MESSAGE: a consumer that begins again by itself at OFFSET_OUT_OF_RANGE would never end."""
    sent = several_segments(one, topic)
    one.stop()
    if stopped == "killed":
        one.start()  # what it finds is durable, so a kill now does not make it a torn tail
        one.kill()
    first, gone, third = (int(file.stem) for file in segments_of(one, topic)[:3])
    for file in one.data.glob(f"{topic}-0/{gone:020}.*"):
        file.unlink()
    one.start()
    for offset in (first, gone):
        with pytest.raises(CorruptRecordError):
            read(one, topic, offset)
    assert read(one, topic, third) == {offset: value for offset, value in sent.items() if offset >= third}
    assert one.log.read_text().count(f"offsets {gone} to {third - 1} are missing") == 1
    producer = producer_of(one)
    assert send(producer, topic, b"goes on") == 10
    producer.close()


def test_a_rotten_batch_in_the_newest_segment_is_served_around_at_every_start(one: BrokerProcess, topic: str) -> None:
    """Row 53: a bit of its length, so that nothing seems to follow it; after clean stops and after a kill."""
    create(one, topic)
    producer = producer_of(one)
    sent = [b"%d" % number for number in range(10)]
    for value in sent:
        send(producer, topic, value)
    producer.close()
    one.stop()
    stored = bytearray(file_of(one, topic).read_bytes())
    stored[sum(len(batch) for _, batch in list(split(memoryview(bytes(stored))))[:8]) + 10] ^= 1
    file_of(one, topic).write_bytes(stored)
    for end in (one.stop, one.stop, one.kill, one.stop):
        one.start()
        with pytest.raises(CorruptRecordError):
            read(one, topic, 8)
        assert read(one, topic, 9) == dict(enumerate(sent[9:], 9))
        producer = producer_of(one)
        sent.append(b"goes on")
        assert send(producer, topic, sent[-1]) == len(sent) - 1
        producer.close()
        end()


def test_the_segment_of_another_partition_is_refused(one: BrokerProcess, topic: str) -> None:
    """Row 56: the partition is offline, its neighbour is not, and no file is changed."""
    other = f"{topic}-other"
    several_segments(one, topic, other)
    one.stop()
    mine, theirs = segments_of(one, topic), segments_of(one, other)
    assert [file.name for file in mine] != [file.name for file in theirs]
    shutil.copy(theirs[3], mine[2])
    copied = mine[2].read_bytes()
    one.start()
    producer = producer_of(one)
    assert "it belongs to another partition" in one.log.read_text()
    assert leaders(one, topic, other) == {topic: -1, other: 0}
    assert send(producer, other, b"goes on") == 10
    producer.close()
    assert mine[2].read_bytes() == copied


class WithoutRights(BrokerProcess):
    """Root loses its exemption from the rights of files."""

    @property
    def _command(self) -> list[str]:
        if os.geteuid():
            return super()._command
        return [needs("setpriv"), "--bounding-set=-dac_override,-dac_read_search", *super()._command]


@pytest.fixture
def two(tmp_path: Path, topic: str) -> Iterator[BrokerProcess]:
    """A broker over `one` and `two`, where rights count; each holds one of `TOPIC` and `TOPIC-other`, in this order."""
    dirs = f"{tmp_path / 'one'},{tmp_path / 'two'}"
    broker = WithoutRights(tmp_path, properties={**OPTIONS, "log.dirs": dirs}).start()
    several_segments(broker, topic)
    several_segments(broker, f"{topic}-other")
    assert (tmp_path / "two" / f"{topic}-other-0").exists()
    yield broker
    broker.stop()


def test_a_directory_that_becomes_read_only_takes_only_its_own(two: BrokerProcess, topic: str) -> None:
    """Row 57: by the rights of the directory, noticed when the next segment has to be made."""
    folder = two.folder / "two"
    places = [folder / f"{topic}-other-0", folder]
    for place in places:
        place.chmod(0o555)
    producer = producer_of(two)
    with pytest.raises(KafkaStorageError):
        for _ in range(3):
            send(producer, f"{topic}-other", b"x" * 1_500)
    until(lambda: f"The data directory {folder} is offline" in two.log.read_text())
    assert [send(producer, topic, b"x" * 1_500) for _ in range(3)] == [10, 11, 12]
    producer.close()
    for place in places:
        place.chmod(0o755)
    two.stop()
    two.start()
    assert set(range(10)) <= set(read(two, f"{topic}-other"))


def test_a_directory_on_a_read_only_file_system_takes_only_its_own(two: BrokerProcess, topic: str) -> None:
    """Row 57: by a read-only mount, in a mount namespace of our own, met at the start."""
    two.stop()
    folder = two.folder / "two"
    mount = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"
    namespace = [needs("unshare"), "-rm", "sh", "-c"]
    probe = subprocess.run([*namespace, mount], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no mount namespace for this user: {probe.stderr.decode().strip()}")
    mounted = Mounted(two, [*namespace, f'{mount} && exec "$@"', "sh"])
    mounted.start()
    try:
        assert f"The data directory {folder} is offline" in two.log.read_text()
        assert leaders(mounted, topic, f"{topic}-other") == {topic: 0, f"{topic}-other": -1}
        assert set(read(mounted, topic)) == set(range(10))
    finally:
        mounted.stop()
    two.start()
    assert set(read(two, f"{topic}-other")) == set(range(10))


class Mounted(BrokerProcess):
    """The same broker, in another view of the file system."""

    def __init__(self, like: BrokerProcess, namespace: list[str]) -> None:
        self.__dict__.update(like.__dict__)
        self._namespace = namespace

    @property
    def _command(self) -> list[str]:
        return [*self._namespace, *super()._command]


def test_a_directory_that_was_lost_does_not_begin_empty(two: BrokerProcess, topic: str) -> None:
    """Row 58, with one of several directories; it is back when it is restored."""
    two.stop()
    shutil.move(two.folder / "two", two.folder / "unmounted")
    two.start()
    assert f"The data directory {two.folder / 'two'} is offline" in two.log.read_text()
    assert leaders(two, topic, f"{topic}-other") == {topic: 0, f"{topic}-other": -1}
    producer = producer_of(two)
    assert send(producer, topic, b"goes on") == 10
    producer.close()
    two.stop()
    shutil.rmtree(two.folder / "two")
    shutil.move(two.folder / "unmounted", two.folder / "two")
    two.start()
    assert set(read(two, f"{topic}-other")) == set(range(10))
