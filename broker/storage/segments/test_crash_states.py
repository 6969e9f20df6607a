"""The power goes at every single call to the disk: what was flushed is there, and what is there holds together.

Random stories, by seed (`broker.testing.stories`). The campaign tells forty, over 50,000 distinct crash states, and
prints how many; for more, or for one again:

    pytest -n 2 -m campaign broker/storage/segments/test_crash_states.py --seeds 40-1999
"""

from collections.abc import Callable

import pytest

from broker.testing.disk import FakeDisk, PowerCut
from broker.testing.promises import Kept, Promise, StoredBatch
from broker.testing.starting import Breach, looked_at
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, started, storage_on
from broker.testing.stories import Story, stamped

FEW = [14, 16]
MANY = range(34)
_CHUNK = 5
Count = Callable[[str, object], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--seeds", default=None)
        first, _, last = asked.partition("-") if asked else (str(MANY[0]), "", str(MANY[-1]))
        every = range(int(first), int(last or first) + 1)
        chunks = [every[at : at + _CHUNK] for at in range(0, len(every), _CHUNK)]
        metafunc.parametrize("seeds", chunks, ids=[f"{chunk[0]}-{chunk[-1]}" for chunk in chunks])


async def told_and_checked(seed: int) -> int:
    """How many distinct crash states with a batch in them were started from."""
    story = Story(seed)
    await story.tell()
    await story.check()
    return len(story.states)


@pytest.mark.parametrize("seed", FEW)
async def test_every_crash_state_of_a_story_recovers(seed: int) -> None:
    assert await told_and_checked(seed) > 100


@pytest.mark.campaign
async def test_every_crash_state_of_many_stories_recovers(seeds: range, record_property: Count) -> None:
    record_property("counted distinct crash states, without a breach", sum([await told_and_checked(n) for n in seeds]))


async def test_a_story_is_the_same_for_the_same_seed() -> None:
    first, second = Story(14), Story(14)
    await first.tell()
    await second.tell()
    assert (first.told, list(first.states)) == (second.told, list(second.states))


async def test_a_crash_at_any_call_of_a_recovery_is_recovered_from() -> None:
    disk = FakeDisk()
    options = LogOptions(segment_bytes=250)
    storage = storage_on(disk, defaults=options)
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for number in range(9):
        log.append(batch(f"{number}"), 0, NOW_MS)
    disk = disk.after_crash(power_cut=False)
    disk.put(disk.paths(".log")[2], b"torn")
    for crash_at in range(60):
        crashed = disk.after_crash()
        crashed.crash_at = crash_at
        try:
            await started(storage_on(crashed, defaults=options))
        except PowerCut:
            again = storage_on(crashed.after_crash(), defaults=options)
            await started(again)
            found = again.get(ORDERS)
            assert found is not None
            assert (await looked_at(found)).end_offset == log.segments[2].base_offset
        else:
            return
    pytest.fail("the recovery never finished")


# --- what was found by these ---


async def test_a_cut_in_the_middle_of_a_batch_leaves_no_recovery_point_above_the_end() -> None:
    """Batches go whole, so the log ends below the offset that was asked for; killed then, it was offline."""
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    for _ in range(3):
        log.append(batch("a", "b", "c"), 0, NOW_MS)
    await log.flush()
    await storage._checkpointer.write_all()
    log.truncate(5)
    assert log.end_offset == 3
    again = storage_on(disk.after_crash(power_cut=False))
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert (found.failure, found.end_offset) == (None, 3)


async def test_names_that_a_killed_broker_left_are_made_durable_by_the_next_flush() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    storage.create(ORDERS, "orders", LogOptions()).append(batch("a"), 0, NOW_MS)
    disk.forget_locks()
    again = storage_on(disk)
    await started(again)
    log = again.get(ORDERS)
    assert log is not None
    await log.flush()
    assert disk.after_crash().paths(".log") == [DATA / "orders-0" / "00000000000000000000.log"]


async def test_what_was_cut_off_stays_cut_off_when_power_fails_after_a_clean_stop() -> None:
    disk = FakeDisk()
    storage = storage_on(disk)
    await started(storage)
    log = storage.create(ORDERS, "orders", LogOptions())
    for _ in range(3):
        log.append(batch("a"), 0, NOW_MS)
    await log.flush()
    log.truncate(1)
    await storage.close()
    again = storage_on(disk.after_crash())
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert found.end_offset == 1


async def test_a_segment_behind_one_that_lost_its_end_goes_too() -> None:
    """Neither was flushed; the file system kept the later one. A log with a hole is none that ever was."""
    disk = FakeDisk()
    options = LogOptions(segment_bytes=250)
    storage = storage_on(disk, defaults=options)
    await started(storage)
    log = storage.create(ORDERS, "orders", options)
    for number in range(9):
        log.append(batch(f"{number}"), 0, NOW_MS)
    crashed = disk.after_crash(power_cut=False)
    crashed.put(crashed.paths(".log")[1], b"")
    again = storage_on(crashed, defaults=options)
    await started(again)
    found = again.get(ORDERS)
    assert found is not None
    assert found.end_offset == log.segments[1].base_offset


# --- the judge ---


ONE = StoredBatch(0, 1, bytes(batch("1")))
TWO, OTHER = StoredBatch(1, 2, bytes(batch("2"))), StoredBatch(1, 2, bytes(batch("other")))


@pytest.mark.parametrize(
    ("kept", "breach"),
    [
        (Kept(0, 1, (ONE,), {}), None),
        (Kept(0, 2, (ONE, TWO), {}), None),
        (Kept(0, 2, (ONE, OTHER), {}), "were never like this"),
        (Kept(0, 0, (), {}), "ends at 0, below 1"),
        (Kept(1, 2, (TWO,), {}), "starts at 1"),
        (Kept(0, 1, (ONE,), {7: (0, 0, 0)}), "never wrote"),
        (None, "not there"),
    ],
)
def test_a_promise_tells_what_breaks_it(kept: Kept | None, breach: str | None) -> None:
    found = Promise(((ONE,), (ONE, TWO)), 1, 0, 0).breach(kept)
    assert found is None if breach is None else found is not None and breach in found


async def test_a_story_whose_flush_is_a_lie_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite itself: with an fsync that does nothing it must find a breach."""
    monkeypatch.setattr("broker.testing.inodes.Inode.sync", lambda inode: None)
    with pytest.raises(Breach):
        for seed in FEW:
            await told_and_checked(seed)


def test_what_an_append_will_make_of_batches_is_foretold() -> None:
    one, two = stamped(memoryview(bytearray(bytes(batch("a", "b")) + bytes(batch("c")))), 7, 3)
    assert (one.base_offset, one.next_offset, two.next_offset) == (7, 9, 10)
