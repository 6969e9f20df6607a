"""Idempotence: for each producer its epoch and its last five batches, so that a batch sent again is known again.

A log asks `check` before it lets a batch in and tells `update` afterwards; recovery tells `update` for what it finds.
Source: KIP-98, ProducerStateManager, ProducerAppendInfo.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import BatchHeader

KEPT_BATCHES = 5
"""Idempotent producers have at most five requests on their way."""
LAST_SEQUENCE = 2**31 - 1
"""After it comes 0."""
NO_EPOCH = -1
NO_SEQUENCE = -1
NO_OFFSET = -1


@dataclass(slots=True)
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


class ProducerStates:
    """All producers of one partition, by producer id."""

    def __init__(self) -> None:
        self._states: dict[int, ProducerState] = {}

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

    def update(self, header: BatchHeader, base_offset: int, now_ms: int) -> None:
        """A batch was stored there. `now_ms`: wall clock, for `expire`."""
        if header.producer_id < 0:
            return
        state = self._states.get(header.producer_id)
        if state is None:
            state = self._states[header.producer_id] = ProducerState(header.producer_id)
        if header.producer_epoch != state.epoch:
            state.epoch = header.producer_epoch
            state.batches.clear()
        state.seen_ms = now_ms
        if header.is_control:
            state.transaction_start = NO_OFFSET
            return
        if header.is_transactional and state.transaction_start == NO_OFFSET:
            state.transaction_start = base_offset
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

    def replace(self, states: Iterable[ProducerState]) -> None:
        """Forget all and believe these, from a snapshot."""
        self._states = {state.producer_id: state for state in states}

    def expire(self, now_ms: int, after_ms: int) -> None:
        """Forget who has written nothing for that long; an open transaction keeps its producer."""
        gone = [
            state.producer_id
            for state in self._states.values()
            if state.transaction_start == NO_OFFSET and now_ms - state.seen_ms >= after_ms
        ]
        for producer_id in gone:
            del self._states[producer_id]
