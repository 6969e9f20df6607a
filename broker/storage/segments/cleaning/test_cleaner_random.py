"""Any life of a compacted log: who reads it from its start builds the same table as who saw every record."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.clock import SetClock
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, StorageOptions, everything, started, storage_on, stored
from kproto.records.batch import BatchHeader, build_batch, crc_is_right, read_records, split
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.record import Record

DELETE_RETENTION_MS = 1000


@st.composite
def appends(draw: st.DrawFn) -> tuple[object, ...]:
    keys = st.one_of(st.none(), st.integers(0, 6).map(lambda n: f"k{n}".encode()))
    values = st.one_of(st.none(), st.integers(0, 40).map(lambda n: b"v" * n))
    rows = draw(st.lists(st.tuples(keys, values, st.integers(-2000, 2000)), min_size=1, max_size=5))
    kind = draw(st.sampled_from(["plain", "plain", "idempotent", "committed", "aborted", "open"]))
    return "append", rows, kind, draw(st.integers(1, 3)), draw(st.sampled_from(list(Codec)))


STEPS = st.one_of(
    appends(),
    appends(),
    appends(),
    st.tuples(st.just("clean")),
    st.tuples(st.just("clean")),
    st.tuples(st.just("pass time"), st.sampled_from([1, 500, 1500])),
    st.tuples(st.just("start again"), st.booleans()),
    st.tuples(st.just("segment bytes"), st.sampled_from([1, 150, 400, 2000])),
    st.tuples(st.just("watermark"), st.integers(0, 10)),
)


@dataclass
class Life:
    """A log, and what was told to it."""

    lag_ms: int
    map_bytes: int
    records: dict[int, Record] = field(default_factory=dict)
    """All data, by offset."""
    undone: set[int] = field(default_factory=set)
    """Offsets of aborted or undecided records."""
    opened: dict[int, list[int]] = field(default_factory=dict)
    """By producer id, offsets of its open transaction."""
    sequences: dict[int, int] = field(default_factory=dict)
    log: SegmentLog = field(init=False)
    storage: SegmentStorage = field(init=False)

    def __post_init__(self) -> None:
        self.disk, self.clock = FakeDisk(), SetClock(NOW_MS)
        self.options = LogOptions(
            cleanup_policy=["compact"],
            segment_bytes=400,
            index_interval_bytes=100,
            min_cleanable_dirty_ratio=0.0,
            min_compaction_lag_ms=self.lag_ms,
            delete_retention_ms=DELETE_RETENTION_MS,
        )

    async def open(self) -> None:
        settings = StorageOptions(log_cleaner_dedupe_buffer_size=self.map_bytes)
        self.storage = storage_on(self.disk, clock=self.clock, options=settings, defaults=self.options)
        await started(self.storage)
        self.log = self.storage.create(ORDERS, "orders", self.options)

    async def do(self, step: tuple[object, ...]) -> None:
        match step:
            case ("append", list() as rows, str() as kind, int() as producer_id, Codec() as codec):
                self._append(rows, kind, producer_id, codec)
            case ("clean",):
                await self.storage._chores.cleaning.clean_next()
            case ("pass time", int() as ms):
                self.clock.advance(ms)
            case ("start again", bool() as power_cut):
                await self.log.flush()
                self.disk = self.disk.after_crash(power_cut=power_cut)
                await self.open()
                self.log.high_watermark = self.log.end_offset
            case ("segment bytes", int() as count):
                self.options.segment_bytes = count
            case ("watermark", int() as below):
                self.log.high_watermark = max(self.log.end_offset - below, 0)

    def _append(
        self, rows: list[tuple[bytes | None, bytes | None, int]], kind: str, producer_id: int, codec: Codec
    ) -> None:
        now_ms = self.clock.now_ms()
        records = [Record(0, now_ms + shift, key, value, [("h", b"1")]) for key, value, shift in rows]
        transactional = kind in ("committed", "aborted", "open")
        if not transactional and self.opened.get(producer_id):
            kind = "plain"
        producer = -1 if kind == "plain" else producer_id
        sequence = self.sequences.get(producer_id, 0) if producer >= 0 else -1
        made = build_batch(
            records,
            codec=codec,
            producer_id=producer,
            producer_epoch=0 if producer >= 0 else -1,
            base_sequence=sequence,
            transactional=transactional,
        )
        base = self.log.append(memoryview(bytearray(made)), 0, now_ms)
        if producer >= 0:
            self.sequences[producer_id] = sequence + len(records)
        for number, record in enumerate(records):
            record.offset = base + number
            self.records[record.offset] = record
        if transactional:
            mine = self.opened.setdefault(producer_id, [])
            mine += [record.offset for record in records]
            self.undone.update(mine)
            if kind != "open":
                self._end(producer_id, MarkerType.COMMIT if kind == "committed" else MarkerType.ABORT)
        self.log.high_watermark = self.log.end_offset

    def _end(self, producer_id: int, kind: MarkerType) -> None:
        now_ms = self.clock.now_ms()
        marker = build_marker(EndTxnMarker(kind, 0), producer_id=producer_id, producer_epoch=0, timestamp_ms=now_ms)
        self.log.append(memoryview(bytearray(marker)), 0, now_ms)
        offsets = self.opened.pop(producer_id)
        if kind is MarkerType.COMMIT:
            self.undone.difference_update(offsets)

    async def check(self) -> None:
        batches = list(split(memoryview(await everything(self.log))))
        assert all(crc_is_right(one) for _, one in batches)
        self._check_places([header for header, _ in batches])
        left = [record for header, one in batches if not header.is_control for record in read_records(one)]
        assert all(record == self.records[record.offset] for record in left)
        assert _table(left, self.undone) == _table(list(self.records.values()), self.undone)
        for offset in range(self.log.start_offset, self.log.end_offset, 3):
            first = next(header for header, _ in split(memoryview(await stored(self.log, offset))))
            assert first == next(header for header, _ in batches if header.next_offset > offset)
        for producer_id, sequence in self.sequences.items():
            state = self.log.producers.get(producer_id)
            assert state is not None
            assert state.last_sequence == sequence - 1

    def _check_places(self, headers: list[BatchHeader]) -> None:
        assert all(a.next_offset <= b.base_offset for a, b in pairwise(headers))
        assert not headers or headers[-1].next_offset == self.log.end_offset
        for segment in self.log.segments:
            assert segment.size <= max(2000, self.options.segment_bytes)


def _table(records: list[Record], undone: set[int]) -> dict[bytes, tuple[int, bytes]]:
    """The newest value of each key; a tombstone takes it away."""
    table: dict[bytes, tuple[int, bytes]] = {}
    for record in records:
        if record.key is None or record.offset in undone:
            continue
        table.pop(record.key, None)
        if record.value is not None:
            table[record.key] = record.offset, record.value
    return table


async def live(steps: list[tuple[object, ...]], lag_ms: int, map_bytes: int) -> None:
    life = Life(lag_ms, map_bytes)
    await life.open()
    for step in steps:
        await life.do(step)
        if step[0] in ("clean", "start again"):
            await life.check()


def run(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=examples < 100, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=5, max_size=40), st.sampled_from([0, 0, 1000]), st.sampled_from([24 * 7, 1 << 20]))
    def lives(steps: list[tuple[object, ...]], lag_ms: int, map_bytes: int) -> None:
        trio.run(live, steps, lag_ms, map_bytes)

    lives()


def test_a_compacted_log_tells_the_same_table() -> None:
    run(25)


@pytest.mark.campaign
def test_many_compacted_logs_tell_the_same_tables() -> None:
    run(1000)
