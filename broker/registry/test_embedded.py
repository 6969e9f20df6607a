"""What only the embedded registry has: a file that outlives the process, and two brokers on one tree."""

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from broker.clock import SetClock
from broker.config.problems import OperatorError
from broker.registry.contract import Create, EventKind, SessionExpired, SetData, StoreFailed, WatchEvent
from broker.registry.embedded import CHECKPOINT_DELAY_S, EmbeddedTree
from broker.registry.store import Store
from broker.registry.test_contract import Seen
from broker.registry.tree import Node


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


def opened(path: Path) -> EmbeddedTree:
    return EmbeddedTree(path, SetClock())


class HeldStore(Store):
    """A file on a disk that takes its time: a transaction waits in its thread until `let_go`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.let_go = threading.Event()

    def save(self, changes: Mapping[str, Node | None]) -> None:
        assert self.let_go.wait(60)
        super().save(changes)


def held(path: Path) -> tuple[EmbeddedTree, HeldStore]:
    tree = opened(path)
    tree._store = store = HeldStore(path)
    return tree, store


@pytest.mark.parametrize("killed", [False, True])
async def test_a_restart_keeps_nodes_and_counters_but_no_ephemerals(path: Path, killed: bool) -> None:
    """Killed: the first tree is dropped as it is, nobody closes it."""
    first = opened(path).session()
    await first.create("/a/b", b"\x00data", parents=True)
    await first.create("/a/null")
    before = await first.set("/a/b", b"more")
    await first.create("/a/gone")
    await first.delete("/a/gone")
    await first.create("/a/e_", ephemeral=True, sequential=True)
    above = await first.exists("/a")
    if not killed:
        await first.close()
    second = opened(path).session()
    assert await second.get("/a/b") == (b"more", before)
    assert (await second.get("/a/null"))[0] is None
    assert await second.children("/a") == ["b", "null"]
    assert await second.create("/a/s_", sequential=True) == "/a/s_0000000004"
    assert above is not None
    assert (await second.get("/a"))[1].cversion == above.cversion + (1 if killed else 2)
    await second.close()


async def test_transaction_numbers_grow_over_restarts_even_when_none_was_stored(path: Path) -> None:
    """The broker epoch is the czxid of an ephemeral node, which is in no file."""
    numbers = []
    for _ in range(3):
        session = opened(path).session()
        numbers.append(session.session_id)
        (_, stat) = await session.multi([Create("/e", ephemeral=True), SetData("/e", b"x", 0)])
        numbers.append(stat.czxid)  # type: ignore[union-attr]
    assert numbers == sorted(set(numbers))


async def test_the_file_is_closed_with_the_last_session_and_read_again_by_the_next(path: Path) -> None:
    tree = opened(path)
    one, other = tree.session(), tree.session()
    await one.create("/a")
    await one.close()
    await other.create("/b")
    await other.close()
    assert [each.name for each in path.parent.iterdir()] == ["registry.db"]  # no write-ahead log left beside it
    with pytest.raises(SessionExpired):
        await other.get("/a")
    assert await tree.session().children("/") == ["a", "b"]


async def test_a_write_that_the_disk_refuses_did_not_happen(path: Path) -> None:
    tree = opened(path)
    session, seen = tree.session(), Seen()
    await session.create("/a", b"x")
    await session.exists("/a", seen)
    assert tree._store is not None
    tree._store._connection.execute("pragma max_page_count=8")  # as on a full disk
    with pytest.raises(StoreFailed, match="full"):
        await session.multi([SetData("/a", b"y"), Create("/b", bytes(100_000))])
    assert seen.events == []
    assert (await session.get("/a"))[0] == b"x"
    assert await session.exists("/b") is None
    tree._store._connection.execute("pragma max_page_count=100000")
    await session.create("/b", bytes(100_000))
    await session.close()
    assert await opened(path).session().children("/") == ["a", "b"]


async def test_while_the_disk_takes_its_time_reads_see_what_is_committed_and_writes_take_turns(path: Path) -> None:
    tree, store = held(path)
    session, seen = tree.session(), Seen()
    await session.children("/", seen)
    made: list[str] = []

    async def make() -> None:
        made.append(await session.create("/a_", sequential=True))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(make)
        nursery.start_soon(make)
        await wait_all_tasks_blocked()
        assert (await session.children("/"), seen.events, made) == ([], [], [])
        store.let_go.set()
    assert made == ["/a_0000000000", "/a_0000000001"]
    assert len(seen.events) == 1
    await session.close()
    assert await opened(path).session().children("/") == ["a_0000000000", "a_0000000001"]


async def test_a_session_that_ends_while_its_write_is_on_its_way_leaves_nothing_behind(path: Path) -> None:
    tree, store = held(path)
    session, other = tree.session(), tree.session()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: session.create("/e", ephemeral=True))
        await wait_all_tasks_blocked()
        nursery.start_soon(session.close)
        ids = {session.session_id, other.session_id, *(tree.session().session_id for _ in range(3))}
        await wait_all_tasks_blocked()
        with pytest.raises(SessionExpired):
            await session.exists("/e")
        store.let_go.set()
    assert await other.exists("/e") is None
    assert len(ids | {tree.session().session_id}) == 6


async def test_ephemerals_end_even_when_the_disk_is_full(path: Path) -> None:
    tree = opened(path)
    session, other = tree.session(), tree.session()
    await session.create("/e", ephemeral=True)
    assert tree._store is not None
    tree._store._connection.execute("pragma query_only=on")
    await session.close()
    assert await other.exists("/e") is None


def test_a_checkpoint_moves_what_was_committed_into_the_file(path: Path) -> None:
    store = Store(path)
    tree = store.load(now_ms=0)
    store.save({"/a": Node(b"some data", tree.zxid, 0)})
    assert store.written
    assert b"some data" not in path.read_bytes()
    store.checkpoint()
    assert not store.written
    assert b"some data" in path.read_bytes()
    store.close()


async def test_changes_are_checkpointed_by_the_task_of_a_session(path: Path, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        tree = opened(path)
        keeper, session = tree.session(), tree.session()
        await nursery.start(keeper.run)
        await session.create("/a", b"some data")
        await trio.sleep(CHECKPOINT_DELAY_S + 1)
        nursery.cancel_scope.cancel()
    assert b"some data" in await trio.Path(path).read_bytes()  # although `session` keeps the file open


async def test_two_brokers_of_one_process_see_each_other() -> None:
    tree = EmbeddedTree(None, SetClock())
    one, other = tree.session(), tree.session()
    seen = Seen()
    await other.children("/", seen)
    await one.create("/e", ephemeral=True)
    assert seen.events == [WatchEvent(EventKind.CHILDREN, "/")]
    assert await other.children("/") == ["e"]


def test_a_file_of_something_else_is_not_touched(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table mine (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(OperatorError) as refused:
        opened(path).session()
    assert str(path) in refused.value.what
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 100])
def test_a_damaged_file_is_one_clear_message(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(OperatorError) as refused:
        opened(path).session()
    assert str(path) in refused.value.what
    assert path.read_bytes() == content


def test_a_directory_that_is_not_there_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be opened"):
        opened(tmp_path / "no" / "registry.db").session()
