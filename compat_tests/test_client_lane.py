"""A client of the table comes to its end, or says why not: one that hangs is killed soon."""

import sys

import pytest

from compat_tests.client_lane import to_its_end


async def test_what_a_client_said_on_both_streams_is_told() -> None:
    both = "import sys; print(sys.stdin.read()); print('a warning', file=sys.stderr)"
    assert await to_its_end("it", [sys.executable, "-c", both], "lines") == ("lines\n", "a warning\n")


async def test_a_client_that_hangs_is_killed_and_named_with_what_it_had_said() -> None:
    with pytest.raises(AssertionError, match=r"(?s)^it still ran after 1 s: .*\nbeginning\n$"):
        await to_its_end("it", ["sh", "-c", "echo beginning; exec sleep 600"], "", within_s=1)


async def test_a_client_that_fails_is_named_with_what_it_had_said() -> None:
    with pytest.raises(AssertionError, match=r"(?s)^it ended with 1: .*no such topic\n$"):
        await to_its_end("it", [sys.executable, "-c", "raise SystemExit('no such topic')"], "")
