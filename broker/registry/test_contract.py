"""What the registry promises, asked of its makers: here of the embedded one, in `compat_tests` of a real ZooKeeper."""

from collections.abc import AsyncIterator
from typing import Protocol

import pytest
import trio

from broker.clock import SetClock
from broker.registry.contract import (
    BadVersion,
    Check,
    Create,
    Delete,
    EventKind,
    MultiFailed,
    NoChildrenForEphemerals,
    NodeExists,
    NoNode,
    NotEmpty,
    Registry,
    SessionExpired,
    SessionState,
    SetData,
    Stat,
    WatchEvent,
)
from broker.registry.embedded import EmbeddedRegistry, EmbeddedTree

PATIENCE_S = 20


class Sessions(Protocol):
    """Opens sessions on one tree that is empty at first."""

    async def open(self) -> Registry: ...
    async def expire(self, registry: Registry) -> None:
        """End the session from outside, as a long silence would."""
        ...


class Seen:
    """A watch that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[WatchEvent] = []
        self._told = trio.Event()

    def __call__(self, event: WatchEvent) -> None:
        self.events.append(event)
        self._told.set()

    async def told(self) -> list[WatchEvent]:
        with trio.fail_after(PATIENCE_S):
            await self._told.wait()
        return self.events


class States:
    """A session listener that remembers."""

    def __init__(self, registry: Registry) -> None:
        self.seen: list[SessionState] = []
        self._changed = trio.Event()
        registry.on_session(self._note)

    def _note(self, state: SessionState) -> None:
        self.seen.append(state)
        self._changed.set()

    async def until(self, *wanted: SessionState) -> None:
        """Until these came, in this order, with others between them perhaps."""
        with trio.fail_after(PATIENCE_S):
            while not self._has(wanted):
                self._changed = trio.Event()
                await self._changed.wait()

    def _has(self, wanted: tuple[SessionState, ...]) -> bool:
        rest = iter(self.seen)
        return all(state in rest for state in wanted)


class RegistryContract:
    """Every maker passes these; a subclass gives the fixture `sessions`."""

    async def test_a_node_keeps_its_data_and_counts_its_changes(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        assert await registry.create("/a", b"one") == "/a"
        data, made = await registry.get("/a")
        assert (data, made.version, made.children, made.ephemeral_owner) == (b"one", 0, 0, 0)
        assert made.czxid == made.mzxid
        changed = await registry.set("/a", b"two", 0)
        assert (changed.version, changed.czxid) == (1, made.czxid)
        assert changed.mzxid > made.mzxid
        assert await registry.get("/a") == (b"two", changed)

    async def test_null_data_and_empty_data_are_different(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/null")
        await registry.create("/empty", b"")
        await registry.multi([Create("/null2"), SetData("/empty", b"")])
        assert (await registry.get("/null"))[0] is None
        assert (await registry.get("/null2"))[0] is None
        assert (await registry.get("/empty"))[0] == b""

    async def test_children_are_sorted_and_counted(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        for path in ("/a", "/a/c", "/a/b", "/a/b/d"):
            await registry.create(path)
        await registry.delete("/a/b/d")
        assert await registry.children("/a") == ["b", "c"]
        stat = await registry.exists("/a")
        assert stat is not None
        assert (stat.children, stat.cversion, stat.version) == (2, 2, 0)

    async def test_refusals_have_names(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/a/b", parents=True)
        await registry.create("/e", ephemeral=True)
        with pytest.raises(NodeExists):
            await registry.create("/a")
        with pytest.raises(NoNode):
            await registry.create("/x/y")
        with pytest.raises(NoNode):
            await registry.get("/x")
        with pytest.raises(NoNode):
            await registry.children("/x")
        with pytest.raises(NoNode):
            await registry.set("/x", b"")
        with pytest.raises(NoNode):
            await registry.delete("/x")
        with pytest.raises(BadVersion):
            await registry.set("/a", b"", 1)
        with pytest.raises(BadVersion):
            await registry.delete("/a/b", 1)
        with pytest.raises(NotEmpty):
            await registry.delete("/a")
        with pytest.raises(NoChildrenForEphemerals):
            await registry.create("/e/f")
        assert await registry.exists("/x") is None

    async def test_parents_are_made_where_missing(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        assert await registry.create("/a/b/c", b"x", parents=True) == "/a/b/c"
        assert await registry.create("/a/b/d/n_", sequential=True, parents=True) == "/a/b/d/n_0000000000"
        assert (await registry.get("/a/b"))[0] is None
        with pytest.raises(NodeExists):
            await registry.create("/a/b/c", parents=True)

    async def test_sequences_count_creations_and_never_go_back(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/q")
        first = await registry.create("/q/n_", b"x", sequential=True)
        assert first == "/q/n_0000000000"
        await registry.delete(first)
        assert await registry.create("/q/m_", sequential=True, ephemeral=True) == "/q/m_0000000001"
        assert await registry.multi([Create("/q/n_", sequential=True)]) == ["/q/n_0000000002"]

    async def test_ephemerals_end_with_their_session(self, sessions: Sessions) -> None:
        here, there = await sessions.open(), await sessions.open()
        assert here.session_id != there.session_id
        await here.create("/e", b"x", ephemeral=True)
        seen = Seen()
        stat = await there.exists("/e", seen)
        assert stat is not None
        assert stat.ephemeral_owner == here.session_id
        await here.close()
        assert await seen.told() == [WatchEvent(EventKind.DELETED, "/e")]
        assert await there.exists("/e") is None

    async def test_a_closed_session_answers_nothing(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.close()
        await registry.close()
        assert registry.state is SessionState.EXPIRED
        with pytest.raises(SessionExpired):
            await registry.exists("/a")
        with pytest.raises(SessionExpired):
            await registry.create("/a")

    async def test_a_multi_does_all_in_order(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/old", b"x")
        results = await registry.multi(
            [
                Check("/old", 0),
                Create("/new", b"1"),
                SetData("/new", b"2", 0),
                Create("/new/n_", sequential=True),
                Delete("/old", 0),
                Create("/old", b"again", ephemeral=True),
            ]
        )
        stat = results.pop(2)
        assert isinstance(stat, Stat)
        assert stat.version == 1
        assert results == [None, "/new", "/new/n_0000000000", None, "/old"]
        data, stat = await registry.get("/old")
        assert (data, stat.version, stat.ephemeral_owner) == (b"again", 0, registry.session_id)

    async def test_a_multi_that_fails_did_nothing(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/a", b"x")
        seen = Seen()
        before = await registry.get("/a", seen)
        with pytest.raises(MultiFailed) as failed:
            await registry.multi([SetData("/a", b"y"), Create("/b"), Check("/a", 5), Delete("/a")])
        assert failed.value.index == 2
        assert isinstance(failed.value.cause, BadVersion)
        assert await registry.exists("/b") is None
        assert await registry.get("/a") == before
        assert seen.events == []
        with pytest.raises(MultiFailed) as failed:
            await registry.multi([Check("/nothing", 0)])
        assert failed.value.index == 0
        assert isinstance(failed.value.cause, NoNode)

    async def test_a_watch_is_called_once_and_before_the_next_answer(self, sessions: Sessions) -> None:
        here, there = await sessions.open(), await sessions.open()
        await here.create("/a", b"1")
        seen = Seen()
        await there.get("/a", seen)
        await here.set("/a", b"2")
        await seen.told()
        await here.set("/a", b"3")
        await there.get("/a")
        assert seen.events == [WatchEvent(EventKind.CHANGED, "/a")]

    async def test_a_session_sees_its_own_changes_too(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        seen = Seen()
        assert await registry.exists("/a", seen) is None
        await registry.create("/a")
        assert await seen.told() == [WatchEvent(EventKind.CREATED, "/a")]

    async def test_watches_on_children_hear_of_children_only(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/a")
        seen = Seen()
        assert await registry.children("/a", seen) == []
        await registry.set("/a", b"x")
        await registry.exists("/a")
        assert seen.events == []
        await registry.create("/a/b")
        assert await seen.told() == [WatchEvent(EventKind.CHILDREN, "/a")]

    async def test_a_deletion_tells_both_kinds_of_watches(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        await registry.create("/a/b", parents=True)
        data, children, above = Seen(), Seen(), Seen()
        await registry.get("/a/b", data)
        await registry.children("/a/b", children)
        await registry.children("/a", above)
        await registry.multi([Delete("/a/b")])
        gone = [WatchEvent(EventKind.DELETED, "/a/b")]
        assert (await data.told(), await children.told()) == (gone, gone)
        assert await above.told() == [WatchEvent(EventKind.CHILDREN, "/a")]

    async def test_a_read_that_failed_leaves_no_watch(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        seen, waiting = Seen(), Seen()
        for read in (registry.get, registry.children):
            with pytest.raises(NoNode):
                await read("/a", seen)
        await registry.exists("/a", waiting)
        await registry.create("/a")
        await waiting.told()
        await registry.create("/a/b")
        await registry.exists("/a")
        assert seen.events == []

    async def test_a_watch_left_twice_is_called_once(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        seen = Seen()
        for _ in range(3):
            await registry.exists("/a", seen)
        await registry.create("/a")
        await registry.exists("/a")
        assert seen.events == [WatchEvent(EventKind.CREATED, "/a")]

    async def test_an_expired_session_is_followed_by_a_new_one(self, sessions: Sessions) -> None:
        here, there = await sessions.open(), await sessions.open()
        old_id = here.session_id
        await here.create("/e", b"x", ephemeral=True)
        states, lost, seen = States(here), Seen(), Seen()
        await here.exists("/later", lost)
        await there.exists("/e", seen)
        await sessions.expire(here)
        await states.until(SessionState.EXPIRED, SessionState.CONNECTED)
        assert await seen.told() == [WatchEvent(EventKind.DELETED, "/e")]
        assert here.state is SessionState.CONNECTED
        assert here.session_id != old_id
        await here.create("/e", b"y", ephemeral=True)
        stat = await there.exists("/e")
        assert stat is not None
        assert stat.ephemeral_owner == here.session_id
        await here.create("/later")
        await here.exists("/later")
        assert lost.events == []  # the watch went with its session

    async def test_transactions_are_numbered_in_their_order(self, sessions: Sessions) -> None:
        here, there = await sessions.open(), await sessions.open()
        first = await here.multi([Create("/a"), SetData("/a", b"")])
        second = await there.multi([Create("/b", ephemeral=True), SetData("/b", b"")])
        assert isinstance(first[1], Stat)
        assert isinstance(second[1], Stat)
        assert first[1].czxid == first[1].mzxid < second[1].czxid

    async def test_a_watch_that_fails_disturbs_nobody(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        seen = Seen()

        def broken(_: WatchEvent) -> None:
            raise RuntimeError("this watch is broken")

        await registry.exists("/a", broken)
        await registry.exists("/a", seen)
        await registry.create("/a")
        assert await seen.told() == [WatchEvent(EventKind.CREATED, "/a")]

    async def test_paths_that_no_node_can_have_are_refused(self, sessions: Sessions) -> None:
        registry = await sessions.open()
        for path in ("", "a", "/a/", "//a", "/a//b", "/./a", "/a/.."):
            with pytest.raises(ValueError):
                await registry.create(path)


class EmbeddedSessions:
    def __init__(self, tree: EmbeddedTree) -> None:
        self._tree = tree

    async def open(self) -> Registry:
        return self._tree.session()

    async def expire(self, registry: Registry) -> None:
        assert isinstance(registry, EmbeddedRegistry)
        await registry.expire()


class TestInMemory(RegistryContract):
    @pytest.fixture
    async def sessions(self) -> Sessions:
        return EmbeddedSessions(EmbeddedTree(None, SetClock()))


class TestInAFile(RegistryContract):
    @pytest.fixture
    async def sessions(self, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sessions]:
        path = tmp_path_factory.mktemp("registry") / "registry.db"
        tree = EmbeddedTree(path, SetClock())
        keeper = tree.session()
        yield EmbeddedSessions(tree)
        await keeper.close()
