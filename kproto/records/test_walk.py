"""The walker on both builds: what it notes, what it refuses, and that the builds cannot be told apart."""

from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kproto.errors import ApiError, ErrorCode
from kproto.records.check import RecordCheck
from kproto.records.long_record import Pieces
from kproto.records.record import Record, read_records_of, write_record, write_varint
from kproto.records.walk import Walk

BASE_MS = 1_700_000_000_000

both_builds = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
some_bytes = st.none() | st.binary(max_size=300)
records = st.lists(
    st.builds(
        Record,
        timestamp_ms=st.integers(BASE_MS - 10_000_000, BASE_MS + 10_000_000),
        key=some_bytes,
        value=some_bytes,
        headers=st.lists(st.tuples(st.text(max_size=80), some_bytes), max_size=4),
    ),
    min_size=1,
    max_size=90,
)


def section_of(batch: list[Record]) -> bytes:
    out = bytearray()
    for index, record in enumerate(batch):
        write_record(out, record, record.timestamp_ms - BASE_MS, index)
    return bytes(out)


def raw_record(*, offset_delta: int = 0, tail: bytes = b"\x01\x01\x00", length: int | None = None) -> bytes:
    """A record by hand; `tail` is key, value and headers."""
    body = bytearray(b"\x00\x00")
    write_varint(body, offset_delta)
    body += tail
    out = bytearray()
    write_varint(out, len(body) if length is None else length)
    return bytes(out + body)


def outcome(module: ModuleType, data: bytes, count: int, limit: int = 1 << 30) -> dict[str, Any] | str:
    """All that a walk tells, or its refusal."""
    state = module.Walk(count, BASE_MS, True, BASE_MS - 1_000, BASE_MS + 1_000)
    position = 0
    try:
        while state.index < count and not state.cut_off:
            position = module.walk(data, position, state, limit)
    except ApiError as refused:
        return str(refused)
    return found(state) | {"position": position}


def found(state: Walk) -> dict[str, Any]:
    names = ("index", "max_timestamp", "max_timestamp_index", "without_key", "out_of_time", "cut_off")
    return {name: getattr(state, name) for name in names}


@both_builds
@given(batch=records, limit=st.integers(1, 40))
def test_a_sound_batch_is_walked_to_its_end_and_what_validation_needs_is_noted(
    walker: ModuleType, batch: list[Record], limit: int
) -> None:
    data = section_of(batch)
    times = [record.timestamp_ms for record in batch]
    assert outcome(walker, data, len(batch), limit) == {
        "index": len(batch),
        "max_timestamp": max(times),
        "max_timestamp_index": times.index(max(times)),
        "without_key": [i for i, record in enumerate(batch) if record.key is None],
        "out_of_time": [i for i, time in enumerate(times) if abs(time - BASE_MS) > 1_000],
        "cut_off": False,
        "position": len(data),
    }


@both_builds
@given(batch=records, data=st.data())
def test_after_any_damage_both_builds_say_the_same_and_what_they_accept_can_be_read(
    plain_walk: ModuleType, compiled_walk: ModuleType, batch: list[Record], data: st.DataObject
) -> None:
    section = bytearray(section_of(batch))
    for _ in range(data.draw(st.integers(1, 3))):
        section[data.draw(st.integers(0, len(section) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(section[: data.draw(st.integers(0, len(section)))])
    plain = outcome(plain_walk, damaged, len(batch))
    assert plain == outcome(compiled_walk, damaged, len(batch))
    if isinstance(plain, dict) and plain["index"] == len(batch) and plain["position"] == len(damaged):
        assert len(list(read_records_of(damaged, len(batch), 0, BASE_MS))) == len(batch)


def test_the_builds_are_what_they_are_called(plain_walk: ModuleType, compiled_walk: ModuleType) -> None:
    assert str(plain_walk.__file__).endswith(".py")
    assert not str(compiled_walk.__file__).endswith(".py")
    with pytest.raises(TypeError):
        compiled_walk.walk(memoryview(raw_record()), 0, compiled_walk.Walk(1, BASE_MS), 1)


BAD = {
    "the length is negative": raw_record(length=-1),
    "the length is shorter than any record": raw_record(length=5),
    "the length is shorter than the record": raw_record(tail=b"\x06abc\x01\x00", length=7),
    "the length is longer than the record": raw_record(length=7) + b"\x00",
    "the length has six bytes": b"\xff\xff\xff\xff\xff\x01" + bytes(99),
    "the length has more than 32 bits": b"\xfe\xff\xff\xff\x7f" + bytes(99),
    "the offset delta is not the index": raw_record(offset_delta=1),
    "the offset delta is negative": raw_record(offset_delta=-1),
    "the key is longer than the record": raw_record(tail=b"\x20\x01\x00"),
    "the key's length runs on": raw_record(tail=b"\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
    "the value is longer than the record": raw_record(tail=b"\x01\x20\x00"),
    "the header count is negative": raw_record(tail=b"\x01\x01\x01"),
    "there are fewer headers than announced": raw_record(tail=b"\x01\x01\x04\x02a\x01"),
    "the header count is enormous": raw_record(tail=b"\x01\x01\xfe\xff\xff\xff\x0f"),
    "a header has no key": raw_record(tail=b"\x01\x01\x02\x01\x01"),
    "a header's value is longer than the record": raw_record(tail=b"\x01\x01\x02\x02a\x40"),
    "the timestamp delta has eleven bytes": b"\x20\x00" + b"\xff" * 10 + b"\x01\x00\x01\x01\x00",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_refused(walker: ModuleType, data: bytes) -> None:
    """Rows 53 and 54 of the bad inputs."""
    with pytest.raises(ApiError) as refused:
        walker.walk(data, 0, walker.Walk(1, BASE_MS), 1)
    assert refused.value.code == ErrorCode.INVALID_RECORD


def test_a_timestamp_beyond_64_bits_is_refused(walker: ModuleType) -> None:
    delta = bytearray()
    write_varint(delta, (1 << 63) - 1)
    body = b"\x00" + delta + b"\x00\x01\x01\x00"
    with pytest.raises(ApiError, match="64 bits"):
        walker.walk(bytes((len(body) * 2,)) + body, 0, walker.Walk(1, BASE_MS), 1)


def test_a_record_without_timestamp_is_never_out_of_time(walker: ModuleType) -> None:
    state = walker.Walk(1, -1, False, BASE_MS, BASE_MS + 1)
    walker.walk(raw_record(), 0, state, 1)
    assert (state.out_of_time, state.max_timestamp) == ([], -1)


def test_only_so_many_bad_indexes_are_kept(walker: ModuleType) -> None:
    data = section_of([Record(timestamp_ms=BASE_MS)] * 1_000)
    state = walker.Walk(1_000, BASE_MS, True, BASE_MS + 1)
    assert walker.walk(data, 0, state, 1_000) == len(data)
    assert state.without_key == state.out_of_time == list(range(walker.MAX_REPORTED))


def test_with_a_bound_on_headers_a_call_ends_after_them_and_before_a_record_that_has_more(walker: ModuleType) -> None:
    headers: list[tuple[str, bytes | None]] = [("h", None)] * 4
    batch = [Record(timestamp_ms=BASE_MS, headers=headers)] * 3 + [Record(timestamp_ms=BASE_MS, headers=headers * 3)]
    data = section_of(batch)
    state = walker.Walk(4, BASE_MS)
    state.headers_a_call = 7
    position = walker.walk(data, 0, state, 4)
    assert (state.index, state.many_headers) == (2, False)
    position = walker.walk(data, position, state, 4)
    assert (state.index, state.many_headers, state.cut_off) == (3, True, False)
    assert walker.walk(data, position, state, 4) == position


def in_pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    for start, end in pairwise([0, *sorted(cuts), len(data)]):
        yield data[start:end]


@settings(deadline=None)
@given(batch=records, data=st.data(), long_record_bytes=st.sampled_from((0, 40, 1 << 20)))
def test_a_batch_that_comes_in_pieces_is_told_like_a_whole_one(
    batch: list[Record], data: st.DataObject, long_record_bytes: int
) -> None:
    """Also where every record is stepped over field by field, and where a byte is wrong."""
    section = bytearray(section_of(batch))
    if data.draw(st.booleans()):
        section[data.draw(st.integers(0, len(section) - 1))] ^= data.draw(st.integers(1, 255))
    cuts = data.draw(st.lists(st.integers(0, len(section)), max_size=20))

    def told(pieces: Pieces) -> dict[str, Any] | ErrorCode:
        check = RecordCheck(Walk(len(batch), BASE_MS, True, BASE_MS - 9, BASE_MS + 9), pieces, long_record_bytes)
        try:
            return found(check.run()) | {"cut_off": None}
        except ApiError as refused:
            return refused.code

    whole = told(Pieces(bytes(section), 0, iter(())))
    assert whole == told(Pieces(b"", 0, in_pieces(bytes(section), cuts)))
