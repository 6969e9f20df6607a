"""The fuzzer finds what it is there for, and a moment of it finds nothing in us."""

from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from kproto.testing.walkers import plain_walker
from tools.fuzz import requests, runner, walkers
from tools.fuzz.__main__ import all_targets, main, table
from tools.fuzz.runner import Count, Target, one, run


class Declared(Exception):
    """What the code under test may refuse with."""


def target(*problems: Exception | None) -> Target:
    """One whose inputs are these errors, or none."""

    def try_out(problem: Exception | None) -> None:
        if problem is not None:
            raise problem

    return Target("toy", lambda chance: chance.choice(problems), try_out, (Declared,))


def test_refusals_are_no_findings_and_everything_else_is() -> None:
    [*_, counts] = run([target(None, Declared(), KeyError("ours"))], "s", 0.01, turn_s=0.01)
    count = counts["toy"]
    assert count.taken
    assert count.refused
    assert count.findings
    assert all("KeyError: 'ours'" in found.what for found in count.findings)
    assert f"{count.inputs:,} inputs of seed s, {len(count.findings)} findings" in table(counts, "s")


def test_a_finding_alone_is_the_same_input_again() -> None:
    wild = Target("toy", Random.random, lambda made: exec("raise ValueError(made)", {"made": made}), ())
    found, again = Count(), Count()
    for number in range(5):
        one(wild, "s", number, found)
    one(wild, "s", 3, again)
    assert again.findings == found.findings[3:4]
    assert found.findings[3].again == "python -m tools.fuzz --seed s --only toy --number 3"


def test_slow_and_large_are_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SLOWEST_S", 0.01)
    monkeypatch.setattr(runner, "MOST_MEMORY_BYTES", 8 << 20)
    most = runner.peak_bytes()
    for name, work in (("CPU", lambda _: sum(range(10**6))), ("MiB", lambda _: bytearray(b"x" * (most + (50 << 20))))):
        count = Count()
        monkeypatch.setattr(runner, "SLOWEST_S", 0.001 if name == "CPU" else 100)
        one(Target(name, lambda chance: None, work, ()), "s", 0, count)
        assert name in count.findings[0].what


def test_a_walker_that_differs_is_found() -> None:
    other = plain_walker()
    other.SHORTEST_RECORD = 7  # type: ignore[attr-defined]
    [*_, counts] = run(walkers.targets(other), "s", 0.2)
    assert counts["walkers"].findings


def test_an_error_of_ours_in_a_handler_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(request: object, ctx: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("broker.handlers.describe_cluster.describe_cluster", broken)
    count, number = Count(), 0
    while not count.findings and number < 100:
        one(requests.targets()[0], "s", number, count)
        number += 1
    assert "DescribeCluster" in count.findings[0].what
    assert "KeyError: 'ours'" in count.findings[0].what


def test_a_moment_of_everything_finds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(walkers, "built", lambda work: plain_walker())
    *_, counts = run(all_targets(tmp_path), "a moment", 0.01, turn_s=0.15)
    assert [found for count in counts.values() for found in count.findings] == []
    assert all(count.taken for count in counts.values())
    assert sum(count.inputs for count in counts.values()) > 500


def test_one_input_by_its_number_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walkers, "built", lambda work: plain_walker())
    said = CliRunner().invoke(main, ["--seed", "a", "--only", "streams", "--number", "7"])
    assert said.exit_code == 0, said.output
    assert "ms of CPU" in said.output
    assert CliRunner().invoke(main, ["--only", "nothing"]).exit_code == 2
