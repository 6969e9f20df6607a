"""Ten thousand bad clients at once, and a good one: it is served all the while, and the broker stays small.

Printed with `-s`: the broker's growth, and what the good client waited. Each bad one sends at most 64 KiB.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from compat_tests.broker_process import BrokerProcess
from compat_tests.command import environment
from compat_tests.hostile_clients import KINDS
from compat_tests.typed_client import TypedClient
from kproto.messages.api_versions import ApiVersionsRequest
from kproto.messages.produce import PartitionProduceData, ProduceRequest, TopicProduceData
from kproto.records.batch import build_batch
from kproto.records.record import Record

MIB = 1024 * 1024
PROCESSES = 4
DESCRIPTORS = 20_000
"""Half of them is for log files."""
COMES_WITHIN_S = 40.0
"""Behind a whole backlog of bad ones, on a machine that four crowds keep busy."""
MOSTLY_SMALL = [kind for kind in KINDS if kind != "frame_without_end"] * 4 + ["frame_without_end"]
ONE_RECORD = TopicProduceData(
    name="good", partition_data=[PartitionProduceData(index=0, records=build_batch([Record(0, 0, b"k", b"x" * 1000)]))]
)


@pytest.fixture
def most() -> Iterator[int]:
    """How many connections at once the system lets us have: more descriptors for the processes started meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = DESCRIPTORS
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, max(allowed, before[1])))
    except (ValueError, OSError):  # only root may raise the hard limit, and not everywhere
        allowed = before[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
    yield allowed // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[0], max(allowed, before[1])))


class GoodClient:
    """Writes all the time on a connection that it keeps, and comes anew each second with a question."""

    def __init__(self, port: int) -> None:
        self.waits_s: list[float] = []
        self.comings_s: list[float] = []
        """A full backlog makes the kernel of the client try again, after one second, two, four …"""
        self.trouble: list[BaseException] = []
        self._port = port
        self._stop = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> "GoodClient":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with TypedClient(self._port) as kept:
                kept.create("good")
                while not self._stop.wait(0.02):
                    began = time.monotonic()
                    if len(self.waits_s) % 50 == 0:
                        with TypedClient(self._port) as fresh:
                            fresh.send(ApiVersionsRequest(), 0)
                            fresh.answer(COMES_WITHIN_S)
                        self.comings_s.append(time.monotonic() - began)
                        began = time.monotonic()
                    answer = kept.ask(ProduceRequest(acks=1, timeout_ms=5000, topic_data=[ONE_RECORD]), 8)
                    assert answer.responses[0].partition_responses[0].error_code == 0, answer
                    self.waits_s.append(time.monotonic() - began)
        except BaseException as error:
            self.trouble.append(error)


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("count", "kinds", "properties"),
    [
        pytest.param(10_000, MOSTLY_SMALL, {}, id="of all kinds"),
        pytest.param(
            4_000,
            ["frame_without_end"],
            {"queued.max.request.bytes": str(24 * MIB), "socket.request.max.bytes": str(16 * MIB)},
            id="all with a frame that never ends",
        ),
    ],
)
def test_thousands_at_once(most: int, tmp_path: Path, count: int, kinds: list[str], properties: dict[str, str]) -> None:
    count = min(count, most)
    options = {"socket.listen.backlog.size": "4096", "barnabas.http.listener": "", **properties}
    broker = BrokerProcess(tmp_path, properties=options).start()
    crowds: list[subprocess.Popen[str]] = []
    try:
        process = psutil.Process(broker.pid)
        with GoodClient(broker.port) as good:
            while len(good.waits_s) < 20 and not good.trouble:
                time.sleep(0.05)
            before = process.memory_info().rss
            crowds += [_crowd(broker.port, count // PROCESSES, kinds) for _ in range(PROCESSES)]
            said = [json.loads(crowd.stdout.readline()) for crowd in crowds]  # type: ignore[union-attr]
            assert sum(each["sent_bytes"] for each in said) <= count * 64 * 1024
            there = _settled(process)
            grown = process.memory_info().rss - before
            still_open = sum(_end(crowd) for crowd in crowds)
        assert not good.trouble, good.trouble
        waits = sorted(good.waits_s)
        print(
            f"\n{count} connections, {sum(each['sent_bytes'] for each in said) / MIB:.0f} MiB sent, in "
            f"{max(each['took_s'] for each in said):.1f} s; at most {there} descriptors, {still_open} still open; "
            f"the broker grew by {grown / MIB:.1f} MiB; {len(waits)} rounds of the good client, median "
            f"{waits[len(waits) // 2] * 1000:.0f} ms, longest {waits[-1] * 1000:.0f} ms; coming anew at most "
            f"{max(good.comings_s) * 1000:.0f} ms"
        )
        assert grown <= 64 * MIB
        assert waits[-1] < 5
        assert max(good.comings_s) < COMES_WITHIN_S
        assert "closed by an error of the broker" not in broker.log.read_text()
    finally:
        for crowd in crowds:
            crowd.kill()
            crowd.wait()
        broker.stop()


def _crowd(port: int, count: int, kinds: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "compat_tests.hostile_clients", str(port), str(count), *kinds]
    root = Path(__file__).resolve().parent.parent
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root, env=environment())


def _settled(process: psutil.Process) -> int:
    """The most descriptors that it had, once nobody comes out of the backlog any more."""
    seen: list[int] = [process.num_fds()]
    while len(seen) < 30 and (len(seen) < 4 or seen[-1] > seen[-4]):
        time.sleep(0.5)
        seen.append(process.num_fds())
    return max(seen)


def _end(crowd: subprocess.Popen[str]) -> int:
    """How many of its connections the broker had kept."""
    return int(json.loads(crowd.communicate(timeout=60)[0])["open"])
