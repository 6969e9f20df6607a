"""The arithmetic and the words of the bench. Nothing here is timed."""

import io
import os
import socket
import xml.etree.ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from kproto.codec import decode
from kproto.messages.produce import ProduceRequest
from tools.bench import codecs, goals, limits, quick, throughput
from tools.bench.chart import chart, goodness
from tools.bench.goals import Goal
from tools.bench.processes import CpuReading, CpuUsed
from tools.bench.progress import Progress
from tools.bench.report import figure, groups, markdown, text
from tools.bench.requests import IN_FLIGHT, Pipeline, drive
from tools.bench.results import IN_KERNEL, Results, Row, Summary
from tools.bench.servers import Server, Target
from tools.commands.bench import bench

SPEED, COST = Row("produce", "MB/s", more_is_better=True), Row("produce: broker", "CPU s/GiB")
FASTER = Goal(SPEED, 1.5, theirs="kafka", at_least=True)
CHEAPER = Goal(COST, 0.5, theirs="kafka")


def measured() -> Results:
    results = Results()
    for ours, theirs in ((900.0, 610.0), (1200.0, 590.0), (1000.0, 600.0)):
        results.add(SPEED, "barnabas", ours)
        results.add(SPEED, "kafka", theirs)
    results.add(COST, "barnabas", 0.9)
    results.add(COST, "kafka", 1.5)
    return results


def test_a_summary_is_median_and_range() -> None:
    assert measured().summary(SPEED, "barnabas") == Summary(1000.0, 900.0, 1200.0, 3)
    assert measured().summary(SPEED, "nobody") is None


def test_a_goal_is_a_ratio_of_medians() -> None:
    measured_ratio = FASTER.measured(measured())
    assert measured_ratio == pytest.approx(1000 / 600)
    assert FASTER.met(1.5)
    assert not FASTER.met(1.49)
    assert CHEAPER.measured(measured()) == pytest.approx(0.6)
    assert not CHEAPER.met(0.6)


def test_a_goal_whose_other_side_was_not_measured_is_neither_met_nor_missed() -> None:
    absent = Goal(SPEED, 1.0, theirs="kfake", at_least=True)
    assert absent.measured(measured()) is None
    assert "not measured" in text(measured(), [absent])


def test_a_goal_may_be_held_against_another_row_or_against_nobody() -> None:
    results = measured()
    results.add(limits.LOOPBACK_SEND, limits.KERNEL, 4000.0)
    against_send = Goal(SPEED, 0.2, theirs=limits.KERNEL, their_row=limits.LOOPBACK_SEND, at_least=True)
    assert against_send.measured(results) == 0.25
    assert Goal(COST, 1.0).measured(results) == 0.9


def test_every_goal_of_the_project_names_a_row_once() -> None:
    named = [(goal.row, goal.ours, goal.theirs) for goal in goals.goals("kafka 4.3.1")]
    assert len(named) == len(set(named))
    assert len({goal.row for goal in goals.against_the_jvm("x")}) == 4 * len(throughput.SHAPES) + 4


def test_the_table_shows_median_and_range_and_the_verdict() -> None:
    shown = text(measured(), [FASTER, CHEAPER])
    assert "1,000 (900–1,200)" in shown
    assert [line.split()[-1] for line in shown.splitlines() if "kafka " in line and "≥" in line] == ["met"]
    assert [line.split()[-1] for line in shown.splitlines() if "≤" in line] == ["MISSED"]


def test_rows_without_a_broker_in_common_stand_in_tables_of_their_own() -> None:
    results = measured()
    results.add(limits.LOOPBACK_SEND, limits.KERNEL, 4000.0)
    heads = [line.split() for line in text(results, []).splitlines() if line.startswith("ROW")]
    assert heads == [["ROW", "UNIT", "BARNABAS", "KAFKA"], ["ROW", "UNIT", "KERNEL"]]


def test_what_the_kernel_took_of_a_cost_stands_in_a_table_behind_the_others() -> None:
    results = Results()
    cost, speed = Row("consume: broker", "CPU s/GiB"), Row("consume", "MB/s", more_is_better=True)
    results.add_cost(cost, "barnabas", CpuUsed(3.0, 0.75), 1.5)
    results.add(speed, "barnabas", 800)
    assert groups(results) == [(["barnabas"], [cost, speed]), (["barnabas"], [Row("consume: broker", IN_KERNEL)])]
    assert results.as_json()["rows"][1]["medians"] == {"barnabas": 75.0}


def test_what_was_not_measured_is_told_with_the_reason() -> None:
    results = measured()
    results.skipped.append(("kfake", "no go"))
    results.failed.append(("compaction", "ValueError: x"))
    for shown in (text(results, []), markdown(results, [])):
        assert "skipped: kfake: no go" in shown
        assert "FAILED: compaction: ValueError: x" in shown


def test_markdown_has_as_many_cells_in_each_line() -> None:
    lines = [line for line in markdown(measured(), []).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {5}


@pytest.mark.parametrize(("value", "shown"), [(1234.5, "1,234"), (99.94, "99.9"), (0.01234, "0.0123"), (7.0, "7")])
def test_figures_have_three_digits_that_count(value: float, shown: str) -> None:
    assert figure(value) == shown


def test_the_picture_has_a_bar_for_each_goal_that_was_measured() -> None:
    absent = Goal(SPEED, 1.0, theirs="kfake")
    drawn = xml.etree.ElementTree.fromstring(chart(measured(), [FASTER, CHEAPER, absent], "a & b"))
    bars = [each for each in drawn.iter() if each.tag.endswith("rect") and each.get("fill") != "#fff"]
    assert len(bars) == 2
    assert goodness(FASTER, 3.0) == 2.0
    assert goodness(CHEAPER, 0.25) == 2.0


def test_results_are_json_with_every_figure() -> None:
    rows = measured().as_json()["rows"]
    assert rows[0]["figures"]["kafka"] == [610.0, 590.0, 600.0]
    assert rows[0]["medians"]["kafka"] == 600.0


# --- quick ---


@pytest.mark.parametrize(
    ("ratio", "word"), [(1.0, "ok"), (1.2, "ok"), (1.21, "warning"), (1.5, "warning"), (1.6, "FAILED")]
)
def test_quick_warns_and_fails_by_growth(ratio: float, word: str) -> None:
    (verdict,) = quick.judged({"a": ratio * 2}, {"a": 2.0})
    assert verdict.word == word


def test_a_row_without_baseline_is_new() -> None:
    assert quick.judged({"a": 9.0}, {})[0].word == "new"


def test_costs_of_a_gib_are_told_for_16_kib() -> None:
    """A GiB is 65,536 times 16 KiB."""
    assert quick.request_us(Row("", "CPU µs"), 30.0) == 30.0
    assert quick.request_us(COST, 0.65536) == pytest.approx(10.0)


def test_the_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    assert quick.read_baseline(file) == {}
    quick.write_baseline({"a": 1.5}, file)
    assert quick.read_baseline(file) == {"a": 1.5}


def test_the_committed_baseline_has_a_row_for_each_load(tmp_path: Path) -> None:
    server = Server("barnabas", tmp_path, lambda port, folder: [])
    assert {row.title for row in quick.loads(server, 0)} == set(quick.read_baseline())


# --- loads ---


def test_cpu_is_that_of_the_threads_unless_one_has_ended() -> None:
    before = CpuReading(100, 40, {"1": 1_000, "2": 5_000})
    used = CpuReading(104, 41, {"1": 2_000, "2": 5_000, "3": 500}).since(before)
    assert used.seconds == pytest.approx(1.5e-6)
    assert used.kernel_share == 0.25
    one_ended = CpuReading(100 + os.sysconf("SC_CLK_TCK"), 40, {"1": 2_000})
    assert one_ended.since(before).seconds == 1.0


def test_this_process_has_used_cpu() -> None:
    used = CpuReading.of(os.getpid()).since(CpuReading(0, 0, {}))
    assert used.seconds > 0
    assert 0 <= used.kernel_share < 1


def test_a_pipeline_sends_as_many_requests_as_it_takes_answers() -> None:
    """An answer may come in halves."""
    near, far = socket.socketpair()
    with near, far:
        pipeline = Pipeline(near, b"ask", answer_bytes=4)
        pipeline.begin()
        assert far.recv(1 << 16) == b"ask" * IN_FLIGHT
        far.sendall(b"6 byte")
        assert pipeline.go_on(left=10) == 1
        assert far.recv(1 << 16) == b"ask"
        far.sendall(b"2x" + b"last")
        assert pipeline.go_on(left=1) == 2
        assert far.recv(1 << 16) == b"ask"
        far.sendall(b"x" * 4 * IN_FLIGHT)
        assert pipeline.go_on(left=0) == IN_FLIGHT


def test_the_drive_ends_when_each_has_its_answers() -> None:
    near, far = socket.socketpair()
    with near, far:
        pipeline = Pipeline(near, b"ask", answer_bytes=4)
        far.sendall(b"1234" * IN_FLIGHT)
        assert drive([pipeline], IN_FLIGHT) == IN_FLIGHT


@pytest.mark.parametrize("codec", [codecs.OURS, codecs.KIO, codecs.KAFKA_PYTHON])
@pytest.mark.parametrize("title", codecs.MESSAGES)
def test_all_codecs_read_and_write_the_same(codec: str, title: str) -> None:
    make, version = codecs.MESSAGES[title]
    read, write = codecs.works(codec, make(), version)
    assert read()
    assert write() == codecs.works(codecs.OURS, make(), version)[1]()


def test_the_frame_of_a_load_is_a_request_of_one_record() -> None:
    from tools.bench.frames import PRODUCE_VERSION, produce_frame

    body = produce_frame("topic", 3).partition(b"barnabas-bench\0")[2]
    found = decode(ProduceRequest, PRODUCE_VERSION, memoryview(body))
    assert found.topic_data[0].partition_data[0].index == 3


# --- progress, command ---


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_a_terminal_only() -> None:
    elsewhere, terminal = io.StringIO(), Terminal()
    for stream in (elsewhere, terminal):
        progress = Progress(2, stream, clock=lambda: 0.0)
        progress.step("starts")
        assert list(progress.rounds(2, within_s=9)) == [0, 1]
        progress.step("loads")
    assert elsewhere.getvalue() == ""
    assert "starts 2/2" in terminal.getvalue()
    assert "[############------------]" in terminal.getvalue()


def test_a_slow_section_makes_three_rounds() -> None:
    times = iter(range(0, 1000, 10))
    progress = Progress(1, io.StringIO(), clock=lambda: next(times))
    assert len(list(progress.rounds(5, within_s=5))) == 3


def test_a_broker_that_runs_is_named_with_address_and_process() -> None:
    target = Target.parse("mine=[::1]:9092:77")
    assert (target.name, target.host, target.port, target.pid) == ("mine", "[::1]", 9092, 77)
    result = CliRunner().invoke(bench, ["mine=9092"])
    assert result.exit_code == 2
    assert "NAME=HOST:PORT:PID" in result.output
