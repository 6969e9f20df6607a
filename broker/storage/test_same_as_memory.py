"""Random lives of one log, lived by segments and by memory at once: whoever asks gets the same answers."""

from random import Random

import pytest

from broker.clock import SetClock
from broker.storage.contract import Log
from broker.storage.directories.store import SegmentStorage
from broker.storage.memory import MemoryStorage
from broker.testing.disk import FakeDisk
from broker.testing.storage import (
    DATA,
    NOW_MS,
    ORDERS,
    LogOptions,
    StorageOptions,
    batch,
    everything,
    started,
    storage_on,
    stored,
)
from kproto.errors import ApiError
from kproto.records.batch import BatchHeader, split
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker

STEPS = 120


class TwinLogs:
    """The same life twice."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.options = LogOptions(
            segment_bytes=self.random.choice([100, 400, 2000]),
            index_interval_bytes=self.random.choice([0, 100, 1000]),
            segment_ms=self.random.choice([500, 2**60]),
        )
        self.disk = FakeDisk()
        self.epoch = 0
        self.sequence = [0, 0]
        self.was_empty = False
        """Then a restart may know more of old epochs, and less of producers, that wrote below the log start."""
        self.memory: Log = MemoryStorage(settings=StorageOptions(), clock=SetClock(NOW_MS)).create(
            ORDERS, "orders", self.options
        )

    async def start(self) -> None:
        self.storage: SegmentStorage = storage_on(self.disk, [DATA], defaults=self.options)
        await started(self.storage)
        self.segments: Log = self.storage.create(ORDERS, "orders", self.options)

    async def step(self) -> None:
        move = self.random.choices(
            [
                self.append,
                self.append_with_gap,
                self.in_transaction,
                self.end_transaction,
                self.new_epoch,
                self.truncate,
                self.advance,
                self.flush,
                self.restart,
            ],
            [60, 8, 20, 15, 6, 5, 4, 8, 5],
        )[0]
        await move()

    def a_batch(self, base_offset: int = 0) -> bytes:
        producer = self.random.randrange(3)
        count = self.random.randint(1, 4)
        ids = (-1, -1, -1)
        if producer < 2:
            ids = (70 + producer, 0, self.sequence[producer])
            self.sequence[producer] += count
        values = [self.random.choice("abc") * self.random.randint(0, 80) for _ in range(count)]
        at_ms = NOW_MS + self.random.randint(0, 2000)
        codec = self.random.choice(list(Codec))
        return bytes(batch(*values, producer=ids, at_ms=at_ms, codec=codec, base_offset=base_offset, epoch=self.epoch))

    async def append(self) -> None:
        came = self.a_batch()
        for log in (self.memory, self.segments):
            log.append(memoryview(bytearray(came)), self.epoch, NOW_MS)

    async def append_with_gap(self) -> None:
        came = self.a_batch(self.memory.end_offset + self.random.randint(0, 3))
        for log in (self.memory, self.segments):
            log.append_as_follower(memoryview(bytearray(came)), NOW_MS)

    async def in_transaction(self) -> None:
        """Sequences do not matter here: `append` checks none."""
        came = batch(
            "t" * self.random.randint(0, 80), producer=(80 + self.random.randrange(3), 0, 0), transactional=True
        )
        for log in (self.memory, self.segments):
            log.append(memoryview(bytearray(came)), self.epoch, NOW_MS)

    async def end_transaction(self) -> None:
        """Also of producers that have none open."""
        marker = EndTxnMarker(self.random.choice(list(MarkerType)), 5)
        producer = 80 + self.random.randrange(3)
        came = build_marker(marker, producer_id=producer, producer_epoch=0, timestamp_ms=NOW_MS)
        for log in (self.memory, self.segments):
            log.append(memoryview(bytearray(came)), self.epoch, NOW_MS)

    async def new_epoch(self) -> None:
        self.epoch += self.random.randint(1, 3)

    async def truncate(self) -> None:
        offset = self.random.randint(self.memory.start_offset, self.memory.end_offset)
        for log in (self.memory, self.segments):
            log.truncate(offset)
        self.was_empty |= self.memory.start_offset == self.memory.end_offset

    async def advance(self) -> None:
        span = (self.memory.end_offset - self.memory.start_offset) // 4
        offset = self.memory.start_offset + self.random.randint(0, span)
        for log in (self.memory, self.segments):
            log.advance_start(offset)
        self.was_empty |= self.memory.start_offset == self.memory.end_offset

    async def flush(self) -> None:
        assert await self.segments.flush() == self.memory.end_offset

    async def restart(self) -> None:
        if self.random.random() < 0.5:
            await self.storage.close()
        else:
            await self.storage._checkpointer.write_all()
        self.disk = self.disk.after_crash(power_cut=False)
        await self.start()

    async def compare(self) -> None:
        memory, segments = self.memory, self.segments
        assert (segments.start_offset, segments.end_offset) == (memory.start_offset, memory.end_offset)
        assert await everything(segments) == await everything(memory)
        for epoch in range(self.epoch + 2) if not self.was_empty else ():
            assert segments.end_of_epoch(epoch) == memory.end_of_epoch(epoch)
        for _ in range(3):
            at_ms = NOW_MS + self.random.randint(-10, 2100)
            assert await segments.find_time(at_ms) == await memory.find_time(at_ms)
        assert await segments.find_max_time() == await memory.find_max_time()
        for _ in range(3):
            offset = self.random.randint(memory.start_offset, memory.end_offset)
            below = self.random.randint(offset, memory.end_offset)
            assert offsets(await part(segments, offset, below)) == offsets(await part(memory, offset, below))
        if not self.was_empty:
            for below in (memory.end_offset, self.random.randint(memory.start_offset, memory.end_offset)):
                await self.compare_transactions(below)
        for producer, sequence in enumerate(self.sequence):
            following, _ = next(split(batch("x", producer=(70 + producer, 0, sequence))))
            assert verdict(segments, following) in (verdict(memory, following), None if self.was_empty else ...)

    async def compare_transactions(self, below: int) -> None:
        """What has ended and is older than every batch left may be known to one of them only."""
        memory, segments = self.memory, self.segments
        assert segments.last_stable_offset(memory.end_offset) == memory.last_stable_offset(memory.end_offset)
        offset = self.random.randint(memory.start_offset, below)
        known = await memory.aborted_transactions(offset, 1 << 30, below)
        found = await segments.read(offset, self.random.randint(1, 1000), below)
        read = [header for header, _ in split(memoryview(found.read()))]
        told = await segments.aborted_transactions(offset, len(found), below)
        found.release()
        assert [each for each in known if each in told] == told
        if read:
            assert set(told) >= {each for each in known if each.first_offset <= read[-1].last_offset}


async def part(log: Log, offset: int, below: int) -> bytes:
    """Up to `below`, read as often as needed."""
    pieces: list[bytes] = []
    while offset < below:
        found = await log.read(offset, 1 << 20, below)
        data = found.read()
        found.release()
        if not data:
            break
        pieces.append(data)
        offset = [header for header, _ in split(memoryview(data))][-1].next_offset
    return b"".join(pieces)


def offsets(data: bytes) -> list[int]:
    return [header.base_offset for header, _ in split(memoryview(data))]


def verdict(log: Log, header: BatchHeader) -> object:
    try:
        return log.producers.check(header)
    except ApiError as no:
        return no.code


@pytest.mark.parametrize("seed", range(25))
async def test_segments_and_memory_lead_the_same_life(seed: int) -> None:
    twins = TwinLogs(seed)
    await twins.start()
    for number in range(STEPS):
        await twins.step()
        if number % 6 == 0:
            await twins.compare()
    await twins.compare()


async def test_the_comparison_would_notice_a_difference() -> None:
    twins = TwinLogs(0)
    await twins.start()
    await twins.append()
    twins.memory.append(batch("only here"), 0, NOW_MS)
    with pytest.raises(AssertionError):
        await twins.compare()
    assert await stored(twins.segments) != await stored(twins.memory)
