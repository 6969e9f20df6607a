"""A broker in a process of its own, held by the program that started it.

Not in this process: one busy thread of Python beside a broker makes it a hundred times slower, and users have packages
of their own called `broker` and `tools`. The child tells its address in one line on its stdout, and ends when its stdin
does, so it never outlives whoever holds it, even one that was killed.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

_STEERED = ("--override=barnabas.http.listener=127.0.0.1:0", "--override=barnabas.control.api=true")
START_WITHIN_S = 30.0
STOP_WITHIN_S = 10.0
WAIT_WITHIN_S = 10.0
OK, TIME_IS_OVER = 200, 408


class BrokerFailed(Exception):
    """The broker did not start, or it is not running. The text holds what it said."""


class TopicRefused(Exception):
    """The broker did not create a topic; the text tells why."""


class TooLate(Exception):
    """What was waited for did not come; the text tells what is there instead."""


class Broker:
    """`with barnabas.Broker() as broker: KafkaProducer(bootstrap_servers=broker.bootstrap)`.

    It listens on a free port of localhost. Without `data` everything is in memory, and gone at the end.

    Args:
        data: directory to keep everything in, also after the end; made if need be.
        topics: to create at start, as on the command line: `orders:3,events:1:compact`.
        options: of server.properties, over the defaults.
        port: to listen on; 0 takes a free one, and a second `start` the same again.
    """

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        topics: str = "",
        options: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.port = port
        """0 until it has started once."""
        self.host = "localhost"
        self.web = ""
        """`127.0.0.1:41235`, of /healthz, /readyz and /control over HTTP; empty before the first start."""
        self._data = data
        self._topics = topics
        self._options = dict(options or {})
        self._files = contextlib.ExitStack()
        self._said: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`localhost:41234`, for `bootstrap_servers`. Raises: BrokerFailed: it has never run."""
        if not self.port:
            raise BrokerFailed("this broker has not been started")
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id. Raises: BrokerFailed: it does not run."""
        return self._running().pid

    @property
    def log(self) -> str:
        """What it has said so far on stderr: its log."""
        if self._said is None:
            return ""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Raises: TopicRefused: it is there already, or the broker says why not."""
        from barnabas.asking import NewTopic, create_topics

        for refused in create_topics(self.host, self.port, [NewTopic(name, partitions, config=config or {})]):
            raise TopicRefused(f"the topic {name} was not created: {refused.message}")

    def reset(self) -> None:
        """Delete every topic and every group, members too, as if it had just been started. Raises: BrokerFailed."""
        self._control("reset", {}, 2 * WAIT_WITHIN_S)

    def wait_for_group(
        self, group: str, members: int = 1, *, state: str = "Stable", within_s: float = WAIT_WITHIN_S
    ) -> None:
        """Until so many members share the group, each with its partitions. Raises: TooLate, with what is there."""
        self._control("wait-for-group", {"group": group, "members": members, "state": state}, within_s)

    def wait_for_offset(
        self,
        topic: str,
        offset: int,
        *,
        partition: int = 0,
        group: str | None = None,
        within_s: float = WAIT_WITHIN_S,
    ) -> None:
        """Until so many records are there to be consumed; with `group`, until it has committed so many.

        Raises: TooLate, with what is there.
        """
        wanted = {"topic": topic, "partition": partition, "offset": offset}
        self._control("wait-for-offset", wanted if group is None else {**wanted, "group": group}, within_s)

    def _control(self, what: str, wanted: dict[str, Any], within_s: float) -> None:
        from http.client import HTTPConnection

        self._running()
        limit = {} if what == "reset" else {"timeout_ms": int(within_s * 1000)}
        connection = HTTPConnection(self.web, timeout=within_s + STOP_WITHIN_S)
        try:
            connection.request(
                "POST", f"/control/{what}", json.dumps(wanted | limit), {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            text = answer.read().decode().strip()
        except OSError as error:
            raise BrokerFailed(f"the broker does not answer: {error}") from None
        finally:
            connection.close()
        if answer.status == TIME_IS_OVER:
            raise TooLate(f"waited {within_s:g} s for {wanted}; now it is {text}")
        if answer.status != OK:
            raise BrokerFailed(f"{what}: {text}")

    # --- its life ---

    def start(self, within_s: float = START_WITHIN_S) -> Self:
        """Start it; it serves when this returns. Raises: BrokerFailed, with what it said."""
        if self._process is not None and self._process.poll() is None:
            raise BrokerFailed(f"this broker runs already, at {self.bootstrap}")
        if self._said is None:
            self._said = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by the stack
        self._process = subprocess.Popen(
            [sys.executable, "-m", "barnabas", *self._arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment(),
            start_new_session=True,  # Ctrl-C at the terminal is for the one who holds it
        )
        try:
            told = self._ready_line(within_s)
        except BaseException:
            self.kill()
            raise
        self.host, self.port, self.web = told["host"], told["port"], told["web"]
        return self

    def _arguments(self) -> Sequence[str]:
        where = ["dev"] if self._data is None else ["--data", str(self._data)]
        topics = ["--topics", self._topics] if self._topics else []
        options = [f"--override={name}={value}" for name, value in self._options.items()]
        return [*where, "--port", str(self.port), "--steered", *_STEERED, *topics, *options]

    def _ready_line(self, within_s: float) -> dict[str, Any]:
        process = self._running()
        assert process.stdout is not None
        deadline = time.monotonic() + within_s
        readable, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
        line = process.stdout.readline() if readable else b""
        if not line:
            process.kill()
            code = process.wait()
            how = f"ended with code {code}" if readable else f"was not ready after {within_s:g} s"
            raise BrokerFailed(f"the broker {how}:\n{self.log}")
        told: dict[str, Any] = json.loads(line)
        return told

    def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """A clean stop, as Ctrl-C; the exit code. 0 if it does not run. After `within_s` it is killed."""
        process = self._process
        if process is None:
            return 0
        self._let_go(process)
        try:
            return process.wait(within_s)
        except subprocess.TimeoutExpired:
            return self.kill()
        finally:
            self._process = None

    def kill(self) -> int:
        """As `kill -9`: what was acknowledged stays in `data`; the exit code. `start` brings it back."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        self._let_go(process)
        return process.wait()

    @staticmethod
    def _let_go(process: subprocess.Popen[bytes]) -> None:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BrokerFailed("this broker does not run")
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        self._files.close()
        self._said = None


def environment() -> dict[str, str]:
    """That of this process without KAFKA_… variables: they are for clients here, and would be options to a broker."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
