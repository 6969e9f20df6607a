"""The command `barnabas`, also `python -m barnabas`."""

import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
APP = HERE / "app" if (HERE / "app").is_dir() else HERE.parent  # in a wheel; in a checkout


def main() -> int:
    """Put the program on the path of this process, and run it. Returns: the exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # an exception could be lost in the import machinery, or be shown
    sys.path.insert(0, str(APP))
    from tools.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
