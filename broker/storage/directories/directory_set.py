"""All data directories of one broker: claimed together, failing one by one.

A directory that cannot be used takes only its own partitions offline, until the broker starts again; without any left
the broker stops. Source: LogDirFailureChannel, MetaPropertiesEnsemble, LogManager.handleLogDirFailure.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path

from broker.config.problems import OperatorError
from broker.storage.contract import Identity
from broker.storage.directories.directory import DataDirectory, DirectoryUnusable
from broker.storage.files import Disk

log = logging.getLogger("barnabas.storage")


class Directories:
    """In the order of `log.dirs`.

    Args:
        reserve_bytes: kept free on each file system.
    """

    def __init__(self, paths: Sequence[Path], disk: Disk, reserve_bytes: Callable[[], int]) -> None:
        self._all = [DataDirectory(path, disk, reserve_bytes) for path in paths]
        self._by_path = {directory.path: directory for directory in self._all}

    def __iter__(self) -> Iterator[DataDirectory]:
        return iter(self._all)

    def at(self, path: Path) -> DataDirectory:
        """Raises: KeyError: `log.dirs` does not name it."""
        return self._by_path[path]

    @property
    def live(self) -> list[DataDirectory]:
        return [directory for directory in self._all if directory.failure is None]

    @property
    def failed(self) -> list[DataDirectory]:
        return [directory for directory in self._all if directory.failure is not None]

    def claim(self, broker_id: int | None) -> None:
        """Lock and check all. Raises: OperatorError: one is in use or somebody else's, or none can be used."""
        try:
            for directory in self._all:
                try:
                    directory.claim()
                except DirectoryUnusable as unusable:
                    directory.failure = unusable
            self._miss_the_lost()
            self.must_be_one()
            self._must_agree()
            for directory in self.live:
                directory.check(Identity(broker_id))
        except BaseException:
            self.release()
            raise
        for directory in self.failed:
            self._say_offline(directory)

    def _miss_the_lost(self) -> None:
        """One that is empty though it was in use must not be filled from the start again: its partitions would be."""
        for directory in self.live:
            if _absolute(directory) in self._companions and directory.is_empty():
                directory.failure = directory.lost(self.identity.broker_id)
                directory.release()

    @property
    def _companions(self) -> set[str]:
        return {path for directory in self._all for path in directory.companions}

    def _say_offline(self, directory: DataDirectory) -> None:
        why = directory.failure
        assert why is not None
        log.error(
            "The data directory %s is offline and so are its partitions, until the broker starts again: %s %s",
            directory.path,
            why.why,
            why.do_this,
        )

    def must_be_one(self) -> None:
        """Raises: OperatorError: every directory failed."""
        if self.live:
            return
        failures = [directory.failure for directory in self._all if directory.failure is not None]
        if len(failures) == 1:
            raise failures[0]
        raise OperatorError(
            f"None of the {len(failures)} data directories in log.dirs can be used.",
            " ".join(f"{failure.what} {failure.why}" for failure in failures),
            "Repair or mount at least one of them, then start the broker again.",
        )

    def _must_agree(self) -> None:
        """Raises: OperatorError: they are of different brokers or clusters."""
        for name, of in (("broker.id", attrgetter("broker_id")), ("cluster.id", attrgetter("cluster_id"))):
            said = [(each.path, of(each.identity)) for each in self.live if of(each.identity) is not None]
            if len({value for _, value in said}) > 1:
                told = ", ".join(f"{path} says {value}" for path, value in said)
                raise OperatorError(
                    f"The data directories belong to different {name}s.",
                    f"{told} (in their meta.properties): one was copied, or log.dirs names the wrong one.",
                    "Take the wrong one out of log.dirs, or delete its meta.properties if it is this broker's.",
                )

    @property
    def identity(self) -> Identity:
        found = [directory.identity for directory in self.live]
        return Identity(
            next((identity.broker_id for identity in found if identity.broker_id is not None), None),
            next((identity.cluster_id for identity in found if identity.cluster_id is not None), None),
        )

    def identify(self, identity: Identity, now_ms: int) -> None:
        """Raises: OperatorError: somebody else's, or none can be written."""
        for directory in self.live:
            try:
                directory.identify(identity, now_ms)
            except DirectoryUnusable as unusable:
                self.fail(directory, unusable)
        self._note_companions(now_ms)
        self.must_be_one()

    def _note_companions(self, now_ms: int) -> None:
        """Only now: after a crash before all were identified, one would be taken for lost."""
        paths = {_absolute(each) for each in self.live}
        paths |= {_absolute(each) for each in self.failed} & self._companions
        for directory in self.live:
            try:
                directory.note_companions(paths if len(paths) > 1 else set(), now_ms)
            except DirectoryUnusable as unusable:
                self.fail(directory, unusable)

    def fail(self, directory: DataDirectory, why: DirectoryUnusable) -> bool:
        """Offline from now on, with one line in the log; False if it was so already."""
        if directory.failure is not None:
            return False
        directory.failure = why
        self._say_offline(directory)
        return True

    def release(self) -> None:
        for directory in self._all:
            directory.release()


def _absolute(directory: DataDirectory) -> str:
    return str(directory.path.absolute())
