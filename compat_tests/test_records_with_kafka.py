"""Apache Kafka's own reader of log files judges our record batches, in every compression."""

import re
from pathlib import Path

import pytest

from compat_tests.jars import NEWEST, OLD, run_tool
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.record import Record

EACH = 3


@pytest.mark.parametrize(
    ("release", "main_class", "codecs"),
    [
        (NEWEST, "org.apache.kafka.tools.DumpLogSegments", list(Codec)),
        (OLD, "kafka.tools.DumpLogSegments", [Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4]),
    ],
)
def test_the_dump_tool_reads_every_record_of_every_codec(
    tmp_path: Path, release: str, main_class: str, codecs: list[Codec]
) -> None:
    """Values of 100 000 bytes, so that lz4 has several blocks and snappy several chunks."""
    log = b""
    for number, codec in enumerate(codecs):
        records = [Record(0, 1_000, b"key", b"%s-%d " % (codec.name.encode(), i) + b"x" * 100_000) for i in range(EACH)]
        log += build_batch(records, codec=codec, base_offset=number * EACH, leader_epoch=0)
    marker = EndTxnMarker(MarkerType.COMMIT, 9)
    log += build_marker(
        marker, producer_id=7, producer_epoch=1, timestamp_ms=5, base_offset=EACH * len(codecs), leader_epoch=0
    )
    file = tmp_path / "00000000000000000000.log"
    file.write_bytes(log)
    said = run_tool(release, main_class, "--deep-iteration", "--print-data-log", "--files", str(file))
    for codec in codecs:
        for index in range(EACH):
            assert re.search(rf"payload: {codec.name}-{index} x{{100000}}$", said.stdout, re.MULTILINE), said.stderr
    assert "COMMIT" in said.stdout
    assert "isvalid: false" not in said.stdout
