"""Idempotence: which batch may come next, and which has been here before."""

import pytest

from broker.storage.producers import LAST_SEQUENCE, AbortedTransaction, ProducerStates
from broker.storage.segments.snapshot import SnapshotDamaged, decode_snapshot, encode_snapshot
from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import BatchHeader
from kproto.records.control import EndTxnMarker, MarkerType

CONTROL, TRANSACTIONAL = 0x20, 0x10


def header(sequence: int, count: int = 1, *, epoch: int = 0, producer_id: int = 7, attributes: int = 0) -> BatchHeader:
    return BatchHeader(0, 61, 0, 2, 0, attributes, count - 1, 1000, 1000 + count, producer_id, epoch, sequence, count)


def states_after(*headers: BatchHeader, now_ms: int = 5000) -> ProducerStates:
    states, offset = ProducerStates(), 0
    for one in headers:
        assert states.check(one) is None
        states.update(one, offset, now_ms)
        offset += one.count
    return states


def end(states: ProducerStates, offset: int, kind: MarkerType, producer_id: int = 7) -> AbortedTransaction | None:
    of_marker = header(-1, producer_id=producer_id, attributes=TRANSACTIONAL | CONTROL)
    return states.update(of_marker, offset, 5000, EndTxnMarker(kind, 9))


def refusal(states: ProducerStates, one: BatchHeader) -> ErrorCode:
    with pytest.raises(ApiError) as refused:
        states.check(one)
    return refused.value.code


def test_the_next_sequence_is_welcome_and_a_gap_is_not() -> None:
    states = states_after(header(0, 3), header(3, 2))
    assert states.check(header(5)) is None
    assert refusal(states, header(6)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refusal(states, header(4)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_each_of_the_last_five_batches_is_known_again_and_the_sixth_is_not() -> None:
    states = states_after(*(header(number) for number in range(6)))
    assert [states.check(header(number)) for number in range(1, 6)] == [(number, 1001) for number in range(1, 6)]
    assert refusal(states, header(0)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_batch_with_the_same_first_sequence_but_another_length_is_no_repeat() -> None:
    states = states_after(header(0, 3))
    assert refusal(states, header(0, 2)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_after_the_largest_sequence_comes_0() -> None:
    states = states_after(header(LAST_SEQUENCE - 1, 2))
    assert states.check(header(0)) is None
    assert refusal(states, header(1)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_batch_may_run_over_the_largest_sequence() -> None:
    states = states_after(header(LAST_SEQUENCE, 3))
    assert states.check(header(LAST_SEQUENCE, 3)) == (0, 1003)
    assert states.check(header(2)) is None


def test_an_older_epoch_is_fenced_and_a_newer_one_begins_at_0() -> None:
    states = states_after(header(0, 3, epoch=4))
    assert refusal(states, header(3, epoch=3)) == ErrorCode.INVALID_PRODUCER_EPOCH
    assert refusal(states, header(3, epoch=5)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert states.check(header(0, epoch=5)) is None


def test_with_a_new_epoch_the_batches_of_the_old_one_are_forgotten() -> None:
    states = states_after(header(0, epoch=4), header(0, epoch=5))
    assert states.check(header(0, epoch=5)) == (1, 1001)
    assert refusal(states, header(0, epoch=4)) == ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_producer_nobody_knows_may_begin_anywhere() -> None:
    """Its state may have expired; Kafka lets it go on."""
    assert ProducerStates().check(header(42)) is None


def test_batches_without_a_producer_id_leave_no_trace() -> None:
    states = ProducerStates()
    states.update(header(-1, producer_id=-1), 0, 5000)
    assert len(states) == 0
    assert states.check(header(-1, producer_id=-1)) is None


def test_who_writes_no_more_is_forgotten_but_not_in_an_open_transaction() -> None:
    states = states_after(header(0), header(0, producer_id=8, attributes=TRANSACTIONAL))
    states.expire(5999, after_ms=1000)
    assert len(states) == 2
    states.expire(6000, after_ms=1000)
    assert [state.producer_id for state in states] == [8]


def test_a_marker_ends_the_transaction_and_leaves_the_sequence() -> None:
    states = states_after(header(0, 2, attributes=TRANSACTIONAL))
    state = states.get(7)
    assert state is not None
    assert state.transaction_start == 0
    end(states, 2, MarkerType.COMMIT)
    assert (state.transaction_start, state.coordinator_epoch) == (-1, 9)
    assert states.check(header(2)) is None


def test_readers_of_committed_records_stop_at_the_oldest_open_transaction() -> None:
    states = states_after(header(0, 3))
    assert states.last_stable_offset(3) == 3
    states.update(header(0, producer_id=8, attributes=TRANSACTIONAL), 3, 5000)
    states.update(header(0, producer_id=9, attributes=TRANSACTIONAL), 4, 5000)
    states.update(header(3), 5, 5000)
    assert (states.last_stable_offset(6), states.last_stable_offset(2)) == (3, 2)
    assert end(states, 6, MarkerType.ABORT, 9) == AbortedTransaction(9, 4, 6, 3)
    assert states.last_stable_offset(7) == 3
    assert end(states, 7, MarkerType.ABORT, 8) == AbortedTransaction(8, 3, 7, 8)
    assert states.last_stable_offset(8) == 8


def test_a_transaction_is_not_decided_before_its_marker_is_safe() -> None:
    """A marker above the high watermark may still be lost with its leader."""
    states = states_after(header(0, 2, attributes=TRANSACTIONAL))
    assert end(states, 2, MarkerType.COMMIT) is None
    assert (states.last_stable_offset(2), states.last_stable_offset(3)) == (0, 3)


def test_a_marker_without_records_before_it_ends_nothing() -> None:
    states = states_after(header(0, 2))
    assert end(states, 2, MarkerType.ABORT) is None
    assert end(states, 3, MarkerType.ABORT, 8) is None
    assert states.last_stable_offset(4) == 4


def test_open_transactions_come_back_from_a_snapshot() -> None:
    """In the order in which they began, whatever order the file has."""
    states = ProducerStates()
    states.update(header(0, producer_id=9, attributes=TRANSACTIONAL), 4, 5000)
    states.update(header(0, producer_id=8, attributes=TRANSACTIONAL), 5, 5000)
    again = ProducerStates()
    again.replace(reversed(decode_snapshot(encode_snapshot(states))))
    assert again.last_stable_offset(9) == 4
    assert end(again, 6, MarkerType.COMMIT, 9) is None
    assert again.last_stable_offset(9) == 5


def test_a_snapshot_keeps_the_last_batch_of_each_producer() -> None:
    states = states_after(header(0, 3), header(3, 2), header(9, epoch=2, producer_id=8, attributes=TRANSACTIONAL))
    again = ProducerStates()
    again.replace(decode_snapshot(encode_snapshot(states)))
    assert again.check(header(3, 2)) == (3, 1002)
    assert again.check(header(5)) is None
    assert refusal(again, header(0, 3)) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    eight = again.get(8)
    assert eight is not None
    assert (eight.epoch, eight.transaction_start, eight.last_sequence) == (2, 5, 9)


def test_a_producer_that_only_has_an_epoch_survives_a_snapshot() -> None:
    states = ProducerStates()
    states.update(header(-1, epoch=3, attributes=TRANSACTIONAL | CONTROL), 0, 5000)
    again = ProducerStates()
    again.replace(decode_snapshot(encode_snapshot(states)))
    assert refusal(again, header(0, epoch=2)) == ErrorCode.INVALID_PRODUCER_EPOCH
    assert again.check(header(0, epoch=3)) is None


def test_every_flipped_bit_and_every_cut_of_a_snapshot_is_noticed() -> None:
    sound = encode_snapshot(states_after(header(0, 3), header(0, producer_id=8)))
    for bit in range(len(sound) * 8):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SnapshotDamaged):
            decode_snapshot(bytes(damaged))
    for length in range(len(sound)):
        with pytest.raises(SnapshotDamaged):
            decode_snapshot(sound[:length])
