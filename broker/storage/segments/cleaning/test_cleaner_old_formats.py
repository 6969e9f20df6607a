"""A compacted log that a broker before 0.11 began: its messages are compacted like batches, and with them."""

import pytest

from broker.storage.segments.cleaning.test_cleaner import Bench, compacted
from broker.testing.storage import NOW_MS, everything
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set
from kproto.records.record import Record
from kproto.records.stored import read_stored_records, split_stored

OLD_CODECS = [Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4]
each_magic = pytest.mark.parametrize("magic", [0, 1])
each_codec = pytest.mark.parametrize("codec", OLD_CODECS, ids=lambda codec: codec.name.lower())


def put_old(bench: Bench, magic: int, codec: Codec, *pairs: tuple[str, str | None], late_ms: int | None = None) -> None:
    """As a directory of that time holds them: nothing of that kind is produced any more."""
    first = bench.log.end_offset
    records = [
        Record(first + number, NOW_MS + first + number, key.encode(), None if value is None else value.encode())
        for number, (key, value) in enumerate(pairs)
    ]
    written = build_message_set(records, magic, codec=codec, log_append_ms=late_ms)
    for _, one in split_stored(memoryview(bytearray(written))):
        bench.log.append_as_follower(one, NOW_MS)
    bench.log.high_watermark = bench.log.end_offset


async def kept(bench: Bench) -> list[tuple[int, int, int, str, str | None]]:
    """Magic, offset, time since then (0 without one), key and value of each record."""
    return [
        (
            header.magic,
            record.offset,
            max(record.timestamp_ms - NOW_MS, 0),
            (record.key or b"").decode(),
            None if record.value is None else record.value.decode(),
        )
        for header, one in split_stored(memoryview(await everything_stored(bench)))
        for record in read_stored_records(one)
    ]


async def everything_stored(bench: Bench) -> bytes:
    return b"".join([bench.disk.contents(segment.path) for segment in bench.log.segments])


@each_magic
@each_codec
async def test_only_the_latest_of_each_key_stays_with_its_offset_and_time(magic: int, codec: Codec) -> None:
    """A message of which all stays is not touched; the rest of one is written as a batch, in its codec."""
    bench = await Bench().open()
    put_old(bench, magic, codec, ("a", "1"), ("b", "1"), ("c", "1"))
    put_old(bench, magic, codec, ("a", "2"), ("d", "1"))
    bench.append(("b", "new"))
    bench.append(("z", "active"))
    assert await bench.clean()
    rewritten = 2 if codec else magic
    times = (lambda ms: ms) if magic else (lambda ms: 0)
    expected = [
        (rewritten, 2, times(2), "c", "1"),
        (magic, 3, times(3), "a", "2"),
        (magic, 4, times(4), "d", "1"),
        (2, 5, 0, "b", "new"),
        (2, 6, 0, "z", "active"),
    ]
    assert await kept(bench) == expected
    codecs = {header.codec for header, _ in split_stored(memoryview(await everything_stored(bench)))}
    assert codecs == {codec, Codec.NONE}
    again = await bench.reopened()
    assert await kept(again) == expected
    assert not await again.clean()


@each_magic
@each_codec
async def test_a_tombstone_of_old_gets_its_horizon_and_goes_when_that_has_come(magic: int, codec: Codec) -> None:
    bench = await Bench(compacted(delete_retention_ms=1000)).open()
    put_old(bench, magic, codec, ("a", "1"), ("b", "1"))
    put_old(bench, magic, codec, ("a", None), ("c", "1"))
    bench.append(("z", "active"))
    assert await bench.clean()
    assert [row[1:2] + row[3:] for row in await kept(bench)] == [
        (1, "b", "1"),
        (2, "a", None),
        (3, "c", "1"),
        (4, "z", "active"),
    ]
    times = [row[2] for row in await kept(bench)]
    assert times[:3] == ([1, 2, 3] if magic else [0, 0, 0])
    bench.clock.advance(2000)
    bench.append(("z", "once more"))
    bench.append(("z", "active"))
    assert await bench.clean()
    assert [row[3] for row in await kept(bench)] == ["b", "c", "z", "z"]


@each_codec
async def test_log_append_time_stays_that_of_all_records(codec: Codec) -> None:
    bench = await Bench().open()
    put_old(bench, 1, codec, ("a", "1"), ("b", "1"), late_ms=NOW_MS + 77)
    bench.append(("a", "2"))
    bench.append(("z", "active"))
    assert await bench.clean()
    assert (await kept(bench))[0][1:] == (1, 77, "b", "1")


@each_magic
async def test_a_log_of_which_nothing_is_left_keeps_its_offsets(magic: int) -> None:
    """The last message before the active segment leaves a header: it says how far offsets were used."""
    bench = await Bench().open()
    put_old(bench, magic, Codec.GZIP, ("a", "1"), ("b", "1"))
    put_old(bench, magic, Codec.GZIP, ("a", "2"), ("b", "2"))
    end = bench.log.end_offset
    bench.append(("a", "3"), ("b", "3"))
    bench.append(("z", "active"))
    assert await bench.clean()
    assert [row[1] for row in await kept(bench)] == [end, end + 1, end + 2]
    again = await bench.reopened()
    assert again.log.end_offset == end + 3
    assert await everything(again.log) == await everything(bench.log)
