"""The command `barnabas`, also `python -m barnabas`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
APP = HERE / "app" if (HERE / "app").is_dir() else HERE.parent  # in a wheel; in a checkout


def main() -> int:
    """Put the program on the path of this process, and run it. Returns: the exit code."""
    sys.path.insert(0, str(APP))
    from tools.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
