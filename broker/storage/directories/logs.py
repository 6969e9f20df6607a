"""The table of all logs: by id and, since a directory may not say whose it is, by the name of its directory."""

import logging
from collections.abc import Iterator

from broker.storage.contract import LogId, StorageFailed
from broker.storage.directories import mark
from broker.storage.directories.loading import Found
from broker.storage.directories.move import discard
from broker.storage.segments import rolling
from broker.storage.segments.log import SegmentLog

log = logging.getLogger("barnabas.storage")


class Logs:
    """Those without an id are among them: their offsets must not be lost until somebody asks for them by name."""

    def __init__(self) -> None:
        self._by_id: dict[LogId, SegmentLog] = {}
        self._by_name: dict[str, SegmentLog] = {}
        self._unreadable: dict[str, str] = {}

    def __iter__(self) -> Iterator[SegmentLog]:
        return iter(tuple(self._by_name.values()))

    @property
    def with_id(self) -> list[SegmentLog]:
        return list(self._by_id.values())

    def get(self, log_id: LogId) -> SegmentLog | None:
        return self._by_id.get(log_id)

    def named(self, name: str) -> SegmentLog | None:
        return self._by_name.get(name)

    def holds(self, kept: SegmentLog) -> bool:
        """Whether that very log is the one of its id."""
        return self._by_id.get(kept.id) is kept

    def add(self, kept: SegmentLog) -> None:
        self._by_id[kept.id] = self._by_name[kept.name] = kept

    def forget(self, log_id: LogId) -> SegmentLog | None:
        """Nobody gets it any more; its name is not free before `free` says so."""
        return self._by_id.pop(log_id, None)

    def free(self, name: str) -> None:
        del self._by_name[name]

    # --- what a start found ---

    def take(self, found: Found) -> None:
        """Of one data directory."""
        self._unreadable.update(found.unreadable)
        for loaded in found.logs:
            twin = self._by_name.setdefault(loaded.name, loaded)
            if twin is not loaded:
                self._take_one_of(twin, loaded)
            elif loaded.has_metadata:
                self._by_id[loaded.id] = loaded

    def _take_one_of(self, one: SegmentLog, other: SegmentLog) -> None:
        """They have the same name: one log that was moving, or a mistake that only its operator can mend."""
        settled = mark.settled(one, other)
        if settled is None:
            one.fail(f"there is another one in {other.directory.parent}; remove the one that is wrong")
            return
        goes_on, left = settled
        discard(left)
        self.add(goes_on)
        log.warning("%s goes on in %s; it was moving", goes_on.name, goes_on.directory.parent)

    def adopt(self, log_id: LogId, name: str) -> SegmentLog | None:
        """A directory of that name that does not say whose it is, as brokers before 2.8 left it: from now on it does.

        None: there is no log of that name.  Raises: StorageFailed: it is another topic's, or cannot be used.
        """
        if name in self._unreadable:
            raise StorageFailed(self._unreadable[name])
        found = self._by_name.get(name)
        if found is None:
            return None
        found.check()
        if found.has_metadata or not found.has_directory:
            raise StorageFailed(f"{name} in {found.directory.parent} belongs to topic id {found.id.topic_id}")
        found.id = log_id
        try:
            rolling.write_metadata(found)
        except OSError as error:
            raise found.failed(error) from error
        self._by_id[log_id] = found
        return found
