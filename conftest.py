"""For all tests: a missing tool skips a test on your machine and fails it where `BARNABAS_REQUIRE_ALL=1`, as in CI.

With pytest-xdist, files that start processes go first. What campaigns count (`record_property("counted …", n)`) is
added up and printed at the end; `--seeds A-B` says which stories they tell.
"""

import os
from collections import Counter
from typing import Any

import pytest

_REQUIRE_ALL = os.environ.get("BARNABAS_REQUIRE_ALL") == "1"


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped although BARNABAS_REQUIRE_ALL=1: {reason}"


def pytest_configure(config: pytest.Config) -> None:
    """`--dist loadfile` would hand out the files with most tests first; those that last longest have few."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where files are shared out among workers, the long ones come first, and the short ones fill up the end.

    What is marked `full` is only there with `--full`.
    """
    if not config.getoption("--full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith("compat_tests/"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="The whole of what campaigns do in part, half an hour more.")
    parser.addoption("--seeds", metavar="A-B", help="The stories of campaigns by seed, both ends included.")
    parser.addoption("--kills", type=int, default=30, help="How often a campaign kills a broker.")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counted: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            last = getattr(report, "when", None) == "teardown"  # by then fixtures have counted, too
            for name, number in report.user_properties if last else ():
                if name.startswith("counted "):
                    counted[name.removeprefix("counted ")] += number
    for name, number in counted.items():
        terminalreporter.write_line(f"{name}: {number:,}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    report: pytest.TestReport = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):  # type: ignore[no-untyped-def]
    report: pytest.CollectReport = yield
    _forbid_skip(report)
    return report
