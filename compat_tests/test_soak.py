"""The soak, for half a minute: every kind of client comes, nothing fails, everything is read back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from compat_tests.command import ROOT, environment


@pytest.mark.campaign
def test_half_a_minute_of_mixed_load_loses_nothing(tmp_path: Path) -> None:
    chart, summary = tmp_path / "soak.svg", tmp_path / "soak.json"
    written = ["--data", str(tmp_path / "data"), "--chart", str(chart), "--summary", str(summary)]
    ended = subprocess.run(
        [sys.executable, "-m", "tools.soak", "--minutes", "0.5", *written],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    figures = json.loads(summary.read_text())
    assert figures["read back"]["acknowledged"] > 100
    assert len(figures["done"]) > 10
    assert len(figures["samples"]) >= 3
    assert "<polyline" in chart.read_text()
    assert not (tmp_path / "data").exists()
