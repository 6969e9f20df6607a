"""The command `barnabas` as a user types it, in a folder of their own: until it ends, or has said something."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent


def environment(**more: str) -> dict[str, str]:
    """This process's, without options for a broker; `barnabas` is found from any folder.

    Our modules are compiled by the first that runs, even where `PYTHONDONTWRITEBYTECODE` stands: hundreds are started.
    """
    unwanted = {"CLUSTER_ID", "PYTHONDONTWRITEBYTECODE"}
    kept = {name: text for name, text in os.environ.items() if not name.startswith("KAFKA_") and name not in unwanted}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def barnabas(
    *arguments: str, folder: Path | None = None, before: Sequence[str] = (), stdin: str = "", **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end. `before`: a command that runs it, such as setpriv; `variables`: of the environment."""
    return subprocess.run(
        [*before, sys.executable, "-m", "barnabas", *arguments],
        cwd=folder,
        env=environment(**variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Started:
    """A `barnabas` that runs while the block does; it was not asked to be ready."""

    def __init__(
        self, *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, module: str = "barnabas"
    ) -> None:
        self.said = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=environment(**(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, text: str, within_s: float = 20) -> str:
        """All it said up to now. Raises: AssertionError: it ended, or did not say `text` in time."""
        deadline = time.monotonic() + within_s
        while text not in self.said:
            assert self._read(deadline - time.monotonic()), f"no {text!r} in:\n{self.said}"
        return self.said

    def send(self, order: signal.Signals) -> None:
        self._process.send_signal(order)

    def ended(self, within_s: float = 10) -> int:
        """The exit code; negative for a signal's number. Raises: AssertionError: it still runs."""
        deadline = time.monotonic() + within_s
        while self._read(deadline - time.monotonic()):
            assert time.monotonic() < deadline, f"it still runs:\n{self.said}"
        return self._process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, within_s: float) -> bool:
        """Whether there may be more: not at its end, and not after a silence of so long."""
        output = self._process.stdout
        assert output is not None
        if not select.select([output], [], [], max(0.0, within_s))[0]:
            return False
        some = os.read(output.fileno(), 65536)
        self.said += some.decode()
        return bool(some)
