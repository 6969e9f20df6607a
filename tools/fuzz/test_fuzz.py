"""The fuzzer finds what it is there for, and a moment of it finds nothing in us."""

import os
import re
import signal
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

import barnabas
from kproto.testing.walkers import plain_walker
from tools.fuzz import requests, runner, sockets, walkers
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


@pytest.mark.parametrize(
    "harm", ["dead", *(pytest.param(each, marks=pytest.mark.campaign) for each in ("blamed", "grown"))]
)
def test_a_hurt_broker_is_found_and_the_next_one_is_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, harm: str
) -> None:
    """It is gone, or says what only its own mistakes make it say, or is larger than it may be."""
    count = Count()
    with ExitStack() as alive:
        [target] = sockets.targets(tmp_path / "broker", alive)
        one(target, "s", 0, count)
        with monkeypatch.context() as hurt:
            if harm == "dead":
                hurt.setattr(sockets, "say", lambda talk, port: os.kill(broker_of(target).pid, signal.SIGKILL))
            elif harm == "blamed":
                hurt.setattr(sockets, "OUR_MISTAKE", re.compile(""))
            else:
                hurt.setattr(sockets, "MOST_GROWTH_BYTES", -(1 << 40))
            one(target, "s", 1, count)
        one(target, "s", 2, count)
    [finding] = count.findings
    words = {"dead": "a good client is not served", "blamed": "the broker blames itself", "grown": "grew by"}
    assert words[harm] in finding.what
    assert count.inputs == 3


def broker_of(target: Target) -> barnabas.Broker:
    life: sockets.Life = target.try_out.__self__  # type: ignore[attr-defined]
    assert life.broker is not None
    return life.broker


def test_the_pieces_of_a_stream_are_the_stream() -> None:
    for seed in range(300):
        chance = Random(seed)
        data = chance.randbytes(chance.randrange(100))
        cut = list(sockets.pieces(chance, data))
        assert b"".join(cut) == data
    assert {len(list(sockets.pieces(Random(seed), bytes(50)))) for seed in range(50)} >= {1, 3, 4, 50}


def test_a_moment_of_everything_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walkers, "built", lambda work: plain_walker())
    with all_targets() as targets:
        *_, counts = run(targets, "a moment", 0.01, turn_s=0.15)
    assert [found for count in counts.values() for found in count.findings] == []
    assert all(count.taken for count in counts.values())
    assert sum(count.inputs for count in counts.values()) > 500


def test_one_input_by_its_number_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walkers, "built", lambda work: plain_walker())
    said = CliRunner().invoke(main, ["--seed", "a", "--only", "streams", "--number", "7"])
    assert said.exit_code == 0, said.output
    assert "ms of CPU" in said.output
    assert CliRunner().invoke(main, ["--only", "nothing"]).exit_code == 2
