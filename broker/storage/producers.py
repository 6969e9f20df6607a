"""Idempotence: for each producer its epoch and its last five batches, so that a batch sent again is known again.

A log asks `check` before it lets a batch in and tells `update` afterwards; recovery tells `update` for what it finds.
The same states know which transactions are open, and so how far readers of committed records may go.
Source: KIP-98, ProducerStateManager, ProducerAppendInfo.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import BatchHeader
from kproto.records.control import EndTxnMarker, MarkerType
from kproto.values import frozen

KEPT_BATCHES = 5
"""Idempotent producers have at most five requests on their way."""
LAST_SEQUENCE = 2**31 - 1
"""After it comes 0."""
NO_EPOCH = -1
NO_SEQUENCE = -1
NO_OFFSET = -1


@frozen
class KeptBatch:
    """What is remembered of one batch: sequences and offsets (both ends inclusive), its largest timestamp in ms."""

    first_sequence: int
    last_sequence: int
    base_offset: int
    last_offset: int
    timestamp_ms: int


@dataclass(slots=True)
class ProducerState:
    """One producer id; `seen_ms` is when it wrote last, `transaction_start` where its open transaction began."""

    producer_id: int
    epoch: int = NO_EPOCH
    batches: list[KeptBatch] = field(default_factory=list)
    """Of this epoch, oldest first, at most five."""
    seen_ms: int = -1
    coordinator_epoch: int = -1
    transaction_start: int = NO_OFFSET

    @property
    def last_sequence(self) -> int:
        return self.batches[-1].last_sequence if self.batches else NO_SEQUENCE


@frozen
class AbortedTransaction:
    """What readers of committed records leave out: this producer's batches from `first_offset` on.

    `last_offset` is that of the marker; `last_stable_offset` what that was once the marker had been written.
    """

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class ProducerStates:
    """All producers of one partition, by producer id."""

    def __init__(self) -> None:
        self._states: dict[int, ProducerState] = {}
        self._open: dict[int, int] = {}
        """Where the open transaction of a producer began, oldest first."""
        self._ended: deque[tuple[int, int]] = deque()
        """First offset and marker of those whose marker may not be safe yet, by marker."""

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[ProducerState]:
        return iter(self._states.values())

    def get(self, producer_id: int) -> ProducerState | None:
        return self._states.get(producer_id)

    def check(self, header: BatchHeader) -> tuple[int, int] | None:
        """May this batch of a client come next?

        Returns: None for a fresh batch (also for one without a producer id); for one of its last five, sent again,
            the base offset and timestamp in ms with which it was stored.
        Raises: ApiError: INVALID_PRODUCER_EPOCH (a newer producer has fenced this one), OUT_OF_ORDER_SEQUENCE_NUMBER.
        """
        state = self._states.get(header.producer_id)
        if state is None or header.producer_id < 0:
            return None  # nothing is known of it any more: any sequence is welcome, as after expiry
        if header.producer_epoch < state.epoch:
            raise ApiError(
                ErrorCode.INVALID_PRODUCER_EPOCH,
                f"Producer {header.producer_id} has epoch {state.epoch} by now, this batch has {header.producer_epoch}",
            )
        if header.producer_epoch == state.epoch:
            for batch in state.batches:
                if batch.first_sequence == header.base_sequence and batch.last_sequence == header.last_sequence:
                    return batch.base_offset, batch.timestamp_ms
        self._check_sequence(state, header)
        return None

    def _check_sequence(self, state: ProducerState, header: BatchHeader) -> None:
        known = state.last_sequence if header.producer_epoch == state.epoch else NO_SEQUENCE
        expected = 0 if known in (LAST_SEQUENCE, NO_SEQUENCE) else known + 1
        if state.epoch != NO_EPOCH and header.base_sequence != expected:
            raise ApiError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"Producer {header.producer_id} sent sequence {header.base_sequence}, expected {expected}",
            )

    def last_stable_offset(self, below: int, start: int = 0) -> int:
        """Below it every transaction is decided, for a reader who may see up to `below`, which never goes back.

        `start`: where the log starts; what began before that ends no earlier.
        """
        if not self._open and not self._ended:
            return below
        while self._ended and self._ended[0][1] < below:
            self._ended.popleft()
        first = min(next(iter(self._open.values()), below), *(began for began, _ in self._ended), below)
        return max(first, min(start, below))

    def update(
        self, header: BatchHeader, base_offset: int, now_ms: int, marker: EndTxnMarker | None = None
    ) -> AbortedTransaction | None:
        """A batch was stored there. Gives the transaction that it aborted, if it did.

        Args:
            now_ms: wall clock, for `expire`.
            marker: what a control batch says; None if it is none, or says nothing of transactions.
        """
        if header.producer_id < 0:
            return None
        state = self._states.get(header.producer_id)
        if state is None:
            state = self._states[header.producer_id] = ProducerState(header.producer_id)
        if header.producer_epoch != state.epoch:
            state.epoch = header.producer_epoch
            state.batches.clear()
        state.seen_ms = now_ms
        if header.is_control:
            return None if marker is None else self._end_transaction(state, marker, base_offset)
        if header.is_transactional and state.transaction_start == NO_OFFSET:
            self._open[state.producer_id] = state.transaction_start = base_offset
        _keep(state, header, base_offset)
        return None

    def _end_transaction(self, state: ProducerState, marker: EndTxnMarker, offset: int) -> AbortedTransaction | None:
        """A marker without records before it changes nothing but the coordinator's epoch."""
        state.coordinator_epoch = marker.coordinator_epoch
        first, state.transaction_start = state.transaction_start, NO_OFFSET
        if first == NO_OFFSET:
            return None
        del self._open[state.producer_id]
        self._ended.append((first, offset))
        if marker.type is MarkerType.COMMIT:
            return None
        return AbortedTransaction(state.producer_id, first, offset, next(iter(self._open.values()), offset + 1))

    def replace(self, states: Iterable[ProducerState]) -> None:
        """Forget all and believe these, from a snapshot."""
        self._states = {state.producer_id: state for state in states}
        begun = [state for state in self._states.values() if state.transaction_start != NO_OFFSET]
        begun.sort(key=lambda state: state.transaction_start)
        self._open = {state.producer_id: state.transaction_start for state in begun}
        self._ended.clear()

    def expire(self, now_ms: int, after_ms: int) -> None:
        """Forget who has written nothing for that long; an open transaction keeps its producer."""
        gone = [
            state.producer_id
            for state in self._states.values()
            if state.transaction_start == NO_OFFSET and now_ms - state.seen_ms >= after_ms
        ]
        for producer_id in gone:
            del self._states[producer_id]


def _keep(state: ProducerState, header: BatchHeader, base_offset: int) -> None:
    state.batches.append(
        KeptBatch(
            header.base_sequence,
            header.last_sequence,
            base_offset,
            base_offset + header.last_offset_delta,
            header.max_timestamp,
        )
    )
    if len(state.batches) > KEPT_BATCHES:
        del state.batches[0]
