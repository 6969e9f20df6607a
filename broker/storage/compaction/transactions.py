"""Transactions as compaction sees them: what belongs to an aborted one goes at once, a marker when its data has gone.

Source: CleanedTransactionMetadata.java.
"""

from collections.abc import Iterable

from kproto.records.batch import BatchHeader
from kproto.records.control import EndTxnMarker, MarkerType
from kproto.values import frozen


@frozen
class Aborted:
    """An aborted transaction of one producer: from its first offset to that of its marker."""

    producer_id: int
    first_offset: int
    marker_offset: int


class TransactionScan:
    """Learns, from batches told in offset order, which transactions were aborted and which are open."""

    def __init__(self) -> None:
        self.aborted: list[Aborted] = []
        self._open: dict[int, int] = {}

    def saw_data(self, header: BatchHeader) -> None:
        if header.is_transactional:
            self._open.setdefault(header.producer_id, header.base_offset)

    def saw_marker(self, header: BatchHeader, marker: EndTxnMarker | None) -> None:
        if marker is None:
            return
        first = self._open.pop(header.producer_id, None)
        if first is not None and marker.type is MarkerType.ABORT:
            self.aborted.append(Aborted(header.producer_id, first, header.base_offset))

    @property
    def first_open(self) -> int | None:
        """Where the oldest transaction that has no marker began."""
        return min(self._open.values(), default=None)


class Transactions:
    """Of one pass over a log, batches told in offset order."""

    def __init__(self, aborted: Iterable[Aborted]) -> None:
        self._waiting = sorted(aborted, key=lambda one: one.first_offset, reverse=True)
        self._aborted_with_data: dict[int, bool] = {}
        """Aborted transactions that have begun: whether a batch of theirs was seen."""
        self._decided: set[int] = set()
        """Producers with batches of a transaction that was not aborted, and no marker since."""

    def is_aborted(self, header: BatchHeader) -> bool:
        """Of a batch of data: whether it belongs to an aborted transaction."""
        self._advance(header.last_offset)
        if not header.is_transactional:
            return False
        if header.producer_id in self._aborted_with_data:
            self._aborted_with_data[header.producer_id] = True
            return True
        self._decided.add(header.producer_id)
        return False

    def is_marker_needless(self, header: BatchHeader, marker: EndTxnMarker | None) -> bool:
        """Of a control batch: whether no data of its transaction was seen; `marker` is None where it is not one."""
        self._advance(header.last_offset)
        if header.count == 0:
            return True
        if marker is None:
            return False
        if marker.type is MarkerType.ABORT:
            return not self._aborted_with_data.pop(header.producer_id, False)
        had_data = header.producer_id in self._decided
        self._decided.discard(header.producer_id)
        return not had_data

    def _advance(self, offset: int) -> None:
        while self._waiting and self._waiting[-1].first_offset <= offset:
            self._aborted_with_data.setdefault(self._waiting.pop().producer_id, False)
