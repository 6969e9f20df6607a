"""What the kernel can do at most over loopback: `send` of 1 MB buffers, `sendfile` of 1 MiB ranges; no Kafka in it.

In C (gcc compiles it into the cache), where a C compiler is; the reader does what the raw fetch load does.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools.bench.programs import NotHere, cache
from tools.bench.results import Results, Row

LOOPBACK_SEND = Row("C: send over loopback", "MB/s", more_is_better=True)
LOOPBACK_SENDFILE = Row("C: sendfile over loopback", "MB/s", more_is_better=True)
KERNEL = "kernel"
"""Whose figure it is, beside the brokers."""
SOURCE = Path(__file__).with_name("loopback.c")


def program() -> Path:
    """Compiled once for each text. Raises: NotHere."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotHere("no C compiler")
    text = SOURCE.read_bytes()
    built = cache() / "barnabas-bench" / f"loopback-{hashlib.sha256(text).hexdigest()[:16]}"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        try:
            command = [compiler, "-O2", "-o", str(built), str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as error:
            raise NotHere(f"loopback.c could not be compiled: {getattr(error, 'stderr', error)}") from error
    return built


def measure(results: Results, mib: int, rounds: Iterator[int], folder: Path) -> None:
    """Raises: NotHere."""
    built = program()
    file = folder / "mib"
    file.write_bytes(b"x" * (1 << 20))
    for _ in rounds:
        results.add(LOOPBACK_SEND, KERNEL, _run(built, "send", mib, file))
        results.add(LOOPBACK_SENDFILE, KERNEL, _run(built, "sendfile", mib, file))


def _run(built: Path, how: str, mib: int, file: Path) -> float:
    """MB/s."""
    command = [str(built), how, str(mib), str(file)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)
