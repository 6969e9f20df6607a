"""What is durable when, and what one failed fsync of each kind of file means."""

import errno
from pathlib import Path
from uuid import UUID

import pytest
import trio

from broker.storage.contract import LogId, StorageFailed
from broker.storage.segments.log import SegmentLog
from broker.testing.crashes import POWER_CUT
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, in_background, started, storage_on

LOG_STARTS = "log-start-offset-checkpoint"
A, B = Path("/a"), Path("/b")


def log_id(number: int) -> LogId:
    return LogId(UUID(int=1000 + number), 0)


def fill(log: SegmentLog, count: int = 5) -> None:
    for number in range(log.end_offset, log.end_offset + count):
        log.append(batch(f"value {number}", producer=(7, 0, number)), 0, NOW_MS)


async def test_a_log_start_that_was_promised_outlives_a_power_cut() -> None:
    """Else records that a client was told are deleted would be back."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    fill(log)
    await log.flush()
    log.advance_start(3)
    assert await storage.keep_starts([ORDERS]) == set()
    again = storage_on(disk.crashed(POWER_CUT))
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert (found.start_offset, found.end_offset) == (3, 5)


async def test_all_who_want_log_starts_durable_share_the_next_write() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    logs = [storage.create(log_id(number), f"t{number}", LogOptions()) for number in range(20)]
    for log in logs:
        fill(log)

    async def delete(log: SegmentLog) -> None:
        log.advance_start(2)
        assert await storage.keep_starts([log.id]) == set()

    before = len(disk.calls)
    async with trio.open_nursery() as nursery:
        for log in logs:
            nursery.start_soon(delete, log)
    syncs = [path.name for call, path in disk.calls[before:] if call == "sync"]
    assert 1 <= syncs.count(f"{LOG_STARTS}.tmp") <= 2
    before = len(disk.calls)
    await storage.keep_starts([log.id for log in logs])
    assert disk.calls[before:] == [], "what is durable already costs nothing"


async def test_a_log_start_that_cannot_be_written_is_told_and_only_of_its_directory() -> None:
    disk = FakeDisk()
    storage = storage_on(disk, [A, B])
    await started(storage)
    for number in range(2):
        log = storage.create(log_id(number), f"t{number}", LogOptions())
        fill(log)
        log.advance_start(2)
    disk.fail("sync", errno.ENOSPC, path=f"/b/{LOG_STARTS}.tmp")
    assert await storage.keep_starts([log_id(0), log_id(1)]) == {log_id(1)}
    assert await storage.keep_starts([log_id(0), log_id(1)]) == set()


@pytest.mark.parametrize("call", ["sync", "sync_directory"])
async def test_a_checkpoint_whose_fsync_failed_is_written_anew(call: str) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    fill(log)
    await log.flush()
    log.advance_start(3)
    disk.fail(call, errno.EIO, path=f"{LOG_STARTS}.tmp" if call == "sync" else str(DATA))
    assert await storage.keep_starts([ORDERS]) == {ORDERS}
    assert await storage.keep_starts([ORDERS]) == set()
    again = storage_on(disk.crashed(POWER_CUT))
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert found.start_offset == 3


@pytest.mark.parametrize("path", [".log", "orders-0", str(DATA)], ids=["batches", "names", "directory"])
async def test_one_failed_fsync_of_batches_or_of_their_names_ends_the_log(path: str) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    fill(log)
    disk.fail("sync" if path == ".log" else "sync_directory", errno.EIO, path=path)
    for _ in range(2):
        with pytest.raises(StorageFailed, match="fsync failed"):
            await log.flush()
    assert log.flushed_offset == 0
    with pytest.raises(StorageFailed):
        fill(log)


@pytest.mark.parametrize(
    "path", ["leader-epoch-checkpoint.tmp", "partition.metadata", ".index", ".timeindex", ".snapshot"]
)
async def test_a_failed_fsync_of_what_the_log_can_tell_only_keeps_the_recovery_point_back(path: str) -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=300, index_interval_bytes=0))
    fill(log, 12)
    disk.fail("sync", errno.EIO, path=path)
    assert await log.flush() == 12
    assert log.commit.recovery_point == 0
    fill(log, 1)
    assert await log.flush() == 13
    assert log.commit.recovery_point == 0, "the second fsync of that file proves nothing"
    await storage._checkpointer.write_all()
    again = storage_on(disk.crashed(POWER_CUT))
    await started(again)
    found = again.create(ORDERS, "orders", LogOptions(), new=False)  # also where nobody knows whose it is
    assert (found.failure, found.end_offset, found.latest_epoch) == (None, 13, 0)


async def test_a_full_disk_does_not_make_a_failed_fsync_forgotten() -> None:
    """Both in one flush: what is full may have room again, what was not synced stays in doubt."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    fill(log)
    disk.fail("sync", errno.EIO, path="partition.metadata")
    disk.fail("write", errno.ENOSPC, path="leader-epoch-checkpoint.tmp")
    for _ in range(2):
        assert await log.flush() == log.end_offset
        assert log.commit.recovery_point == 0
        fill(log)


async def test_directories_are_synced_when_names_in_them_change(autojump_clock: object) -> None:
    """At the first batch, at a roll, at a delete; not at every flush."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions(segment_bytes=300))

    def synced(since: int) -> set[str]:
        return {str(path) for call, path in disk.calls[since:] if call == "sync_directory"}

    fill(log, 1)
    since = len(disk.calls)
    await log.flush()
    assert synced(since) == {"/data", "/data/orders-0"}
    since = len(disk.calls)
    fill(log, 1)
    before_epochs = log.epochs.changed
    await log.flush()
    assert synced(since) == set()
    assert not before_epochs
    since = len(disk.calls)
    fill(log, 3)
    assert len(log.segments) > 1
    await log.flush()
    assert synced(since) == {"/data/orders-0"}
    since = len(disk.calls)
    async with in_background(storage):
        await storage.delete(ORDERS)
    assert "/data" in synced(since)


@pytest.mark.parametrize(
    "text", [b"0\n1\norders 0 99\n", b"0\n1\norders 0 -5\n", b"0\n9\norders 0 3\n", b"\xff\0" * 40]
)
@pytest.mark.parametrize("clean", [True, False])
async def test_a_log_start_of_garbage_deletes_nothing(text: bytes, clean: bool) -> None:
    """After a clean stop a start above the end can only be nonsense."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    fill(log)
    if clean:
        await storage.close()
    else:
        await log.flush()
    disk.put(DATA / LOG_STARTS, text)
    again = storage_on(disk.after_crash())
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    if clean or text != b"0\n1\norders 0 99\n":
        assert (found.start_offset, found.end_offset) == (0, 5)
    else:
        assert (found.start_offset, found.end_offset) == (99, 99), "as Kafka: all that is left was deleted"


async def test_what_is_no_log_stays_and_is_one_line(caplog: pytest.LogCaptureFixture, autojump_clock: object) -> None:
    disk = FakeDisk()
    first = storage_on(disk)
    await started(first)
    fill(first.create(ORDERS, "orders", LogOptions()))
    await first.close()
    gone = f"orders-1.{'a' * 32}-delete"
    for name in ("my-delete", "notes", f"old-0.{'b' * 32}-stray", "__cluster_metadata-0", "lost+found", gone):
        disk.make_directory(DATA / name)
        disk.put(DATA / name / "file", b"x")
    disk.put(DATA / "todo.txt", b"x")
    again = storage_on(disk.after_crash(power_cut=False))
    caplog.clear()
    async with in_background(again):
        await started(again)
        await trio.sleep(61)
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    names = "__cluster_metadata-0, my-delete, notes, old-0." + "b" * 32 + "-stray, todo.txt"
    assert line == f"/data holds what is no log of this broker, and stays as it is: {names}"
    assert gone not in again._disk.names(DATA)
    assert {"my-delete", "notes", "todo.txt"} <= set(again._disk.names(DATA))
    found = again.get(ORDERS)
    assert found is not None
    assert found.end_offset == 5
