"""Several data directories: one that fails takes only its own partitions offline; without any the broker stops."""

import errno
import logging
from pathlib import Path
from uuid import UUID

import pytest
import trio

from broker.config.problems import OperatorError
from broker.storage.contract import Identity, LogId, StorageFailed
from broker.storage.directories.store import SegmentStorage
from broker.testing.disk import FakeDisk, PowerCut
from broker.testing.storage import NOW_MS, LogOptions, batch, in_background, started, storage_on

A, B = Path("/a"), Path("/b")
US = Identity(0, "abcdefghijklmnopqrstuv")


def log_id(number: int) -> LogId:
    return LogId(UUID(int=1000 + number), 0)


def create(storage: SegmentStorage, number: int, *, new: bool = True) -> None:
    storage.create(log_id(number), f"t{number}", LogOptions(), new=new)


async def two_directories(disk: FakeDisk) -> SegmentStorage:
    """`t0` lies in /a and `t1` in /b."""
    storage = storage_on(disk, [A, B])
    storage.claim(None)
    storage.identify(US)
    await storage.load()
    for number in range(2):
        log = storage.create(log_id(number), f"t{number}", LogOptions())
        log.append(batch(f"value {number}"), 0, NOW_MS)
        assert log.directory.parent == (A, B)[number]
    return storage


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("call", ["create", "write", "sync"])
async def test_a_directory_that_cannot_be_used_at_start_is_one_line_and_the_rest_is_served(
    call: str, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()
    await (await two_directories(disk)).close()
    disk = disk.after_crash()
    disk.fail(call, errno.EROFS, path="/b/meta.properties.tmp", times=99)
    again = storage_on(disk, [A, B])
    again.claim(0)
    again.identify(US)
    await again.load()
    (line,) = errors(caplog)
    assert line.startswith("The data directory /b is offline and so are its partitions")
    assert "Read-only file system" in line
    assert again.create(log_id(0), "t0", LogOptions(), new=False).end_offset == 1
    with pytest.raises(StorageFailed, match="it may be in /b, which failed"):
        create(again, 1, new=False)
    assert again.create(log_id(2), "t2", LogOptions()).directory.parent == A
    assert [use.failed for use in await again.places.uses()] == [False, True]
    await again.close()


async def test_a_directory_that_cannot_be_listed_at_start_takes_only_its_own(caplog: pytest.LogCaptureFixture) -> None:
    disk = FakeDisk()
    await (await two_directories(disk)).close()
    disk = disk.after_crash()
    disk.fail("remove", errno.EIO, path="/b/.kafka_cleanshutdown")
    again = storage_on(disk, [A, B])
    await started(again)
    assert [line.split(" and ")[0] for line in errors(caplog)] == ["The data directory /b is offline"]
    assert again.create(log_id(0), "t0", LogOptions(), new=False).end_offset == 1


async def test_a_log_that_fails_has_its_directory_looked_at(
    caplog: pytest.LogCaptureFixture, autojump_clock: object
) -> None:
    """Is it this file, or all of them?"""
    disk = FakeDisk()
    storage = await two_directories(disk)
    third = storage.create(log_id(2), "t2", LogOptions())
    fourth = storage.create(log_id(4), "t4", LogOptions())
    assert (third.directory.parent, fourth.directory.parent) == (A, B)
    gone: list[LogId] = []
    storage.on_offline(gone.append)
    async with in_background(storage):
        disk.fail("write", errno.EIO, path="/a/t0-0/00000000000000000000.log")
        with pytest.raises(StorageFailed):
            storage.create(log_id(0), "t0", LogOptions()).append(batch("x"), 0, NOW_MS)
        await trio.sleep(0.1)
        assert gone == [log_id(0)]
        third.append(batch("goes on"), 0, NOW_MS)

        disk.fail("write", errno.EIO, path="/b/t1-0/00000000000000000000.log")
        disk.fail("create", errno.EIO, path="/b/meta.properties.tmp")
        with pytest.raises(StorageFailed):
            storage.create(log_id(1), "t1", LogOptions()).append(batch("x"), 0, NOW_MS)
        await trio.sleep(0.1)
        assert gone == [log_id(0), log_id(1), log_id(4)]
        with pytest.raises(StorageFailed):
            fourth.append(batch("x"), 0, NOW_MS)
        third.append(batch("goes on"), 0, NOW_MS)
        assert [use.failed for use in await storage.places.uses()] == [False, True]
    assert len(errors(caplog)) == 3, "one line for each log that failed, one for the directory"


async def test_a_mount_that_vanished_is_seen_without_any_request(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage = await two_directories(disk)
    gone: list[LogId] = []
    storage.on_offline(gone.append)
    async with in_background(storage):
        disk.rename(Path("/b"), Path("/unmounted"))
        disk.make_directory(Path("/b"))
        await trio.sleep(5)
    assert gone == [log_id(1)]


async def test_without_any_directory_left_the_broker_stops(autojump_clock: object) -> None:
    disk = FakeDisk()
    storage = await two_directories(disk)
    with pytest.raises(ExceptionGroup) as stopped:
        async with in_background(storage):
            disk.fail("read", errno.EIO, path="/a", times=99)
            disk.fail("read", errno.EIO, path="/b", times=99)
            await trio.sleep(60)
    (mistake,) = [each for each in leaves(stopped.value) if isinstance(each, OperatorError)]
    assert mistake.what == "None of the 2 data directories in log.dirs can be used."
    assert "/a" in mistake.why
    assert "/b" in mistake.why


def leaves(group: BaseException) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for each in group.exceptions for leaf in leaves(each)]
    return [group]


def test_directories_of_two_brokers_are_refused_together() -> None:
    disk = FakeDisk()
    for path, broker in ((A, 0), (B, 1)):
        disk.make_directory(path)
        disk.put(path / "meta.properties", f"version=0\nbroker.id={broker}\n".encode())
    with pytest.raises(OperatorError) as refused:
        storage_on(disk, [A, B]).claim(None)
    assert "different broker.ids" in refused.value.what
    assert "/a says 0, /b says 1" in refused.value.why


def test_directories_of_two_clusters_are_refused_together() -> None:
    disk = FakeDisk()
    for path, cluster in ((A, "x"), (B, "y")):
        disk.make_directory(path)
        disk.put(path / "meta.properties", f"version=0\nbroker.id=0\ncluster.id={cluster}\n".encode())
    with pytest.raises(OperatorError, match=r"different cluster\.ids"):
        storage_on(disk, [A, B]).claim(0)


@pytest.mark.parametrize("text", [b"version=1\nnode.id=0\ncluster.id=x\n", b"version=x\n", b"version=7\n"])
async def test_a_directory_of_something_newer_is_one_line_and_the_rest_is_served(
    text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()
    disk.make_directory(B)
    disk.put(B / "meta.properties", text)
    storage = storage_on(disk, [A, B])
    await started(storage)
    assert len(errors(caplog)) == 1
    create(storage, 0)
    assert disk.contents(B / "meta.properties") == text


async def test_what_failed_once_is_back_after_a_repair_and_a_start() -> None:
    disk = FakeDisk()
    await (await two_directories(disk)).close()
    disk = disk.after_crash()
    disk.fail("create", errno.EIO, path="/b/meta.properties.tmp")
    first = storage_on(disk, [A, B])
    await started(first)
    await first.close()
    second = storage_on(disk.after_crash(), [A, B])
    await started(second)
    assert second.create(log_id(1), "t1", LogOptions(), new=False).end_offset == 1


async def after_a_loss(of: Path) -> FakeDisk:
    """Of one of two directories."""
    disk = FakeDisk()
    await (await two_directories(disk)).close()
    disk = disk.after_crash()
    for name in list(disk.folder(of).seen):
        if name.startswith("t"):
            disk.remove_tree(of / name)
        else:
            disk.remove(of / name)
    return disk


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_directory_that_was_lost_is_offline_and_nothing_in_it_begins_empty(
    lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Else offsets that were acknowledged would be given out again."""
    disk = await after_a_loss((A, B)[lost])
    for _ in range(2):
        again = storage_on(disk, [A, B])
        again.claim(None)
        again.identify(US)
        await again.load()
        assert f"The data directory {(A, B)[lost]} is offline" in errors(caplog)[-1]
        assert "version=0 and broker.id=0" in errors(caplog)[-1]
        with pytest.raises(StorageFailed, match="which failed"):
            create(again, lost, new=False)
        create(again, 1 - lost, new=False)
        await again.close()
    disk.put((A, B)[lost] / "meta.properties", b"version=0\nbroker.id=0\n")
    again = storage_on(disk, [A, B])
    again.claim(None)
    again.identify(US)
    await again.load()
    assert again.create(log_id(lost), f"t{lost}", LogOptions(), new=False).end_offset == 0


async def test_a_directory_that_only_lost_its_meta_properties_or_is_a_new_one_is_used() -> None:
    """To delete a wrong meta.properties is what an operator is told to do; to add a disk is nothing special."""
    disk = FakeDisk()
    await (await two_directories(disk)).close()
    disk = disk.after_crash()
    disk.remove(B / "meta.properties")
    again = storage_on(disk, [A, B, Path("/c")])
    again.claim(None)
    again.identify(US)
    await again.load()
    assert [use.failed for use in await again.places.uses()] == [False, False, False]
    assert again.create(log_id(1), "t1", LogOptions(), new=False).end_offset == 1
    await again.close()
    text = disk.contents(Path("/c/meta.properties"))
    assert b"barnabas.log.dirs=/a,/b,/c\n" in text
    alone = storage_on(disk, [A])
    alone.claim(None)
    alone.identify(US)
    assert b"barnabas.log.dirs" not in disk.contents(A / "meta.properties")


async def test_a_crash_at_any_call_of_a_first_start_leaves_no_directory_that_seems_lost() -> None:
    for crash_at in range(200):
        disk = FakeDisk()
        disk.crash_at = crash_at
        first = storage_on(disk, [A, B])
        try:
            first.claim(None)
            first.identify(US)
        except PowerCut:
            finished = False
        else:
            finished = True
        for power_cut in (False, True):
            again = storage_on(disk.after_crash(power_cut=power_cut), [A, B])
            again.claim(None)
            again.identify(US)
            assert [use.failed for use in await again.places.uses()] == [False, False]
        if finished:
            return
    pytest.fail("it never came to an end")
