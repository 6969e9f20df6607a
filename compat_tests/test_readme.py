"""What README.md shows, as it stands there; its two commands are run by `.ci/run`."""

import re
import subprocess
import sys

from barnabas import __version__
from compat_tests.broker_process import BrokerProcess
from compat_tests.command import ROOT, environment
from tools.banner import banner

README = (ROOT / "README.md").read_text()


def test_the_five_lines_of_python_print_the_record(broker: BrokerProcess) -> None:
    [script] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert "localhost:9092" in script
    script = script.replace("localhost:9092", broker.bootstrap)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "b'from Barnabas'\n"


def test_the_banner_is_the_one_that_is_printed() -> None:
    assert f"Barnabas {__version__[:3]} ·" in README
    assert "\n".join(banner("localhost:9092", "./barnabas-data")) in README
