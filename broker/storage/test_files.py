"""The system's disk: who owns a directory, who holds a file, what a replaced file looks like."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio

from broker.storage.files import File, Held, SystemDisk, read_whole, replace, write_all
from broker.storage.slices import FileSlice
from broker.testing.disk import FakeDisk

HOLD_AS_KAFKA_DOES = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_directory_has_one_owner_even_in_one_process(tmp_path: Path) -> None:
    first = SystemDisk().lock(tmp_path)
    with pytest.raises(Held) as held:
        SystemDisk().lock(tmp_path)
    assert held.value.pid in (os.getpid(), None)
    first.release()
    SystemDisk().lock(tmp_path).release()


def test_a_refused_second_owner_leaves_the_first_one_its_locks(tmp_path: Path) -> None:
    """Closing any descriptor of `.lock` would drop the lock of the whole process, and let a Kafka broker in."""
    first = SystemDisk().lock(tmp_path)
    with pytest.raises(Held):
        SystemDisk().lock(tmp_path)
    script = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    asked = subprocess.run([sys.executable, "-c", script, str(tmp_path / ".lock")], capture_output=True, check=False)
    assert asked.returncode != 0
    assert b"BlockingIOError" in asked.stderr
    first.release()


def test_the_lock_of_another_process_is_respected_and_its_pid_told(tmp_path: Path) -> None:
    """Kafka's own lock is `lockf` on `.lock`."""
    script = [sys.executable, "-c", HOLD_AS_KAFKA_DOES, str(tmp_path / ".lock")]
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Held) as held:
            SystemDisk().lock(tmp_path)
        assert held.value.pid in (other.pid, None)
        other.communicate()
    SystemDisk().lock(tmp_path).release()


def test_a_file_closes_when_its_last_holder_lets_go(tmp_path: Path) -> None:
    file = SystemDisk().create(tmp_path / "x")
    write_all(file, b"0123456789", 0)
    held = FileSlice(file, 2, 5)
    file.release()
    assert held.file == file.descriptor
    assert held.file is not None
    assert os.pread(held.file, 5, 2) == held.read() == b"23456"
    descriptor = held.file
    held.release()
    held.release()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    with pytest.raises(ValueError, match="released"):
        held.read()


class ShortWriter:
    """Takes three bytes at a time."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes | bytearray | memoryview, position: int) -> int:
        self.data[position : position + 3] = data[:3]
        return min(len(data), 3)


def test_a_disk_that_takes_few_bytes_at_a_time_gets_all_of_them_in_order() -> None:
    file = ShortWriter()
    write_all(file, b"0123456789", 0)  # type: ignore[arg-type]
    assert bytes(file.data) == b"0123456789"


def test_a_replaced_file_is_the_old_one_or_the_new_one_after_a_crash_at_any_call() -> None:
    for crash_at in range(20):
        disk = FakeDisk()
        disk.make_directory(Path("/d"))
        disk.sync_directory(Path("/"))
        replace(disk, Path("/d/file"), b"old")
        calls = len(disk.calls)
        disk.crash_at = calls + crash_at
        try:
            replace(disk, Path("/d/file"), b"new content")
            finished = True
        except Exception:
            finished = False
        found = read_whole(disk.after_crash(), Path("/d/file"))
        assert found == b"new content" if finished else found in (b"old", b"new content")
        if finished:
            return
    pytest.fail("it never finished")


def test_a_page_that_cannot_be_asked_for_counts_as_warm(tmp_path: Path) -> None:
    file: File = SystemDisk().create(tmp_path / "x")
    write_all(file, b"x" * 5000, 0)
    assert file.is_warm(4000)
    file.release()


async def test_a_thread_hands_its_error_on(tmp_path: Path) -> None:
    disk = SystemDisk()
    with pytest.raises(OSError) as failed:
        await disk.in_thread(lambda: disk.sync_directory(tmp_path / "missing"))
    assert failed.value.errno == errno.ENOENT


async def test_reads_that_hang_leave_threads_for_writing() -> None:
    disk, hangs, began = SystemDisk(threads=2), threading.Event(), threading.Semaphore(0)

    def read() -> None:
        began.release()
        hangs.wait()

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(disk.in_reading_thread, read)
        for _ in range(2):
            await trio.to_thread.run_sync(began.acquire)
        assert await disk.in_thread(lambda: "written") == "written"
        hangs.set()
