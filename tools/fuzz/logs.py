"""Whole data directories whose files were spoiled: recovered, read, written to, and recovered once more.

The partition may be refused; the broker goes on. What is served has a right checksum, and a second recovery of what the
first one left changes nothing; only a log in which damage was met may be offline then.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from struct import Struct

import trio

from broker.config.problems import OperatorError
from broker.storage.contract import BatchDamaged, Log, StorageFailed
from broker.testing.disk import FakeDisk
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, started, storage_on
from kproto.errors import ApiError
from kproto.records.batch import crc_is_right
from kproto.records.checksum import crc32c
from kproto.records.compression import Codec
from kproto.records.control import EndTxnMarker, MarkerType, build_marker
from kproto.records.stored import split_stored
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import number, some_bytes, spoiled

OPTIONS = LogOptions(segment_bytes=900, index_interval_bytes=150, file_delete_delay_ms=0)
NAMES = ("00000000000000000003.log", "00000000000000000000.log.cleaned", "x.swap", "99999999999999999999.log", "a b")
MOST_STEPS = 200
"""Reads of one log: where an offset was damaged, the end may be anywhere."""
_CRC = Struct(">I")

Files = dict[Path, bytes]


def targets() -> list[Target]:
    return [Target("logs", directory, recover, (OperatorError,))]


@cache
def image(clean: bool) -> Files:
    """A log of several segments: two producers, aborted and open transactions, compressed batches, three epochs."""
    return trio.run(_written, clean)


async def _written(clean: bool) -> Files:
    disk = FakeDisk()
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    log = storage.create(ORDERS, "orders", OPTIONS)
    for row in range(18):
        producer, sequence = 7 + row % 2, row // 2
        codec, values = (Codec.NONE, Codec.LZ4)[row % 2], ("x" * 40, "second")[: 1 + row % 2]
        if row % 6 == 5:
            kind = MarkerType.ABORT if row % 4 == 1 else MarkerType.COMMIT
            marker = build_marker(EndTxnMarker(kind, 1), producer_id=producer, producer_epoch=0, timestamp_ms=NOW_MS)
            log.append(memoryview(bytearray(marker)), row // 6, NOW_MS)
        else:
            known = (producer, 0, 2 * sequence)
            data = batch(*values, producer=known, codec=codec, at_ms=NOW_MS + row, transactional=row % 3 == 0)
            log.append(data, row // 6, NOW_MS)
    if clean:
        await storage.close()
    else:
        await log.flush()
    return {path: disk.contents(path) for path in disk.paths()}


def directory(chance: Random) -> Files:
    """One to three files spoiled, gone, doubled under another name, or of another log."""
    files = dict(image(chance.random() < 0.5))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(sorted(files))
        match chance.randrange(12):
            case 0:
                del files[path]
            case 1:
                files[path.parent / chance.choice(NAMES)] = files[path]
            case 2:
                files[path] = files[chance.choice(sorted(files))]
            case 3:
                files[path] += chance.choice((bytes(200), some_bytes(chance, 200), files[path]))
            case 4 | 5 | 6 if path.suffix == ".log" and len(files[path]) > 61:
                files[path] = _with_a_wrong_field(chance, files[path])
            case _:
                files[path] = spoiled(chance, files[path])
    return files


def _with_a_wrong_field(chance: Random, data: bytes) -> bytes:
    """A batch that says something else than it is, with a checksum that fits."""
    pieces: list[bytearray] = []
    with suppress(ApiError):
        pieces.extend(bytearray(piece) for _, piece in split_stored(memoryview(data)))
    if not pieces:
        return data
    piece = chance.choice(pieces)
    at, size = chance.choice(((0, 8), (8, 4), (12, 4), (21, 2), (23, 4), (27, 8), (35, 8), (43, 8), (51, 2), (57, 4)))
    piece[at : at + size] = number(chance, 8 * size).to_bytes(size, "big", signed=True)
    _CRC.pack_into(piece, 17, crc32c(memoryview(piece)[21:]))
    return b"".join(map(bytes, pieces))


def recover(files: Files) -> None:
    """Raises: OperatorError: the directory is not this broker's, or cannot be used."""
    trio.run(_recover, files)


async def _recover(files: Files) -> None:
    disk = FakeDisk()
    for folder in sorted({path.parent for path in files}):
        if not disk.exists(folder):
            disk.make_directory(folder)
    for path, data in files.items():
        disk.put(path, data)
    left = await _one_life(disk)
    again = disk.after_crash(power_cut=False)
    found = await _one_life(again, only_look=True)
    assert left.items() <= found.items(), f"a second recovery found {found} after {left}"


async def _one_life(disk: FakeDisk, *, only_look: bool = False) -> dict[str, tuple[int, int]]:
    """Start, use, stop; of each log that is served, and sound as far as reading tells, where it begins and ends."""
    storage = storage_on(disk, defaults=OPTIONS)
    storage.claim(None)
    logs = list(await storage.load())
    bounds = _bounds(logs)
    if not only_look:
        for log in logs:
            try:
                await _use(log)
            except StorageFailed:
                bounds.pop(log.name, None)
        bounds = {name: found for name, found in _bounds(logs).items() if name in bounds}
    await storage.close()
    return bounds


def _bounds(logs: Iterable[Log]) -> dict[str, tuple[int, int]]:
    return {log.name: (log.start_offset, log.end_offset) for log in logs if not log.failure}  # type: ignore[attr-defined]


async def _use(log: Log) -> None:
    """Raises: StorageFailed, also for damage met on the way."""
    damage = await _read_all(log)
    for time_ms in (0, NOW_MS + 5, 2**62):
        await log.find_time(time_ms)
    await log.find_max_time()
    await log.aborted_transactions(log.start_offset, 1 << 20, log.end_offset)
    log.last_stable_offset(log.end_offset)
    log.end_of_epoch(1)
    log.append(batch("new"), max(3, log.latest_epoch), NOW_MS)
    await log.flush()
    await log.tidy(NOW_MS)
    if damage is not None:
        raise damage


async def _read_all(log: Log) -> BatchDamaged | None:
    """Everything that is served; the last damage that was met."""
    offset, damage = log.start_offset, None
    for _ in range(MOST_STEPS):
        if offset >= log.end_offset:
            break
        try:
            found = await log.read(offset, 1 << 20, log.end_offset)
        except BatchDamaged as met:
            damage, offset = met, offset + 1
            continue
        data = found.read()
        found.release()
        batches = list(split_stored(memoryview(data)))
        assert batches, f"nothing at offset {offset} of {log.end_offset}"
        assert all(crc_is_right(piece) for _, piece in batches), f"a damaged batch is served from {offset}"
        assert batches[-1][0].next_offset > offset, f"no progress from {offset}"
        offset = batches[-1][0].next_offset
    return damage
