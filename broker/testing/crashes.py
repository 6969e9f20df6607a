"""What a disk may look like after a crash: which unsynced bytes and which unsynced names are there nevertheless.

`kill -9` keeps all of them. A power cut keeps none, all, or some: a file system writes back in blocks and in any order
and keeps directories apart from files, so that a name may be there without bytes and bytes without a name. What it
does not do, and so neither do we: show bytes behind a cut that is durable, or keep a change of a name without those
that it stands on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from broker.testing.inodes import Folder, Inode, NameChange, put, put_cut

KeptBytes = Callable[[Inode], bytes]
KeptNames = Callable[[list[NameChange]], list[NameChange]]


@dataclass(frozen=True, slots=True)
class Crash:
    """What is kept: of a file, and of the names in a directory that were not synced."""

    kept_bytes: KeptBytes
    kept_names: KeptNames

    def survivors(self, folder: Folder) -> Folder:
        """What is left of a directory and all below it, as a disk that has just been plugged in."""
        left = Folder()
        names = dict(folder.durable)
        for change in self.kept_names(folder.changes):
            change.apply(names)
        for name, node in names.items():
            left.seen[name] = self.survivors(node) if isinstance(node, Folder) else Inode(self.kept_bytes(node))
        left.durable = dict(left.seen)
        return left


# --- names ---


def every_name(changes: list[NameChange]) -> list[NameChange]:
    return changes


def no_name(changes: list[NameChange]) -> list[NameChange]:
    return []


def names_until(number: int) -> KeptNames:
    """Those of before a moment, in all directories, as a journal of the whole file system keeps them."""
    return lambda changes: [change for change in changes if change.number < number]


def names_by_chance(chance: Random) -> KeptNames:
    """In each directory those of before some moment of its own."""
    return lambda changes: changes[: chance.randint(0, len(changes))]


# --- bytes ---


def every_byte(file: Inode) -> bytes:
    return file.seen


def no_byte(file: Inode) -> bytes:
    return file.durable


def zeros(file: Inode) -> bytes:
    """The size is durable, the bytes are not."""
    content = bytearray(file.durable)
    put_cut(content, len(file))
    return bytes(content)


def first_bytes(kept: Callable[[int], int]) -> KeptBytes:
    """Of what was written since the sync so many bytes, in the order of writing, and the cuts between."""

    def keep(file: Inode) -> bytes:
        left = kept(sum(len(data) for _, data in file.changes if data is not None))
        content = bytearray(file.durable)
        for position, data in file.changes:
            if data is None:
                put_cut(content, position)
            elif left > 0:
                put(content, data[:left], position)
                left -= len(data)
            if left <= 0:
                break
        return bytes(content)

    return keep


def blocks(chance: Random, block_bytes: int) -> KeptBytes:
    """Each block as it was after some write since the sync, the size as after another one."""

    def keep(file: Inode) -> bytes:
        if not file.changes:
            return file.durable
        versions, cuts = _versions(file)
        at = chance.randint(0, len(versions) - 1)
        content = bytearray(len(versions[at]))
        for start in range(0, len(content), block_bytes):
            first, last = _bounds(cuts, at, start, block_bytes, len(versions) - 1)
            block = versions[chance.randint(first, last)][start : start + block_bytes]
            content[start : start + len(block)] = block
        return bytes(content[: len(versions[at])])

    return keep


def _versions(file: Inode) -> tuple[list[bytes], Mapping[int, int]]:
    """The file after each change since the sync, and the cuts among these: number of the version to size."""
    content = bytearray(file.durable)
    versions, cuts = [file.durable], {}
    for position, data in file.changes:
        if data is None:
            put_cut(content, position)
            cuts[len(versions)] = position
        else:
            put(content, data, position)
        versions.append(bytes(content))
    return versions, cuts


def _bounds(cuts: Mapping[int, int], at: int, start: int, block_bytes: int, newest: int) -> tuple[int, int]:
    """Which versions of a block can lie under a size of version `at`: a cut is between old bytes and new ones."""
    first, last = 0, newest
    for number, size in cuts.items():
        if number <= at and start + block_bytes > size:
            first = max(first, number)
        if number > at and start >= size:
            last = min(last, number - 1)
    return first, max(first, last)


KILL = Crash(every_byte, every_name)
"""The process died; the machine lives."""
POWER_CUT = Crash(no_byte, no_name)
"""Nothing that was not synced is there."""
