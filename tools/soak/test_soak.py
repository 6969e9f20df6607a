"""What a soak concludes from what it saw; the load itself needs a broker and is run by hand."""

import os
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tools.soak.__main__ import told
from tools.soak.chart import chart, panels, round_above
from tools.soak.driver import is_sound, warnings
from tools.soak.ledger import Ledger, id_of, lost_and_doubled, outdated, value_of
from tools.soak.report import compared, percentile, rows
from tools.soak.sampling import Process, Sample, disk_use
from tools.soak.workers import SLOWEST, Pace, Tally, Workers

MIB = 1 << 20


def samples(count: int = 361) -> list[Sample]:
    """An hour, a look every ten seconds; memory grows by 1 MiB at half time."""
    return [
        Sample(
            at_s=10.0 * n,
            rss=(40 + (n > count // 2)) * MIB,
            descriptors=30,
            threads=3,
            disk=5 * MIB,
            kept=n * 1000,
            files=9,
            broker_cores=0.1,
            all_cores=0.3,
            share=1.0,
            written=n * 100,
            broker_waited=0.2,
            probe_waited=0.1,
            loop_ms=[1.0] * 99 + [7.0],
            produce_ms=[2.0] * 100,
        )
        for n in range(count)
    ]


def test_a_value_tells_who_wrote_it() -> None:
    for number in range(9):
        value = value_of(("kept-lz4", number), 200)
        assert len(value) == 200
        assert id_of(value) == ("kept-lz4", number)


def test_a_lost_record_and_a_doubled_one_are_counted() -> None:
    ledger = Ledger()
    for number in range(3):
        ledger.acknowledge(("w", number))
    assert lost_and_doubled(ledger.acknowledged, [("w", 0), ("w", 2), ("w", 2), ("x", 1)]) == (1, 1)


@pytest.mark.parametrize(
    ("read", "may_be_gone", "count"),
    [
        ({"a": 5, "b": None}, False, 0),
        ({"a": 5}, False, 0),  # the tombstone of b is gone as well
        ({"a": 4}, False, 1),
        ({}, False, 1),
        ({}, True, 0),
        ({"a": 5, "b": 3}, True, 1),
        ({"a": None}, True, 1),
    ],
)
def test_a_key_with_an_old_value_is_counted(read: dict[str, int | None], may_be_gone: bool, count: int) -> None:
    assert outdated({"a": 5, "b": None}, read, may_be_gone) == count


def test_the_governor_slows_down_above_its_cores_and_comes_back() -> None:
    pace = Pace(max_cores=0.5)
    pace.govern(0.46)
    assert pace.share == pytest.approx(0.8)
    pace.govern(0.40)
    assert pace.share == pytest.approx(0.8)
    for _ in range(99):
        pace.govern(0.9)
    assert pace.share == SLOWEST
    for _ in range(99):
        pace.govern(0.1)
    assert pace.share == 1.0


def test_a_worker_that_fails_is_counted_and_goes_on() -> None:
    workers, often = Workers(Pace(1.0), Tally(), seed=1), threading.Event()
    calls: list[str] = []

    def once() -> None:
        calls.append("once")
        if len(calls) == 3:
            often.set()
        raise ValueError("no")

    workers.again("someone", 0.001, once, lambda: calls.append("end"))
    assert often.wait(30)
    workers.stop()
    assert workers.tally.failed["someone: ValueError no"] >= 3
    assert calls[-1] == "end"


def test_the_first_ten_minutes_are_compared_with_the_last() -> None:
    figures = compared(samples())
    assert figures["RSS, MiB"] == [40, 41]
    assert figures["ApiVersions p99, ms"] == [7, 7]
    assert figures["descriptors at most"] == [30, 30]
    assert rows(samples())[7]["produce_p99_ms"] == 2.0
    assert percentile([], 0.99) == 0


def test_the_chart_is_a_small_svg_with_every_panel() -> None:
    text = chart(samples(), "60 minutes & more")
    shown = [each.text for each in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]
    assert "60 minutes & more" in shown
    assert all(title in shown for title in panels(samples()))
    assert len(text) < 60_000


def test_axes_end_at_round_numbers() -> None:
    assert [round_above(value) for value in (0, 0.3, 1, 1.1, 42, 501)] == [0.001, 0.5, 1, 2, 50, 1000]


def test_the_kernel_tells_of_a_process() -> None:
    process = Process(os.getpid())
    assert process.rss > 5 * MIB
    assert process.descriptors >= 3
    assert process.threads >= 1
    assert process.cores() >= 0
    assert process.waited() >= 0


def test_disk_is_counted_apart_for_the_topic_that_keeps_all(tmp_path: Path) -> None:
    for name in ("kept-0", "kept-1", "other-0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.log").write_bytes(b"x" * 5000)
    rest, kept, files = disk_use(tmp_path, "kept")
    assert files == 3
    assert kept == 2 * rest
    assert rest >= 5000


def test_warnings_are_counted_by_what_they_say() -> None:
    line = "[2026-11-21 16:36:33,845] WARN 127.0.0.1:{}: closed: frame of {} bytes (barnabas.server)"
    log = "\n".join([line.format(1, -5), line.format(22, 7), "[2026-11-21 16:36:33,845] INFO ready"])
    assert warnings(log) == {"WARN N.N.N.N:N: closed: frame of N bytes (barnabas.server)": 2}


def test_a_soak_is_sound_if_nothing_is_lost_and_nobody_failed() -> None:
    counts = {"acknowledged": 5, "lost": 0, "doubled": 0, "not read by the group": 0, "keys of t with an old value": 0}
    summary = {"failed": {}, "read back": counts, "read back after a restart": counts}
    assert is_sound(summary)
    assert not is_sound({**summary, "failed": {"someone": 1}})
    for name in counts:
        assert is_sound({**summary, "read back": {**counts, name: 1}}) == (name == "acknowledged")


@pytest.mark.parametrize(
    ("ended", "words", "exit_code"),
    [
        (0, "with code 0", 0),
        (3, "with code 3", 3),
        (-9, "by SIGKILL", 1),
        (-11, "by SIGSEGV", 1),
        (-60, "by signal 60", 1),
    ],
)
def test_a_soak_that_is_killed_or_crashes_does_not_end_without_a_word(
    ended: int, words: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(ended) == exit_code
    assert capsys.readouterr().err == f"the soak ended {words}\n"
