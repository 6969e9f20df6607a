"""`barnabas dump-log` prints what Apache Kafka 3.9's DumpLogSegments prints, for the same files, line by line."""

import os
from itertools import zip_longest
from pathlib import Path
from struct import pack

import pytest

from compat_tests import dump_samples as samples
from compat_tests.command import barnabas
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, run_tool

TOOL = {NEWEST: "org.apache.kafka.tools.DumpLogSegments", LAST_WITH_ZOOKEEPER: "kafka.tools.DumpLogSegments"}
DAMAGES = 5
"""Of each file; the Java tool takes half a second for each."""

pytestmark = pytest.mark.campaign


def assert_same(*arguments: str, release: str = LAST_WITH_ZOOKEEPER) -> None:
    """The same lines. Where Kafka breaks off in the middle of a line, we break off before it and say why."""
    theirs, ours = run_tool(release, TOOL[release], *arguments), barnabas("dump-log", *arguments)
    assert ours.returncode == (theirs.returncode != 0), (ours.stderr, theirs.stderr)
    their_lines, our_lines = theirs.stdout.split("\n"), ours.stdout.split("\n")
    if theirs.returncode:
        assert ours.stderr.startswith("barnabas: "), ours.stderr
        assert our_lines.pop() == ""
        their_lines = their_lines[: max(len(our_lines), len(their_lines) - 1)]
    for their_line, our_line in zip_longest(their_lines, our_lines):
        assert our_line == their_line
    if not theirs.returncode:
        assert sorted(ours.stderr.splitlines()) == sorted(theirs.stderr.splitlines())


def in_folder(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize(
    "options",
    [
        ["--deep-iteration"],
        ["--print-data-log", "--skip-record-metadata"],
        ["--max-bytes", "900"],
        ["--verify-index-only"],
        ["--index-sanity-check"],
        ["--key-decoder-class", "kafka.serializer.StringDecoder", "--value-decoder-class"],
    ],
)
async def test_logs_indexes_and_snapshots_of_our_own(options: list[str], tmp_path: Path) -> None:
    partition = await samples.segments(tmp_path)
    files = sorted(str(partition / name) for name in os.listdir(partition) if "." in name)
    assert len(files) > 12
    assert_same(*options, "--files", ",".join(files))


@pytest.mark.parametrize("options", [["--print-data-log"], ["--print-data-log", "--skip-record-metadata"], []])
def test_every_kind_of_batch_and_message(options: list[str], tmp_path: Path) -> None:
    logs = [samples.of_old(0), samples.of_old(1), samples.of_today()]
    files = [str(in_folder(tmp_path / str(number), samples.FIRST, log)) for number, log in enumerate(logs)]
    assert_same(*options, "--files", ",".join(files))


def test_records_of_internal_topics(tmp_path: Path) -> None:
    offsets = in_folder(tmp_path / "o", samples.FIRST, samples.of_offsets())
    transactions = in_folder(tmp_path / "t", samples.FIRST, samples.of_transactions())
    assert_same("--offsets-decoder", "--files", str(offsets))
    assert_same("--offsets-decoder", "--files", str(offsets), release=NEWEST)
    assert_same("--transaction-log-decoder", "--files", str(transactions))


def test_small_files_damaged_or_not(tmp_path: Path) -> None:
    aborted = pack(">hqqqq", 0, 5, 6, 11, 12) * 3
    producers = bytes.fromhex("0001b3c0ffee00000000")
    files = [
        in_folder(tmp_path, f"{0:020}.txnindex", aborted),
        in_folder(tmp_path, f"{1:020}.txnindex", aborted + b"\0" * 30),
        in_folder(tmp_path, f"{2:020}.snapshot", producers),
        in_folder(tmp_path, f"{3:020}.snapshot", b"\0\2" + producers[2:]),
        in_folder(tmp_path, "some.thing", b""),
    ]
    assert_same("--files", ",".join(map(str, files)))


@pytest.mark.parametrize("magic", [0, 1, 2])
def test_damaged_logs_are_read_as_far_as_kafka_reads_them(magic: int, tmp_path: Path) -> None:
    for number, data in enumerate(samples.damages(samples.plain(magic), seed=magic, count=DAMAGES)):
        assert_same("--print-data-log", "--files", str(in_folder(tmp_path / str(number), samples.FIRST, data)))


def test_damage_in_compressed_messages_is_met_where_kafka_meets_it(tmp_path: Path) -> None:
    for number, data in enumerate(samples.damages(samples.of_old(1), seed=201, count=DAMAGES)):
        assert_same("--print-data-log", "--files", str(in_folder(tmp_path / str(number), samples.FIRST, data)))


@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
async def test_damaged_indexes_are_told_as_kafka_tells_them(suffix: str, tmp_path: Path) -> None:
    partition = await samples.segments(tmp_path)
    index = (partition / samples.FIRST).with_suffix(suffix)
    for data in samples.damages(index.read_bytes(), seed=1, count=DAMAGES):
        index.write_bytes(data)
        assert_same("--files", str(index))
        assert_same("--index-sanity-check", "--files", str(index))
