"""`python -m tools.soak --minutes 60 --data DIR`: the driver in a process of its own, and a word on how that ended.

Exit code 1 if anything acknowledged is lost, doubled or outdated, if a client met a failure, or if the driver was
killed; client libraries in C can take their process with them.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence

from tools.soak.endings import how_it_ended

FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """The driver, with these arguments; what is sent to this process to end it is handed on."""
    driver = subprocess.Popen([sys.executable, "-m", "tools.soak.driver", *arguments])
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal sends it to the driver as well
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: driver.send_signal(number))
    return told(driver.wait())


def told(code: int) -> int:
    """Say how the driver ended; the exit code for that."""
    print(f"the soak ended {how_it_ended(code)}", file=sys.stderr, flush=True)
    return code if code >= 0 else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
