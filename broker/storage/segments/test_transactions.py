"""`.txnindex` files: written, read, damaged, lost; open transactions over stops and kills."""

from collections.abc import Callable
from errno import ENOSPC
from random import Random
from struct import pack

import pytest

from broker.storage.directories.store import SegmentStorage
from broker.storage.producers import AbortedTransaction, ProducerStates
from broker.storage.segments.log import SegmentLog
from broker.testing.crashes import (
    KILL,
    POWER_CUT,
    Crash,
    blocks,
    every_byte,
    every_name,
    names_by_chance,
    no_byte,
    no_name,
)
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, started, storage_on
from kproto.records.batch import split
from kproto.records.control import EndTxnMarker, MarkerType, build_marker, read_marker

PARTITION = DATA / "orders-0"
OPTIONS = LogOptions(segment_bytes=500, index_interval_bytes=100)
ROUNDS = 9
"""Of three offsets each: a batch in a transaction, another one, the marker; every third one commits."""
ABORTED = [
    AbortedTransaction(7 + number % 2, 3 * number, 3 * number + 2, 3 * number + 3)
    for number in range(ROUNDS)
    if number % 3
]


async def opened(disk: FakeDisk) -> tuple[SegmentLog, SegmentStorage]:
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    return storage.create(ORDERS, "orders", OPTIONS), storage


async def written(disk: FakeDisk) -> tuple[SegmentLog, SegmentStorage]:
    """Two producers by turns, and at last an open transaction of a third one."""
    log, storage = await opened(disk)
    for number in range(ROUNDS):
        producer = 7 + number % 2
        for value in range(2):
            sequence = number // 2 * 2 + value
            log.append(batch("x" * 40, producer=(producer, 0, sequence), transactional=True), 0, NOW_MS)
        kind = MarkerType.ABORT if number % 3 else MarkerType.COMMIT
        marker = build_marker(EndTxnMarker(kind, 1), producer_id=producer, producer_epoch=0, timestamp_ms=NOW_MS)
        log.append(memoryview(bytearray(marker)), 0, NOW_MS)
    log.append(batch("open", producer=(9, 0, 0), transactional=True), 0, NOW_MS)
    assert len(log.segments) > 3
    return log, storage


async def is_right(log: SegmentLog) -> None:
    assert await told(log) == ABORTED
    assert log.last_stable_offset(log.end_offset) == 3 * ROUNDS
    nine = log.producers.get(9)
    assert nine is not None
    assert nine.transaction_start == 3 * ROUNDS


async def told(log: SegmentLog) -> list[AbortedTransaction]:
    """As a consumer hears it, segment after segment."""
    heard: list[AbortedTransaction] = []
    for segment in log.segments:
        more = await log.aborted_transactions(segment.base_offset, segment.size, log.end_offset)
        heard += [each for each in more if each not in heard]
    return heard


def index_files(disk: FakeDisk) -> list[str]:
    return [name for name in disk.names(PARTITION) if name.endswith(".txnindex")]


async def test_each_segment_with_an_abort_has_a_file_as_kafka_writes_it() -> None:
    disk = FakeDisk()
    log, _ = await written(disk)
    await is_right(log)
    raw = b"".join(disk.open(PARTITION / name).read(1 << 20, 0) for name in index_files(disk))
    assert raw == b"".join(
        pack(">hqqqq", 0, each.producer_id, each.first_offset, each.last_offset, each.last_stable_offset)
        for each in ABORTED
    )


async def test_a_clean_stop_keeps_all_of_it() -> None:
    disk = FakeDisk()
    _, storage = await written(disk)
    await storage.close()
    log, _ = await opened(disk)
    await is_right(log)


@pytest.mark.parametrize("power_cut", [False, True])
@pytest.mark.parametrize("flushed", [False, True])
async def test_a_crash_keeps_all_of_it(power_cut: bool, flushed: bool) -> None:
    disk = FakeDisk()
    log, storage = await written(disk)
    if flushed:
        await log.flush()
        await storage._checkpointer.write_all()
    elif power_cut:
        return  # then the log itself may be gone
    log, _ = await opened(disk.after_crash(power_cut=power_cut))
    await is_right(log)


async def test_lost_files_come_back_where_the_log_is_scanned() -> None:
    disk = FakeDisk()
    await written(disk)
    disk = disk.after_crash(power_cut=False)
    for name in index_files(disk):
        disk.remove(PARTITION / name)
    log, _ = await opened(disk)
    await is_right(log)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda raw: raw[:-5], id="cut"),
        pytest.param(lambda raw: b"\0\1" + raw[2:], id="newer version"),
        pytest.param(lambda raw: bytes(len(raw)), id="zeros"),
        pytest.param(lambda raw: raw + raw, id="twice"),
        pytest.param(lambda raw: raw[:18] + b"\x7f" + raw[19:], id="beyond its segment"),
    ],
)
async def test_a_damaged_file_is_made_anew_after_a_clean_stop(damage: Callable[[bytes], bytes]) -> None:
    """From the log, beginning with the producers of the snapshot before that segment."""
    disk = FakeDisk()
    _, storage = await written(disk)
    await storage.close()
    for name in index_files(disk):
        raw = disk.open(PARTITION / name).read(1 << 20, 0)
        disk.create(PARTITION / name).write(damage(raw), 0)
    log, storage = await opened(disk)
    await is_right(log)
    await storage.close()
    again, _ = await opened(disk)
    await is_right(again)


async def test_a_file_is_lost_with_its_segment() -> None:
    disk = FakeDisk()
    log, _ = await written(disk)
    log.high_watermark = log.end_offset
    log.settings = LogOptions(retention_bytes=0)
    await log.tidy(NOW_MS)
    kept = [each for each in ABORTED if each.last_offset >= log.start_offset]
    assert await told(log) == kept
    assert len(index_files(disk)) == sum(len(segment.aborted) > 0 for segment in log.segments)


async def test_a_full_disk_forgets_no_abort() -> None:
    """What does not fit waits in memory; until it is written, a start would have to look at the log again."""
    disk = FakeDisk()
    log, storage = await opened(disk)
    log.append(batch("x", producer=(7, 0, 0), transactional=True), 0, NOW_MS)
    marker = build_marker(EndTxnMarker(MarkerType.ABORT, 1), producer_id=7, producer_epoch=0, timestamp_ms=NOW_MS)
    disk.fail("create", ENOSPC, path=".txnindex", times=2)
    log.append(memoryview(bytearray(marker)), 0, NOW_MS)
    assert await told(log) == [AbortedTransaction(7, 0, 1, 2)]
    assert await log.flush() == 2
    assert log.commit.recovery_point == 0
    assert index_files(disk) == []
    await storage.close()
    again, _ = await opened(disk)
    assert await told(again) == [AbortedTransaction(7, 0, 1, 2)]


# --- crashes ---


async def by_the_batches(log: SegmentLog) -> tuple[list[AbortedTransaction], int]:
    """What the stored batches alone tell: aborted transactions, and where readers of committed records stop."""
    states, aborted = ProducerStates(), []
    for segment in log.segments:
        for header, one in split(memoryview(segment.file.read(segment.size, 0))):
            ended = states.update(header, header.base_offset, NOW_MS, read_marker(one) if header.is_control else None)
            aborted += [ended] if ended is not None else []
    return aborted, states.last_stable_offset(log.end_offset)


async def a_life(disk: FakeDisk, chance: Random, steps: int) -> None:
    """Appends, markers, flushes, checkpoints, truncations, restarts."""
    log, storage = await opened(disk)
    for _ in range(steps):
        match chance.choices(["append", "end", "flush", "checkpoint", "cut", "start"], [12, 10, 4, 2, 2, 1])[0]:
            case "append":
                log.append(batch("x" * 30, producer=(chance.randint(7, 9), 0, 0), transactional=True), 0, NOW_MS)
            case "end":
                kind = chance.choice(list(MarkerType))
                producer = chance.randint(7, 9)
                marker = build_marker(
                    EndTxnMarker(kind, 1), producer_id=producer, producer_epoch=0, timestamp_ms=NOW_MS
                )
                log.append(memoryview(bytearray(marker)), 0, NOW_MS)
            case "flush":
                await log.flush()
            case "checkpoint":
                await storage._checkpointer.write_all()
            case "cut":
                log.truncate(chance.randint(max(log.end_offset - 6, log.start_offset), log.end_offset))
            case "start":
                await storage.close()
                log, storage = await opened(disk)


async def crash_states_hold(seed: int, steps: int) -> int:
    """How many crash states of one life there were; each knows what its batches tell."""
    chance, disk = Random(seed), FakeDisk()
    states: dict[int, FakeDisk] = {}

    def look() -> None:
        kinds = [KILL, POWER_CUT, Crash(every_byte, no_name), Crash(no_byte, every_name)]
        for kind in [*kinds, *(Crash(blocks(chance, 512), names_by_chance(chance)) for _ in range(2))]:
            left = disk.crashed(kind)
            states.setdefault(left.state(), left)

    disk.watcher = look
    await a_life(disk, Random(seed), steps)
    for left in states.values():
        log, storage = await opened(left)
        for _ in range(2):
            aborted, stable = await by_the_batches(log)
            assert await told(log) == aborted
            assert log.last_stable_offset(log.end_offset) == stable
            left.forget_locks()
            await storage.close()
            log, storage = await opened(left)
    return len(states)


async def test_after_a_crash_at_any_call_the_files_tell_what_the_batches_tell() -> None:
    assert await crash_states_hold(1, steps=8) > 30


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(2, 5))
async def test_after_a_crash_at_any_call_of_many_lives_too(seed: int) -> None:
    assert await crash_states_hold(seed, steps=30) > 200
