"""What a log has promised, and whether what a start finds keeps it.

A `Ledger` follows one partition while a story is told. At any moment it can say what must be there after a crash at
this very moment: `Promise`. A promise names every state the log went through since it was last durable, and how much
of it at least has to be there; what is found must be the beginning of one of these states, nothing mixed, nothing new.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from broker.storage.contract import LogId
from kproto.records.batch import read_header


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """As it lies in the file; the next offset is that after its last record."""

    base_offset: int
    next_offset: int
    data: bytes


Version = tuple[StoredBatch, ...]
"""All batches of a log at one time, those included that its start has passed."""


def end_of(version: Version) -> int:
    return version[-1].next_offset if version else 0


@dataclass(slots=True)
class Kept:
    """What a start found in one log: its batches, and for each producer epoch, last sequence and last offset."""

    start_offset: int
    end_offset: int
    batches: Version
    producers: dict[int, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Promise:
    """Of one log, at one moment."""

    versions: tuple[Version, ...]
    at_least: int
    """The end cannot be below."""
    start_at_least: int
    start_at_most: int
    may_be_missing: bool = False
    must_be_missing: bool = False

    def breach(self, kept: Kept | None) -> str | None:
        """What is wrong with what was found, if anything is."""
        if kept is None:
            return None if self.may_be_missing or self.must_be_missing else "the log is not there"
        if self.must_be_missing:
            return "a deleted log is there"
        if kept.end_offset < self.at_least:
            return f"it ends at {kept.end_offset}, below {self.at_least}"
        if not self.start_at_least <= kept.start_offset <= self.start_at_most:
            return f"it starts at {kept.start_offset}, not in {self.start_at_least} to {self.start_at_most}"
        version = self.version_of(kept)
        if version is None:
            return f"offsets {kept.start_offset} to {kept.end_offset} were never like this"
        return producers_breach(kept, version)

    def version_of(self, kept: Kept) -> Version | None:
        """That beginning of a version which was found; the longest, where the start has passed all of it."""
        fitting = []
        for version in self.versions:
            whole = [batch for batch in version if batch.next_offset > kept.start_offset]
            if tuple(whole[: len(kept.batches)]) == kept.batches:
                fitting.append(tuple(batch for batch in version if batch.next_offset <= kept.end_offset))
        return max(fitting, key=end_of, default=None)


def producers_breach(kept: Kept, version: Version) -> str | None:
    """What is known of producers must be what all batches tell; those whose last one the start has passed are free."""
    told = replayed(version)
    for producer_id, state in told.items():
        known = kept.producers.get(producer_id)
        if known != state and state[2] >= kept.start_offset:
            return f"producer {producer_id} is known as {known}, its batches tell {state}"
    unknown = set(kept.producers) - set(told)
    return f"producers {unknown} never wrote what is there" if unknown else None


def replayed(version: Iterable[StoredBatch]) -> dict[int, tuple[int, int, int]]:
    """Epoch, last sequence and last offset of each producer."""
    told = {}
    for batch in version:
        header = read_header(memoryview(batch.data))
        if header.producer_id >= 0:
            told[header.producer_id] = header.producer_epoch, header.last_sequence, batch.next_offset - 1
    return told


@dataclass(slots=True, eq=False)
class Ledger:
    """Follows one log. Say what is about to happen with `begins`, and what has happened with `done` and the others."""

    log_id: LogId
    versions: list[Version] = field(default_factory=lambda: [()])
    done_with: int = 0
    """Of `versions`: what the last finished call left."""
    flushed_with: int = 0
    flushed: int = 0
    """Below it everything was acknowledged as durable, in version `flushed_with` or later."""
    start: int = 0
    start_asked: int = 0
    start_checkpointed: int = 0
    deleting: bool = False
    deleted: bool = False
    nameless: bool = False
    """It does not say whose it is, so nobody finds it by its id until it is asked for by name."""

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def begins(self, version: Version) -> None:
        """A call that will leave the log like this."""
        self.versions.append(version)
        if end_of(version) < self.flushed:
            self.flushed = end_of(version)

    def done(self) -> None:
        self.done_with = len(self.versions) - 1

    def is_flushed(self, upto: int, began_with: int) -> None:
        """A flush that began in version `began_with` says that all below `upto` is durable."""
        self.flushed, self.flushed_with = upto, began_with

    def when_killed(self) -> Promise:
        """All that was acknowledged, flushed or not."""
        candidates = tuple(self.versions[self.done_with :])
        return self._promise(candidates, min(map(end_of, candidates)), missing=not candidates[0])

    def when_power_fails(self) -> Promise:
        return self._promise(tuple(self.versions[self.flushed_with :]), self.flushed, missing=self.flushed == 0)

    def _promise(self, candidates: tuple[Version, ...], at_least: int, *, missing: bool) -> Promise:
        return Promise(
            candidates,
            at_least,
            self.start_checkpointed,
            self.start_asked,
            missing or self.deleting or self.nameless,
            self.deleted,
        )

    def goes_on(self, kept: Kept | None, promise: Promise, *, all_durable: bool) -> None:
        """After a start that found this. `all_durable`: nothing was left to lose, the power was off."""
        if kept is None:
            self.versions, self.done_with, self.flushed_with, self.flushed = [()], 0, 0, 0
            self.start = self.start_asked = self.start_checkpointed = 0
            self.deleted, self.deleting = self.deleted or self.deleting, False
            return
        version = promise.version_of(kept)
        assert version is not None
        self.deleting = False
        self.start = kept.start_offset
        if all_durable:
            self.versions, self.flushed_with = [version], 0
            self.start_asked = max(self.start, self.start_checkpointed)
        else:
            self.versions.append(version)
        self.done()
