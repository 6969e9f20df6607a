"""A disk that forgets at `kill -9` what a power cut would take: for whole broker processes.

What was not synced is in the memory of the process only, bytes and names; what was, lies in real files. So a process
that is killed leaves what a machine without power would leave, and the next one starts from there. Everything is read
into memory at start, so this is for small directories.

`python -m broker.testing.forgetful FILE` runs a broker on such a disk, with a properties file.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from broker.__main__ import until_signal
from broker.clock import Chance, WallClock
from broker.config.live import LiveSettings
from broker.config.load import load
from broker.storage.directories.store import SegmentStorage
from broker.testing.disk import FakeDisk
from broker.testing.inodes import Folder, Inode, Node
from broker.world import World, listeners_of, registry_of


class ForgetfulDisk(FakeDisk):
    """Args: directories: what lies below them is there; nothing else is."""

    def __init__(self, directories: Sequence[Path]) -> None:
        super().__init__()
        self._places: dict[Node, tuple[Folder | None, str]] = {self._root: (None, "/")}
        """Of everything whose name is durable: the directory and the name."""
        for directory in directories:
            self._take(directory.resolve())

    def _take(self, directory: Path) -> None:
        """The directory as it is, or as much of its path as there is."""
        folder, there = self._root, Path("/")
        for name in directory.parts[1:]:
            there /= name
            if not there.is_dir():
                return
            folder = self._below(folder, name)
        self._read(folder, directory)

    def _below(self, folder: Folder, name: str) -> Folder:
        below = folder.durable.get(name)
        if not isinstance(below, Folder):
            below = Folder()
            self._add(folder, name, below)
        return below

    def _add(self, folder: Folder, name: str, node: Node) -> None:
        folder.seen[name] = folder.durable[name] = node
        self._places[node] = folder, name

    def _read(self, folder: Folder, directory: Path) -> None:
        for entry in os.scandir(directory):
            if entry.is_dir():
                self._read(self._below(folder, entry.name), directory / entry.name)
            else:
                self._add(folder, entry.name, Inode((directory / entry.name).read_bytes()))

    # --- what is durable goes to the real files ---

    def _place(self, node: Node) -> Path | None:
        """None while its name is not durable."""
        if node not in self._places:
            return None
        folder, name = self._places[node]
        if folder is None:
            return Path(name)
        above = self._place(folder)
        return None if above is None else above / name

    def bytes_synced(self, file: Inode, before: bytes) -> None:
        place = self._place(file)
        if place is None:
            return
        if file.durable.startswith(before):
            with place.open("r+b") as real:
                real.seek(len(before))
                real.write(file.durable[len(before) :])
        else:
            _put(place, file.durable)

    def names_synced(self, folder: Folder, path: Path, before: dict[str, Node]) -> None:
        place = self._place(folder)
        if place is None:
            return
        for name, node in folder.durable.items():
            if before.get(name) is not node:
                self._name(folder, place, name, node)
        for name, node in before.items():
            if name not in folder.durable:
                self._forget(place / name, node, renamed=self._places.get(node) != (folder, name))

    def _name(self, folder: Folder, place: Path, name: str, node: Node) -> None:
        old = self._place(node)
        self._places[node] = folder, name
        if old is not None:
            old.rename(place / name)
        elif isinstance(node, Inode):
            _put(place / name, node.durable)
        else:
            (place / name).mkdir(exist_ok=True)
            for below, child in node.durable.items():
                self._name(node, place / name, below, child)

    def _forget(self, place: Path, node: Node, *, renamed: bool) -> None:
        if renamed:
            return
        del self._places[node]
        if isinstance(node, Folder):
            shutil.rmtree(place)
        else:
            place.unlink()


def _put(place: Path, data: bytes) -> None:
    """In one step, so that being killed meanwhile leaves the old or the new one."""
    fresh = place.with_name(place.name + ".forgetful")
    fresh.write_bytes(data)
    fresh.replace(place)


def main() -> int:
    """Serve until a signal, as `python -m broker` does."""
    settings = load(file=Path(sys.argv[1])).settings
    clock, chance, directories = WallClock(), Chance(), [Path(each).resolve() for each in settings.directories]
    live = LiveSettings(settings)
    storage = SegmentStorage(
        directories,
        settings=live,
        defaults=live.topic({}),
        clock=clock,
        chance=chance,
        disk=ForgetfulDisk(directories),
    )
    storage.claim(None)
    world = World(live, clock, chance, storage, registry_of(settings, clock), listeners_of(settings))
    return trio.run(until_signal, settings, world, lambda ready: print(f"Kafka at {ready.advertised[0]}", flush=True))


if __name__ == "__main__":
    sys.exit(main())
