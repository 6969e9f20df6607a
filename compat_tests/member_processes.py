"""The members of a consumer group, each a process: started, killed, and what each noted (see group_member.py)."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from compat_tests.command import environment

Place = tuple[str, int]
Record = tuple[Place, int, bytes, bytes]

ROOT = Path(__file__).resolve().parent.parent


class MemberProcess:
    """One member; what it noted is read on by `look`."""

    def __init__(self, notes: Path, client: str, bootstrap: str, group: str, topics: list[str], *options: str) -> None:
        self.records: list[Record] = []
        self.assigned: set[Place] = set()
        self.assignments: list[set[Place]] = []
        self.committed: dict[Place, int] = {}
        self.was_lost = False
        self.is_holding = False
        self._notes = notes
        self._read = 0
        self._errors = notes.with_suffix(".errors")
        command = [sys.executable, "-m", "compat_tests.group_member", "--client", client, "--bootstrap", bootstrap]
        command += ["--group", group, "--notes", str(notes), *options, *topics]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=errors, cwd=ROOT, env=environment()
            )

    def look(self) -> None:
        """Take in what it noted since the last look."""
        if not self._notes.exists():
            return
        with self._notes.open("rb") as notes:
            notes.seek(self._read)
            news = notes.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.split(b"\n")[:-1]:
            if line.startswith(b"!"):
                self._event(line.decode())
            else:
                topic, partition, offset, key, value = line.split(b"\t", 4)
                self.records.append(((topic.decode(), int(partition)), int(offset), key, value))

    def _event(self, line: str) -> None:
        name, said = line.split("\t", 1)
        words = [word.split(":") for word in said.split()]
        match name:
            case "!assigned":
                self.assigned = {(topic, int(partition)) for topic, partition in words}
                self.assignments.append(self.assigned)
            case "!committed":
                self.committed |= {(topic, int(partition)): int(offset) for topic, partition, offset in words}
            case "!lost":
                self.was_lost = True
            case "!holding":
                self.is_holding = True

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def has_failed(self) -> bool:
        """Ended by itself, with a traceback."""
        return (self._process.poll() or 0) > 0

    def ended(self) -> str:
        """How it ended, and its last words, for a failing test."""
        return f"{self._process.poll()}: {self._errors.read_text(errors='replace')[-3000:]}"

    def uncommitted(self) -> set[tuple[Place, int]]:
        """What it consumed and had not committed, as far as it knew."""
        return {(place, offset) for place, offset, _, _ in self.records if offset >= self.committed.get(place, 0)}

    def kill(self) -> None:
        """As `kill -9`."""
        self._process.kill()
        self._process.wait()

    def stop(self, within_s: float = 20) -> int:
        """It commits and leaves; its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(within_s)
        finally:
            self._process.kill()
            self._process.wait()
            self.look()


class GroupOfProcesses:
    """Members of one group. As a context manager it leaves no process behind."""

    def __init__(self, folder: Path, client: str, bootstrap: str, group: str, topics: list[str]) -> None:
        self.name = group
        self.members: list[MemberProcess] = []
        self._folder = folder
        self._about = (client, bootstrap, group, topics)

    def __enter__(self) -> "GroupOfProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.kill()

    def add(self, *options: str, client: str | None = None) -> MemberProcess:
        """Start one more member. Args: options of group_member.py; another client library than the group's."""
        notes = self._folder / f"{self.name}-{len(self.members)}.notes"
        usual, bootstrap, group, topics = self._about
        member = MemberProcess(notes, client or usual, bootstrap, group, topics, *options)
        self.members.append(member)
        return member

    def look(self) -> None:
        for member in self.members:
            member.look()

    def running(self) -> list[MemberProcess]:
        return [member for member in self.members if member.is_running]

    def share(self, places: set[Place]) -> bool:
        """Whether the running members have all of these partitions, each partition one member, nobody nothing."""
        self.look()
        shares = [member.assigned for member in self.running()]
        return all(shares) and sum(map(len, shares)) == len(places) and set().union(*shares) == places

    def wait_until(self, what: str, is_so: Callable[[], bool], within_s: float = 60) -> float:
        """Look ten times a second. Returns: the seconds it took. Raises: AssertionError with what the members said."""
        began = time.monotonic()
        while not is_so():
            assert time.monotonic() - began < within_s, f"not within {within_s} s: {what}; {self.say()}"
            assert not any(member.has_failed for member in self.members), self.say()
            time.sleep(0.1)
            self.look()
        return time.monotonic() - began

    def say(self) -> str:
        """Each member in a line."""
        self.look()
        return "\n".join(
            f"{n}: {len(m.records)} records, assigned {sorted(m.assigned)}, lost {m.was_lost}, {m.ended()}"
            for n, m in enumerate(self.members)
        )
