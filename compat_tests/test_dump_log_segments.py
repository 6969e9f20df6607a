"""Apache Kafka's DumpLogSegments reads our segments, indexes and snapshots, and finds nothing to complain about."""

import re
from pathlib import Path

import pytest

from broker.storage.files import SystemDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, started, storage_on
from compat_tests.jars import LAST_WITH_ZOOKEEPER, NEWEST, run_tool
from kproto.records.compression import Codec

TOOL = {NEWEST: "org.apache.kafka.tools.DumpLogSegments", LAST_WITH_ZOOKEEPER: "kafka.tools.DumpLogSegments"}
BATCHES, RECORDS = 300, 10

FALSE_ALARM = re.compile(r"Non-consecutive offsets in \S+\n  -1 is followed by \d+\n")
"""4.3.1 says so of every segment that does not begin with offset 0, of Kafka's own too; 3.9.2 does not."""
HEADING = re.compile(r"(Dumping \S+|Log starting offset: \d+)")
BATCH = re.compile(r"baseOffset: (\d+) lastOffset: (\d+) count: (\d+) .* isvalid: true")
RECORD = re.compile(r"\| offset: (\d+) .* payload: (.*)")
INDEX_ENTRY = re.compile(r"(offset: \d+ position: \d+|timestamp: \d+ offset: \d+)")
PRODUCER = re.compile(r"producerId: (\d+) .* lastSequence: (\d+) lastOffset: (\d+) .*")


async def a_partition(directory: Path) -> Path:
    """Several segments, all codecs, two idempotent producers, three leader epochs; stopped cleanly."""
    storage = storage_on(SystemDisk(), [directory])
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=40_000, index_interval_bytes=1000))
    for number in range(BATCHES):
        values = [f"value {number} {record}" for record in range(RECORDS)]
        producer = (5 + number % 2, 0, number // 2 * RECORDS)
        codec = list(Codec)[number % len(Codec)]
        # sometimes back in time
        at_ms = NOW_MS + 100 * number - 5000 * (number % 7 == 3)
        log.append(batch(*values, at_ms=at_ms, codec=codec, producer=producer), number // 100, NOW_MS)
    await storage.close()
    return directory / log.name


@pytest.mark.parametrize("release", [NEWEST, LAST_WITH_ZOOKEEPER])
async def test_kafkas_dump_tool_reads_our_files_and_does_not_complain(release: str, tmp_path: Path) -> None:
    partition = await a_partition(tmp_path)
    files = [name for name in SystemDisk().names(partition) if re.search(r"\.(log|index|timeindex|snapshot)$", name)]
    assert sum(name.endswith(".log") for name in files) > 1
    paths = ",".join(str(partition / name) for name in files)
    dumped = run_tool(release, TOOL[release], "--deep-iteration", "--print-data-log", "--files", paths)
    complaints = FALSE_ALARM.sub("", dumped.stderr) if release == NEWEST else dumped.stderr
    assert (dumped.returncode, complaints) == (0, "")
    offsets, payloads, entries, producers = [], [], 0, []
    for line in dumped.stdout.splitlines():
        if found := BATCH.fullmatch(line):
            offsets.append(int(found[1]))
        elif found := RECORD.fullmatch(line):
            payloads.append(found[2])
        elif INDEX_ENTRY.fullmatch(line):
            entries += 1
        elif found := PRODUCER.fullmatch(line):
            producers.append((int(found[1]), int(found[2]), int(found[3])))
        else:
            assert HEADING.fullmatch(line), f"the tool complains: {line}"
    assert offsets == list(range(0, BATCHES * RECORDS, RECORDS))
    assert payloads == [f"value {number} {record}" for number in range(BATCHES) for record in range(RECORDS)]
    assert entries > 40
    assert producers[-2:] == [(5, 1499, 2989), (6, 1499, 2999)]
