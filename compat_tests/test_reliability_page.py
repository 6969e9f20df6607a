"""docs/reliability.md: every fault of the catalogue that one broker can meet, and tests that are there."""

import re
from collections import Counter

from compat_tests.command import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
ROWS = re.findall(r"^\| ([\d, –]+) \|(.*)\|(.*)\| (.*) \|$", PAGE, re.MULTILINE)
OF_SEVERAL_BROKERS = {3, 6, 15, 24, 26, 27, 28, 29, 31, 63, 64}
OF_TRANSACTIONS = set(range(17, 23))
"""Which clients cannot begin here."""
OF_THE_NETWORK = {25, 30}
"""Clients cut off, packets lost: the kernel's part; to the broker they are silent, or reset."""
NOT_TESTED = {41}


def test_every_fault_that_one_broker_can_meet_is_there() -> None:
    named = {int(number) for numbers, *_ in ROWS for number in re.findall(r"\d+", numbers)}
    assert named == set(range(1, 69)) - OF_SEVERAL_BROKERS - OF_TRANSACTIONS - OF_THE_NETWORK - NOT_TESTED
    assert all(f"({number})" in PAGE for number in NOT_TESTED)


def test_every_row_names_tests_that_are_there() -> None:
    """Each just once, so that its name alone finds it; and no other word on the page looks like one."""
    there = Counter(
        name
        for room in ("barnabas", "broker", "compat_tests", "coordinator", "kproto", "tools")
        for file in (ROOT / room).rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE)
    )
    for numbers, done, holds, tests in ROWS:
        assert done.strip(), numbers
        assert holds.strip(), numbers
        names = tests.split()
        assert names, f"row {numbers} names no test"
        for name in names:
            assert there[name.strip("`")] == 1, f"row {numbers}: {name} is there {there[name.strip('`')]} times"
    assert len(re.findall(r"`test_\w+`", PAGE)) == sum(len(tests.split()) for *_, tests in ROWS)
