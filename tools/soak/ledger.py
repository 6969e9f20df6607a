"""What was acknowledged: every record of the topic that keeps all, and the newest value of every key."""

import threading
from collections.abc import Iterable

RecordId = tuple[str, int]
"""Who wrote it, and the how manieth of theirs it is."""


def value_of(record: RecordId, size: int) -> bytes:
    """The id, then letters up to `size` bytes: some compress, some do not."""
    writer, number = record
    return f"{writer} {number} ".encode().ljust(size, b"abcdefgh"[number % 8 : number % 8 + 1])


def id_of(value: bytes) -> RecordId:
    writer, number, _ = value.split(b" ", 2)
    return writer.decode(), int(number)


class Ledger:
    """Ids of records, told by any thread when the broker has acknowledged them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.acknowledged: set[RecordId] = set()
        self.consumed: set[RecordId] = set()
        """By the group, at least once each."""
        self.newest: dict[tuple[str, str], int | None] = {}
        """By topic and key: the number of the newest value, None after a tombstone."""

    def acknowledge(self, record: RecordId) -> None:
        with self._lock:
            self.acknowledged.add(record)

    def consume(self, records: Iterable[RecordId]) -> None:
        with self._lock:
            self.consumed.update(records)

    def renew(self, topic: str, key: str, number: int | None) -> None:
        """One writer has a key to itself, and its acknowledgements come in order."""
        with self._lock:
            self.newest[topic, key] = number


def lost_and_doubled(acknowledged: set[RecordId], read: Iterable[RecordId]) -> tuple[int, int]:
    """How many were acknowledged and are not there, and how many are there more than once."""
    seen: set[RecordId] = set()
    doubled = 0
    for record in read:
        doubled += record in seen
        seen.add(record)
    return len(acknowledged - seen), doubled


def outdated(newest: dict[str, int | None], read: dict[str, int | None], may_be_gone: bool) -> int:
    """Keys whose last value in the topic is not the newest one.

    Args:
        read: the last value by key, None for a tombstone; a key of which nothing is left is missing.
        may_be_gone: retention may have taken the newest value too.
    """
    return sum(
        read.get(key) != number and not (key not in read and (may_be_gone or number is None))
        for key, number in newest.items()
    )
