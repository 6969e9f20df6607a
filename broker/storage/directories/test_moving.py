"""A log moves to another data directory while it is written and read; at every crash one of the two is whole."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from math import inf
from pathlib import Path

import pytest
import trio

from broker.storage.contract import DiskFull, StorageFailed
from broker.storage.directories import copying
from broker.storage.directories import move as one_move
from broker.storage.directories.move import Move, Stage
from broker.storage.directories.store import SegmentStorage
from broker.storage.places import NoSuchDirectory
from broker.storage.segments.log import SegmentLog
from broker.storage.segments.space import Space
from broker.storage.segments.swapping import Sources, SourcesChanged, Swap
from broker.testing.crashes import KILL, POWER_CUT, Crash
from broker.testing.disk import FakeDisk, PowerCut
from broker.testing.storage import NOW_MS, ORDERS, LogOptions, batch, everything, in_background, started, storage_on
from kproto.records.batch import read_records, split

A, B, C = Path("/a"), Path("/b"), Path("/c")
OPTIONS = LogOptions(segment_bytes=500, index_interval_bytes=100)


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "SLICE_BYTES", 300)
    monkeypatch.setattr(one_move, "NEAR_BYTES", 300)


@dataclass(slots=True)
class Scene:
    """A storage over some directories, and its one log, which lies in the first of them until it moves."""

    disk: FakeDisk
    storage: SegmentStorage
    log: SegmentLog

    @classmethod
    async def of(cls, *directories: Path, disk: FakeDisk | None = None, batches: int = 0) -> "Scene":
        """What is on `disk`, or a new one, and so many batches more."""
        disk = disk or FakeDisk()
        storage = storage_on(disk, directories or (A, B), defaults=OPTIONS)
        await started(storage)
        scene = cls(disk, storage, storage.create(ORDERS, "orders", OPTIONS))
        scene.append(batches)
        return scene

    async def started_again(self) -> "Scene":
        return await Scene.of(disk=self.disk.after_crash())

    def append(self, batches: int, *, value: str = "value") -> None:
        end = self.log.end_offset
        for number in range(end, end + batches):
            self.log.append(batch(f"{value} {number}", producer=(7, 0, number)), number // 10, NOW_MS + number)

    def move(self, path: Path) -> None:
        self.storage.places.move("orders", 0, ORDERS, str(path))

    @asynccontextmanager
    async def moving_to(self, path: Path, bytes_per_second: float = inf) -> AsyncIterator[None]:
        """With the storage in the background."""
        self.storage.places.pace(lambda: bytes_per_second)
        async with in_background(self.storage):
            self.move(path)
            yield

    @property
    def moves(self) -> list[Move]:
        return list(self.storage._moves)

    @property
    def place(self) -> Path:
        return self.log.directory.parent

    @property
    def directories(self) -> dict[Path, list[str]]:
        """Of the partition, in A and in B."""
        return {path: [name for name in self.disk.names(path) if name.startswith("orders")] for path in (A, B)}

    async def until_moved(self) -> None:
        with trio.fail_after(60):
            while self.moves:  # noqa: ASYNC110 -- nobody is told of the end but by the log's directory
                await trio.sleep(0.1)

    async def values(self) -> list[str]:
        log, data = self.log, await everything(self.log)
        records = [record for _, one in split(memoryview(data)) for record in read_records(one)]
        assert [record.offset for record in records] == list(range(log.start_offset, log.end_offset))
        return [(record.value or b"").decode() for record in records]

    async def is_whole(self) -> bool:
        """Whether it holds what was appended, from its start to its end."""
        return await self.values() == [f"value {n}" for n in range(self.log.start_offset, self.log.end_offset)]


async def test_a_log_moves_while_it_is_written_and_read_and_nobody_notices(autojump_clock: object) -> None:
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B):
        for _ in range(30):
            scene.append(1)
            assert await scene.is_whole()
            await trio.lowlevel.checkpoint()
        await scene.until_moved()
        assert scene.log.directory == B / "orders-0"
        scene.append(10)
        assert await scene.is_whole()
        assert scene.log.end_of_epoch(3) == (3, 40)
        assert scene.log.producers.check(next(split(batch("x", producer=(7, 0, 79))))[0]) is not None
        await trio.sleep(61)
    assert scene.directories == {A: [], B: ["orders-0"]}
    await scene.storage.close()
    again = await scene.started_again()
    assert (again.log.directory, again.log.end_offset) == (B / "orders-0", 80)
    assert await again.is_whole()
    await again.storage.close()


async def test_directories_tell_of_the_move(autojump_clock: object) -> None:
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B, bytes_per_second=100):
        await trio.sleep(10)
        first, second = await scene.storage.places.uses()
        whole = scene.log.size_bytes
        assert (first.sizes, first.futures) == ({ORDERS: whole}, {})
        size, lag = second.futures[ORDERS]
        assert second.sizes == {}
        assert 0 < size < whole
        assert 0 < lag < 40
        assert [name.split(".")[0] for name in scene.disk.names(B) if name.endswith("-future")] == ["orders-0"]
        before = trio.current_time()
        await scene.until_moved()
        assert whole * 0.5 / 100 < trio.current_time() - before < whole / 100


async def test_an_empty_log_is_just_made_elsewhere() -> None:
    scene = await Scene.of()
    scene.move(B)
    scene.append(1)
    assert scene.log.directory == B / "orders-0"
    assert scene.moves == []


async def test_a_log_whose_records_are_all_gone_keeps_its_offsets(autojump_clock: object) -> None:
    scene = await Scene.of(batches=10)
    log = scene.log
    log.high_watermark = 10
    log.advance_start(10)
    await log.tidy(NOW_MS)
    async with scene.moving_to(B):
        await scene.until_moved()
    assert (scene.place, log.start_offset, log.end_offset) == (B, 10, 10)
    scene.append(3)
    await scene.storage.close()
    found = (await scene.started_again()).log
    assert (found.start_offset, found.end_offset) == (10, 13)


@pytest.mark.parametrize("when", [0.0, 5.0, 10.0])
async def test_the_log_start_moves_during_the_move(when: float, autojump_clock: object) -> None:
    scene = await Scene.of(batches=60)
    scene.log.high_watermark = 60
    async with scene.moving_to(B, bytes_per_second=300):
        await trio.sleep(when)
        scene.log.advance_start(45)
        await scene.log.tidy(NOW_MS)
        scene.append(5)
        await scene.until_moved()
        assert scene.log.start_offset == 45
        assert await scene.is_whole()
    again = await scene.started_again()
    assert (again.place, again.log.start_offset, again.log.end_offset) == (B, 45, 65)
    assert await again.is_whole()


@pytest.mark.parametrize("when", [0.0, 5.0, 10.0, 100.0])
async def test_a_log_is_cut_during_the_move(when: float, autojump_clock: object) -> None:
    """As a follower cuts what its new leader does not have."""
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B, bytes_per_second=300):
        await trio.sleep(when)
        scene.log.truncate(15)
        scene.append(15, value="other")
        await scene.until_moved()
    assert scene.place == B
    assert await scene.values() == [f"value {n}" for n in range(15)] + [f"other {n}" for n in range(15, 30)]


async def test_back_where_it_is_ends_the_move_and_nothing_is_left(autojump_clock: object) -> None:
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B, bytes_per_second=100):
        await trio.sleep(10)
        scene.move(A)
        assert scene.moves == []
        scene.append(1)
        await trio.sleep(100)
    assert scene.directories == {A: ["orders-0"], B: []}
    assert await scene.is_whole()


async def test_to_a_third_directory_before_it_has_arrived_in_the_second(autojump_clock: object) -> None:
    scene = await Scene.of(A, B, C, batches=40)
    async with scene.moving_to(B, bytes_per_second=1000):
        await trio.sleep(1)
        scene.move(C)
        scene.move(C)
        await scene.until_moved()
        await trio.sleep(100)
    assert scene.place == C
    assert scene.directories == {A: [], B: []}


@pytest.mark.parametrize("when", [0.0, 5.0, 10.0])
async def test_a_log_that_is_deleted_meanwhile_is_gone_from_both(when: float, autojump_clock: object) -> None:
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B, bytes_per_second=500):
        await trio.sleep(when)
        await scene.storage.delete(ORDERS)
        await trio.sleep(100)
    assert scene.directories == {A: [], B: []}
    again = storage_on(scene.disk.after_crash(), [A, B])
    await started(again)
    assert again.get(ORDERS) is None


async def test_before_there_is_a_log_its_directory_is_remembered() -> None:
    storage = storage_on(FakeDisk(), [A, B, C])
    await started(storage)
    storage.places.move("orders", 0, None, "/c")
    assert storage.create(ORDERS, "orders", OPTIONS).directory.parent == C


async def test_a_directory_that_is_not_configured_or_failed_is_refused() -> None:
    disk = FakeDisk()
    disk.fail("create", errno.EIO, path="/b/meta.properties.tmp")
    scene = await Scene.of(disk=disk, batches=1)
    with pytest.raises(NoSuchDirectory):
        scene.move(C)
    with pytest.raises(StorageFailed, match="/b is offline"):
        scene.move(B)


async def test_a_target_that_fails_leaves_the_log_where_it_is(
    caplog: pytest.LogCaptureFixture, autojump_clock: object
) -> None:
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B, bytes_per_second=300):
        await trio.sleep(5)
        scene.disk.fail("write", errno.EIO, path=".log")
        await trio.sleep(20)
        assert scene.moves == []
        scene.append(5)
        assert await scene.is_whole()
    assert scene.place == A
    assert scene.log.failure is None
    assert "orders-0 stays in /a" in caplog.text


class FullForNow(Space):
    """Of the first few that ask it refuses all."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, lambda: 0)
        self._refusals = iter(range(5))

    def take(self, size: int, *, from_reserve: bool) -> None:
        if next(self._refusals, None) is not None:
            raise DiskFull("full")
        super().take(size, from_reserve=from_reserve)


async def test_a_full_target_is_waited_for(autojump_clock: object) -> None:
    scene = await Scene.of(batches=40)
    scene.storage._directories.at(B).space = FullForNow(B)
    async with scene.moving_to(B):
        await scene.until_moved()
    assert scene.place == B
    assert await scene.is_whole()


async def test_a_damaged_batch_is_not_taken_along(caplog: pytest.LogCaptureFixture, autojump_clock: object) -> None:
    """Copied it would count as written by this process, and nobody would look at its checksum again."""
    scene = await Scene.of(batches=40)
    path = scene.log.segments[1].path
    raw = bytearray(scene.disk.contents(path))
    raw[-1] ^= 1
    scene.disk.put(path, bytes(raw))
    async with scene.moving_to(B):
        await scene.until_moved()
        await trio.sleep(61)
    assert scene.place == A
    assert "damaged at byte" in caplog.text
    assert scene.directories == {A: ["orders-0"], B: []}


@pytest.mark.parametrize("readable", [True, False])
async def test_a_damaged_index_is_built_anew_on_the_way(readable: bool, autojump_clock: object) -> None:
    """Where that cannot be done the log is offline, and the storage goes on."""
    scene = await Scene.of(batches=40)
    await scene.log.flush()
    segment = scene.log.segments[1]
    segment.release()
    scene.disk.put(segment.index.path, bytes(4) + b"\x7f\xff\xff\xff")
    if not readable:
        scene.disk.fail("read", errno.EIO, path=segment.path.name)
    async with scene.moving_to(B):
        await scene.until_moved()
    assert scene.place == (B if readable else A)
    assert (scene.log.failure is None) == readable


async def test_a_move_goes_on_after_a_clean_stop(autojump_clock: object) -> None:
    scene = await Scene.of(batches=40)
    async with scene.moving_to(B, bytes_per_second=300):
        await trio.sleep(5)
    await scene.storage.close()
    again = await scene.started_again()
    (under_way,) = again.moves
    assert 0 < under_way.future.end_offset < 40
    async with in_background(again.storage):
        again.append(5)
        await again.until_moved()
    assert again.place == B
    assert await again.is_whole()


async def test_what_a_future_log_has_more_than_the_log_is_cut(autojump_clock: object) -> None:
    """After a power cut: the log lost its tail, and what was copied of it was durable."""
    scene = await Scene.of()
    scene.log.settings = LogOptions()  # a roll would flush
    scene.append(10)
    await scene.log.flush()
    scene.append(10)
    async with scene.moving_to(B, bytes_per_second=300):
        await trio.sleep(4)
        (under_way,) = scene.moves
        await under_way.future.flush()
    copied = under_way.future.end_offset
    assert copied > 10
    again = await Scene.of(disk=scene.disk.crashed(POWER_CUT))
    assert 10 <= again.log.end_offset < copied
    again.append(25 - again.log.end_offset)
    async with in_background(again.storage):
        await again.until_moved()
    assert (again.place, again.log.end_offset) == (B, 25)
    assert await again.is_whole()


async def test_a_future_log_of_another_topic_is_removed(autojump_clock: object) -> None:
    scene = await Scene.of(batches=3)
    await scene.storage.close()
    other = B / f"orders-0.{'a' * 32}-future"
    scene.disk.make_directory(other)
    scene.disk.put(other / "partition.metadata", b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ")
    again = await scene.started_again()
    async with in_background(again.storage):
        await trio.sleep(61)
        assert again.moves == []
    assert not any("future" in name for name in again.disk.names(B))


async def test_places_are_not_changed_while_compaction_exchanges_segments(autojump_clock: object) -> None:
    """Its new segment would be given its name in the directory that is left."""
    scene = await Scene.of(batches=20)
    source = Sources(scene.log, scene.log.segments[:1])
    scene.log.swap = Swap(source, scene.log.segments[0])
    async with scene.moving_to(B):
        await trio.sleep(20)
        assert scene.place == A
        scene.log.swap = None
        await scene.until_moved()
    assert scene.place == B
    with pytest.raises(SourcesChanged):
        source.check()


# --- crashes ---


@dataclass(slots=True)
class Promised:
    """What a start after a crash must find: ends of the log."""

    flushed: int
    appended: int

    def by(self, crash: Crash) -> int:
        return self.appended if crash is KILL else self.flushed


async def story(scene: Scene, promised: Promised) -> None:
    """A move, with an append at every step of it and a flush now and then."""

    def append() -> None:
        scene.append(1)
        promised.appended = scene.log.end_offset

    async with scene.moving_to(B):
        for _ in range(12):
            append()
            await trio.lowlevel.checkpoint()
        promised.flushed = await scene.log.flush()
        with trio.fail_after(60):
            while scene.moves:
                append()
                if scene.log.end_offset % 3 == 0:
                    promised.flushed = await scene.log.flush()
                await trio.lowlevel.checkpoint()
        append()
        promised.flushed = await scene.log.flush()
        await trio.sleep(61)


@pytest.mark.parametrize("steps", [61, pytest.param(1, marks=pytest.mark.campaign)])
@pytest.mark.parametrize("crash", [KILL, POWER_CUT], ids=["kill", "power"])
async def test_a_crash_at_every_step_leaves_one_of_both_whole(crash: Crash, steps: int, autojump_clock: object) -> None:
    for crash_at in count(0, steps):
        scene = await Scene.of(batches=12)
        promised = Promised(await scene.log.flush(), scene.log.end_offset)
        await scene.storage._checkpointer.write_all()
        scene.disk.crash_at = len(scene.disk.calls) + crash_at
        finished = True
        try:
            await story(scene, promised)
        except* PowerCut:
            finished = False
        scene.disk.crash_at = None
        await check(await Scene.of(disk=scene.disk.crashed(crash)), promised.by(crash))
        if finished:
            assert crash_at > 50
            return


async def check(scene: Scene, promised: int) -> None:
    """It found all that was promised, goes on with the move, and so does the next start."""
    scene.log.check()
    assert scene.log.end_offset >= promised
    assert await scene.is_whole()
    async with in_background(scene.storage):
        await scene.until_moved()
        scene.append(1)
        assert await scene.is_whole()
        await trio.sleep(61)
    end_offset = scene.log.end_offset
    await scene.storage.close()
    assert sum(map(len, scene.directories.values())) == 1
    assert not scene.disk.paths(".moved")
    again = await scene.started_again()
    assert again.log.end_offset == end_offset
    assert await again.is_whole()


async def at_stage(stage: Stage) -> tuple[Scene, Move]:
    """Twelve durable batches, moved as far as that, and three more."""
    scene = await Scene.of(batches=12)
    await scene.log.flush()
    await scene.storage._checkpointer.write_all()
    scene.move(B)
    (under_way,) = scene.moves
    while under_way.stage < stage:
        await scene.storage._moves.advance(under_way)
    scene.append(3)
    return scene, under_way


async def test_what_was_flushed_in_the_old_place_is_durable_in_the_new_one_before_the_old_one_goes() -> None:
    """Nobody else flushes here: whatever the power cut leaves, it is the move's own doing."""
    for crash_at in count():
        scene, under_way = await at_stage(Stage.MARKED)
        assert await scene.log.flush() == 15
        scene.disk.crash_at = len(scene.disk.calls) + crash_at
        finished = True
        try:
            while scene.moves:
                await scene.storage._moves.advance(under_way)
        except PowerCut:
            finished = False
        scene.disk.crash_at = None
        again = await Scene.of(disk=scene.disk.crashed(POWER_CUT))
        again.log.check()
        assert again.log.end_offset == 15
        assert await again.is_whole()
        if finished:
            assert crash_at > 15
            return


async def test_what_is_flushed_right_after_the_change_of_places_is_durable_under_the_new_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its bytes in a directory that comes back as a future log would be cut off to what the old one has."""
    scene, under_way = await at_stage(Stage.LEAVING)
    promised = await scene.log.flush()
    with pytest.raises(StorageFailed, match="goes on as"):
        await under_way.future.flush()
    assert "offline" not in caplog.text
    assert (await scene.started_again()).log.end_offset == promised
