"""`python -m tools.bench` in a checkout is `barnabas bench`."""

import sys

from tools.commands.bench import bench

if __name__ == "__main__":
    sys.exit(bench.main(standalone_mode=False))
