"""One session with ZooKeeper after the other: states, deadlines, restarts of kazoo, and questions put to it.

kazoo neither sets watches again nor tells a silent loss of the session. So after a reconnection every watch is called,
and after a session timeout without a connection the session counts as over; if it is found alive later, it is closed
(or its ephemerals would stay) and a new one begins.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

import trio

from broker.config.problems import OperatorError
from broker.registry.contract import ConnectionLost, SessionExpired, SessionState
from broker.registry.watches import Watches, tell

if TYPE_CHECKING:
    from broker.registry.kazoo_client import Client

log = logging.getLogger("barnabas.registry.zookeeper")

CLOSE_TIMEOUT_S = 1.0
CLOSE_UNCONNECTED_TIMEOUT_S = 0.1
RESTART_PAUSE_S = 1.0


class ZooKeeperSession:
    """The session of a registry. All of it runs in the loop, except `_heard_state` and `in_loop`: in kazoo's thread."""

    def __init__(self, hosts: str, *, session_timeout_ms: int, connection_timeout_ms: int) -> None:
        self.watches = Watches()
        self.state = SessionState.SUSPENDED
        self.credentials = (0, b"")
        self.listeners: list[Callable[[SessionState], None]] = []
        self._hosts = hosts
        self._session_timeout_s = session_timeout_ms / 1000
        self._connection_timeout_s = connection_timeout_ms / 1000
        self._client: Client | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._deadline = inf  # when a suspended session counts as over
        self._moved = trio.Event()  # replaced at each change of state
        self._restart_after_s: float | None = None
        self._closed = False

    @property
    def session_timeout_s(self) -> float:
        """As the server granted it; as asked for before there was a connection."""
        return self._session_timeout_s if self._client is None else self._client.granted_timeout_s

    @property
    def client(self) -> "Client":
        assert self._client is not None, "the registry is not running"
        return self._client

    async def run(self, prepare: Callable[[], Awaitable[None]], task_status: trio.TaskStatus[None]) -> None:
        """Connect, `prepare`, say started, keep a session until cancelled. Raises: OperatorError: no connection."""
        from broker.registry.kazoo_client import Client

        self._token = trio.lowlevel.current_trio_token()
        self._client = Client(self._hosts, self._session_timeout_s)
        self._client.add_listener(self._heard_state)
        self._client.start_async()
        try:
            await self._first_connection()
            await prepare()
            task_status.started()
            await self._keep()
        finally:
            await self.close()

    async def _first_connection(self) -> None:
        log.info("connecting to %s, for up to %g s", self._hosts, self._connection_timeout_s)
        with trio.move_on_after(self._connection_timeout_s):
            while self.state is not SessionState.CONNECTED:
                await self._moved.wait()
            return
        raise OperatorError(
            f"ZooKeeper does not answer at {self._hosts} (zookeeper.connect)",
            f"no session within {self._connection_timeout_s:g} s; {self.client.quiet_log.last_warning or 'no answer'}",
            "Start ZooKeeper, or correct zookeeper.connect, or raise zookeeper.connection.timeout.ms.",
        )

    async def _keep(self) -> None:
        """Watch the deadline of a suspended session, and restart kazoo where it does not go on by itself."""
        while True:
            if self._restart_after_s is not None:
                await self._restart_kazoo(self._restart_after_s)
            elif self.state is SessionState.SUSPENDED and trio.current_time() >= self._deadline:
                self._expired(f"no connection for {self.session_timeout_s:g} s")
            else:
                with trio.move_on_at(self._deadline):
                    await self._moved.wait()

    async def _restart_kazoo(self, after_s: float) -> None:
        await trio.sleep(after_s)
        await trio.to_thread.run_sync(stop, self.client)
        self._restart_after_s = None  # only now: stopping says LOST as well
        self.client.start_async()

    async def close(self) -> None:
        """End the session; wait a moment for the server to confirm."""
        if self._closed:
            return
        self._closed = True
        timeout_s = CLOSE_TIMEOUT_S if self.state is SessionState.CONNECTED else CLOSE_UNCONNECTED_TIMEOUT_S
        self.watches.clear()
        if self.state is not SessionState.EXPIRED:
            self._move(SessionState.EXPIRED)
        if self._client is not None:
            with trio.move_on_after(timeout_s, shield=True):
                await trio.to_thread.run_sync(stop, self._client, abandon_on_cancel=True)

    def _heard_state(self, state: str) -> None:
        """In kazoo's thread: a state, and what goes with it at this moment."""
        self.in_loop(self._session_moved, str(state), self.client.client_state, self.client.client_id)

    def in_loop(self, call: Callable[..., None], *args: Any) -> None:
        """From kazoo's thread: run a plain call in the loop, after those that were handed over before."""
        assert self._token is not None
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(call, *args)

    def _session_moved(self, state: str, client_state: str, credentials: tuple[int, bytes] | None) -> None:
        if self._closed:
            return
        if state == "CONNECTED" and credentials is not None:
            self._connected(credentials)
        elif state == "SUSPENDED" and self.state is SessionState.CONNECTED:
            self._deadline = trio.current_time() + self.session_timeout_s
            self._move(SessionState.SUSPENDED)
        elif state == "LOST":
            self._expired("ZooKeeper says so")
            if client_state in ("CLOSED", "AUTH_FAILED"):  # kazoo gave up: only a restart brings it back
                self._restart(RESTART_PAUSE_S)

    def _connected(self, credentials: tuple[int, bytes]) -> None:
        if credentials[0] != self.credentials[0]:
            self._expired("a new one was opened")
            self.credentials = credentials
            self._move(SessionState.CONNECTED)
        elif self.state is SessionState.EXPIRED:
            self._restart(0)  # the session that was given up lives
        else:
            self._move(SessionState.CONNECTED)
            self.watches.fire_all()

    def _expired(self, why: str) -> None:
        if self.credentials[0] and self.state is not SessionState.EXPIRED:
            log.warning("session %#x is over: %s", self.credentials[0], why)
            self.watches.clear()
            self._move(SessionState.EXPIRED)

    def _move(self, state: SessionState) -> None:
        log.info("session %#x with %s: %s", self.credentials[0], self._hosts, state.value)
        self.state = state
        if state is not SessionState.SUSPENDED:
            self._deadline = inf
        self._wake()
        tell(self.listeners, state)

    def _restart(self, after_s: float) -> None:
        self._restart_after_s = after_s
        self._wake()

    def _wake(self) -> None:
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    async def ask_again(self, what: str, send: Callable[[], Any]) -> Any:
        """A read: ask until it is answered or the session is over."""
        while True:
            try:
                return await self.ask(what, send)
            except ConnectionLost:
                await trio.lowlevel.checkpoint()

    async def ask(self, what: str, send: Callable[[], Any]) -> Any:
        """Wait for a connection, `send` once (it gives kazoo's asynchronous result), wait for the answer.

        Raises: RegistryError: as the contract says; `what` begins its text.
        """
        while self.state is SessionState.SUSPENDED:
            await self._moved.wait()
        if self.state is SessionState.EXPIRED:
            raise SessionExpired(f"{what}: session {self.credentials[0]:#x} is over")
        answered = trio.Event()
        answer = send()
        answer.rawlink(lambda _: self.in_loop(answered.set))
        await answered.wait()
        if answer.exception is not None:
            from broker.registry.kazoo_client import translated

            raise translated(answer.exception, what) from answer.exception
        return answer.value


def stop(client: "Client") -> None:
    """In a thread: end kazoo's session, if it has one, and its thread."""
    try:
        client.stop()
        client.close()
    except Exception as error:  # whatever state kazoo was in, there is nothing more to be done with it
        log.debug("kazoo did not stop cleanly: %r", error)
