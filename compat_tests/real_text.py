"""Real text: the source of the Python standard library. A key is a file's name, a value is one numbered line of it."""

import sysconfig
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path

FILES_AT_A_TIME = 40

Line = tuple[bytes, bytes]


def lines(count: int, per_file: int | None = None) -> list[Line]:
    """The first `count` lines as (key, value), each file's in order, forty files taking turns.

    Args: per_file: at most so many lines of one file, so that a small dose has many keys too.
    Raises: AssertionError where this Python has less source than that.
    """
    found = list(islice(_in_turns(per_file), count))
    assert len(found) == count, f"the standard library has {len(found)} lines"
    return found


def by_key(all_lines: list[Line]) -> dict[bytes, list[bytes]]:
    """The values of each key, in order."""
    keys: dict[bytes, list[bytes]] = {}
    for key, value in all_lines:
        keys.setdefault(key, []).append(value)
    return keys


def _in_turns(per_file: int | None) -> Iterator[Line]:
    root = Path(sysconfig.get_path("stdlib"))
    files = iter(sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts))
    while some := list(islice(files, FILES_AT_A_TIME)):
        for turn in zip_longest(*(islice(_lines_of(root, path), per_file) for path in some)):
            yield from (line for line in turn if line is not None)


def _lines_of(root: Path, path: Path) -> Iterator[Line]:
    key = str(path.relative_to(root)).encode()
    for number, text in enumerate(path.read_bytes().split(b"\n"), start=1):
        yield key, b"%d %s" % (number, text)
