"""What tests of storage share: options with small numbers, batches, and storage on a disk of one's choice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import trio

from broker.clock import Chance, Clock, SetClock
from broker.storage.contract import Log, LogId, Storage
from broker.storage.directories.store import SegmentStorage
from broker.storage.files import Disk
from kproto.records.batch import build_batch
from kproto.records.compression import Codec
from kproto.records.record import Record

DATA = Path("/data")
ORDERS = LogId(UUID(int=0x0123456789ABCDEF), 0)
NOW_MS = 1_700_000_000_000
FOR_EVER = 2**62


@dataclass
class LogOptions:
    """The options of one log; the defaults let nothing roll or go by itself."""

    segment_bytes: int = 1 << 30
    segment_ms: int = FOR_EVER
    segment_index_bytes: int = 10 << 20
    index_interval_bytes: int = 4096
    retention_bytes: int = -1
    retention_ms: int = -1
    cleanup_policy: list[str] = field(default_factory=lambda: ["delete"])
    flush_messages: int = FOR_EVER
    flush_ms: int = FOR_EVER
    file_delete_delay_ms: int = 60_000
    min_cleanable_dirty_ratio: float = 0.5
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int = 2**63 - 1
    delete_retention_ms: int = 86_400_000


@dataclass
class StorageOptions:
    """The options of the background tasks."""

    log_flush_offset_checkpoint_interval_ms: int = 60_000
    log_flush_start_offset_checkpoint_interval_ms: int = 60_000
    replica_high_watermark_checkpoint_interval_ms: int = 5_000
    log_flush_scheduler_interval_ms: int = 2**63 - 1
    log_retention_check_interval_ms: int = 300_000
    producer_id_expiration_ms: int = 86_400_000
    producer_id_expiration_check_interval_ms: int = 600_000
    barnabas_log_dir_reserve_bytes: int = 0
    log_cleaner_enable: bool = True
    log_cleaner_threads: int = 1
    log_cleaner_backoff_ms: int = 15_000
    log_cleaner_dedupe_buffer_size: int = 128 << 20
    log_cleaner_io_buffer_size: int = 512 << 10
    log_cleaner_io_buffer_load_factor: float = 0.9
    log_cleaner_io_max_bytes_per_second: float = 1e308
    barnabas_scrub_bytes_per_second: int = 1 << 20


def batch(
    *values: str,
    at_ms: int = NOW_MS,
    producer: tuple[int, int, int] = (-1, -1, -1),
    codec: Codec = Codec.NONE,
    base_offset: int = 0,
    epoch: int = -1,
    log_append_ms: int | None = None,
    transactional: bool = False,
) -> memoryview:
    """A writable batch of these values, one ms apart; `producer` is id, epoch and first sequence."""
    records = [Record(timestamp_ms=at_ms + number, value=value.encode()) for number, value in enumerate(values)]
    producer_id, producer_epoch, sequence = producer
    return memoryview(
        bytearray(
            build_batch(
                records,
                codec=codec,
                base_offset=base_offset,
                leader_epoch=epoch,
                producer_id=producer_id,
                producer_epoch=producer_epoch,
                base_sequence=sequence,
                log_append_ms=log_append_ms,
                transactional=transactional,
            )
        )
    )


def storage_on(
    disk: Disk,
    directories: Sequence[Path] = (DATA,),
    *,
    options: StorageOptions | None = None,
    defaults: LogOptions | None = None,
    clock: Clock | None = None,
) -> SegmentStorage:
    """Not claimed and not loaded."""
    return SegmentStorage(
        directories,
        settings=options or StorageOptions(),
        defaults=defaults or LogOptions(),
        clock=clock or SetClock(NOW_MS),
        chance=Chance(seed=1),
        disk=disk,
    )


async def started(storage: Storage) -> None:
    """Claimed and loaded, without its background."""
    storage.claim(None)
    await storage.load()


@asynccontextmanager
async def in_background(storage: Storage) -> AsyncIterator[None]:
    """With its background running."""
    async with trio.open_nursery() as nursery:
        await nursery.start(storage.run)
        yield
        nursery.cancel_scope.cancel()


async def stored(log: Log, offset: int | None = None, max_bytes: int = 1 << 30) -> bytes:
    """What a reader gets from there to the end."""
    found = await log.read(log.start_offset if offset is None else offset, max_bytes, log.end_offset)
    try:
        return found.read()
    finally:
        found.release()


async def everything(log: Log) -> bytes:
    """All that is stored, read segment after segment as a consumer does."""
    from kproto.records.batch import split

    pieces, offset = [], log.start_offset
    while offset < log.end_offset:
        piece = await stored(log, offset)
        headers = [header for header, _ in split(memoryview(piece))]
        assert headers, f"nothing at offset {offset} of {log.end_offset}"
        pieces.append(piece)
        offset = headers[-1].next_offset
    return b"".join(pieces)
