"""docs/reliability.md names tests that are there, for every fault of its list."""

import re

from compat_tests.command import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
ROWS = re.findall(r"^\| (\d+) \|.*?\|.*?\| (.*) \|$", PAGE, re.MULTILINE)


def test_every_row_names_tests_that_are_there() -> None:
    assert sorted({int(number) for number, _ in ROWS}) == list(range(44, 59))
    for number, tests in ROWS:
        named = re.findall(r"`(\S+?\.py)::(\w+)`", tests)
        assert named, f"row {number} names no test"
        for file, test in named:
            text = (ROOT / file).read_text()
            assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), f"row {number}: no {test} in {file}"
