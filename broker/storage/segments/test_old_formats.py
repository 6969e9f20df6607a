"""Logs that brokers before 0.11 began: messages of magic 0 and 1, alone and in front of what is appended today."""

from collections.abc import Sequence
from struct import pack, unpack_from

import pytest

from broker.storage.contract import Log
from broker.storage.directories.store import SegmentStorage
from broker.storage.segments.log import SegmentLog
from broker.testing.disk import FakeDisk
from broker.testing.storage import DATA, NOW_MS, ORDERS, LogOptions, batch, started, storage_on, stored
from kproto.records.compression import Codec
from kproto.records.legacy import build_message_set
from kproto.records.record import Record
from kproto.records.stored import read_stored_header, read_stored_records, split_stored

PARTITION = DATA / "orders-0"
OLD_CODECS = [Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4]
OPTIONS = LogOptions(index_interval_bytes=200)
IN_A_SET, SETS = 5, 12
"""Messages that were produced together, and how often; half of the sets in each of two segments."""
COUNT = IN_A_SET * SETS
each_magic = pytest.mark.parametrize("magic", [0, 1])
each_codec = pytest.mark.parametrize("codec", OLD_CODECS, ids=lambda codec: codec.name.lower())


def record(offset: int) -> Record:
    return Record(offset, NOW_MS + 10 * offset, b"key %d" % offset, b"value of %d" % offset)


def message_set(number: int, magic: int, codec: Codec) -> bytes:
    return build_message_set([record(IN_A_SET * number + n) for n in range(IN_A_SET)], magic, codec=codec)


def an_old_partition(magic: int, codec: Codec, *, indexed: bool = True, clean: bool = True) -> FakeDisk:
    """As a broker of the time left it: no `partition.metadata`, no leader epochs, no `.timeindex`.

    Its index tells the first offset of a set where ours tells the last one.
    """
    disk = FakeDisk()
    disk.make_directory(PARTITION)
    sets = [message_set(number, magic, codec) for number in range(SETS)]
    for first in (0, SETS // 2):
        base, log, index = first * IN_A_SET, b"", b""
        for number in range(first, first + SETS // 2):
            if number % 2:
                index += pack(">ii", number * IN_A_SET - base, len(log))
            log += sets[number]
        write(disk, f"{PARTITION}/{base:020d}.log", log)
        if indexed:
            write(disk, f"{PARTITION}/{base:020d}.index", index)
    if clean:
        write(disk, f"{DATA}/.kafka_cleanshutdown", b"")
        write(disk, f"{DATA}/recovery-point-offset-checkpoint", b"0\n1\norders 0 %d\n" % COUNT)
    return disk


def write(disk: FakeDisk, path: str, data: bytes) -> None:
    file = disk.create(type(DATA)(path))
    file.write(data, 0)
    file.release()


async def opened(disk: FakeDisk) -> tuple[SegmentLog, SegmentStorage]:
    storage = storage_on(disk, defaults=OPTIONS)
    await started(storage)
    return storage.create(ORDERS, "orders", OPTIONS), storage


async def records_from(log: Log, offset: int) -> Sequence[Record]:
    """As a consumer takes them: whole batches, then what lies below the offset is skipped."""
    found, position = [], offset
    while position < log.end_offset:
        for header, one in split_stored(memoryview(await stored(log, position))):
            found += list(read_stored_records(one))
            position = header.next_offset
    return [each for each in found if each.offset >= offset]


def as_stored(magic: int, offsets: range) -> list[Record]:
    expected = [record(offset) for offset in offsets]
    for each in expected:
        each.timestamp_ms = each.timestamp_ms if magic else -1
    return expected


@each_magic
@each_codec
@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("clean", [True, False])
async def test_every_offset_of_an_old_log_is_found(magic: int, codec: Codec, indexed: bool, clean: bool) -> None:
    log, _ = await opened(an_old_partition(magic, codec, indexed=indexed, clean=clean))
    assert (log.start_offset, log.end_offset, log.latest_epoch) == (0, COUNT, -1)
    for offset in range(COUNT):
        first, one = next(split_stored(memoryview(await stored(log, offset, max_bytes=1))))
        assert first.magic == magic
        assert offset in [each.offset for each in read_stored_records(one)]
    assert await records_from(log, 7) == as_stored(magic, range(7, COUNT))


@each_magic
@each_codec
async def test_a_fetch_from_the_middle_of_a_compressed_message_gets_all_of_it(magic: int, codec: Codec) -> None:
    log, _ = await opened(an_old_partition(magic, codec))
    whole = message_set(1, magic, codec)
    found = await stored(log, 7, max_bytes=len(whole))
    assert found.startswith(whole if codec else whole[len(whole) // IN_A_SET * 2 :])


@each_codec
async def test_times_of_magic_1_are_found(codec: Codec) -> None:
    log, _ = await opened(an_old_partition(1, codec))
    for offset in range(COUNT):
        found = await log.find_time(NOW_MS + 10 * offset - 3)
        assert found is not None
        assert (found.offset, found.timestamp_ms, found.leader_epoch) == (offset, NOW_MS + 10 * offset, -1)
    newest = await log.find_max_time()
    assert newest is not None
    assert newest.offset == COUNT - 1
    assert await log.find_time(NOW_MS + 10 * COUNT) is None


async def test_magic_0_has_no_times() -> None:
    log, _ = await opened(an_old_partition(0, Codec.GZIP))
    assert await log.find_time(0) is None
    log.append(batch("new"), 3, NOW_MS)
    found = await log.find_time(0)
    assert found is not None
    assert (found.offset, found.leader_epoch) == (COUNT, 3)


async def test_the_log_append_time_of_a_compressed_message_is_that_of_its_first_record() -> None:
    disk = an_old_partition(1, Codec.GZIP)
    records = [record(COUNT + n) for n in range(3)]
    late = build_message_set(records, 1, codec=Codec.GZIP, log_append_ms=NOW_MS + 10**6)
    write(disk, f"{PARTITION}/{COUNT:020d}.log", late)
    log, _ = await opened(disk)
    found = await log.find_time(NOW_MS + 10**6)
    assert found is not None
    assert (found.offset, found.timestamp_ms) == (COUNT, NOW_MS + 10**6)


@each_magic
@each_codec
async def test_todays_batches_follow_old_messages_and_stay_behind_them(magic: int, codec: Codec) -> None:
    """In one segment; a clean stop and a kill leave the same."""
    disk = an_old_partition(magic, codec)
    log, storage = await opened(disk)
    assert log.append(batch("x", "y", producer=(7, 0, 0), at_ms=NOW_MS + 10**6), 4, NOW_MS) == COUNT
    assert len(log.segments) == 2
    for after in (disk.after_crash(power_cut=False), disk):
        if after is disk:
            await storage.close()
        again, _ = await opened(after)
        assert (again.end_offset, again.latest_epoch, again.end_of_epoch(4)) == (COUNT + 2, 4, (4, COUNT + 2))
        assert again.end_of_epoch(3) == (-1, -1)
        found = await records_from(again, COUNT - 3)
        assert [each.value for each in found][-2:] == [b"x", b"y"]
        assert found[:3] == as_stored(magic, range(COUNT - 3, COUNT))
        sent_again, _ = next(split_stored(batch("x", "y", producer=(7, 0, 0))))
        assert again.producers.check(sent_again) == (COUNT, NOW_MS + 10**6 + 1)


@each_magic
@each_codec
@pytest.mark.parametrize("offset", [COUNT - 1, COUNT - IN_A_SET, 33, 1])
async def test_truncation_cuts_compressed_messages_whole(magic: int, codec: Codec, offset: int) -> None:
    log, _ = await opened(an_old_partition(magic, codec))
    log.truncate(offset)
    end = offset // IN_A_SET * IN_A_SET if codec else offset
    assert log.end_offset == end
    assert await records_from(log, 0) == as_stored(magic, range(end))
    log.append(batch("new"), 0, NOW_MS)
    assert (await records_from(log, end))[0].value == b"new"


@each_magic
@each_codec
async def test_a_wrong_checksum_ends_an_old_log_that_was_not_durable(magic: int, codec: Codec) -> None:
    disk = an_old_partition(magic, codec, clean=False)
    path = PARTITION / f"{COUNT // 2:020d}.log"
    file = disk.open(path)
    size = file.size()
    last = file.read(1, size - 1)
    file.write(bytes((last[0] ^ 1,)), size - 1)
    file.release()
    log, _ = await opened(disk)
    end = COUNT - (IN_A_SET if codec else 1)
    assert log.end_offset == end
    assert await records_from(log, 0) == as_stored(magic, range(end))


@each_magic
async def test_old_segments_go_by_size_and_by_age(magic: int) -> None:
    """By the time of their messages, which magic 0 does not have: then by the time of the file."""
    disk = an_old_partition(magic, Codec.GZIP)
    log, _ = await opened(disk)
    log.append(batch("new", at_ms=NOW_MS + 10**9), 0, NOW_MS + 10**9)
    log.high_watermark = log.end_offset
    log.settings = LogOptions(retention_ms=10**8)
    await log.tidy(NOW_MS + 10 * COUNT + 10**8)
    assert log.start_offset == COUNT // 2


@each_magic
async def test_the_indexes_that_a_start_made_serve_the_next_one(magic: int) -> None:
    """Segments without any timestamp have an empty `.timeindex`, which is no damage."""
    disk = an_old_partition(magic, Codec.NONE, indexed=False)
    _, storage = await opened(disk)
    await storage.close()
    index, times = PARTITION / f"{0:020d}.index", PARTITION / f"{0:020d}.timeindex"
    made = disk.open(index).read(1000, 0)
    assert unpack_from(">i", made)[0] > 0
    write(disk, str(index), made[:8])  # another sound index: it would be made anew if the first start's were not used
    _, storage = await opened(disk)
    await storage.close()
    assert disk.open(index).read(1000, 0) == made[:8]
    assert (disk.size(times) > 0) == (magic == 1)


async def test_offsets_in_checkpoints_are_kept_until_somebody_says_whose_the_log_is() -> None:
    """A start that ends before that, for whatever reason, leaves the directory as it was."""
    disk = an_old_partition(0, Codec.GZIP)
    write(disk, f"{DATA}/log-start-offset-checkpoint", b"0\n1\norders 0 7\n")
    write(disk, f"{DATA}/replication-offset-checkpoint", b"0\n1\norders 0 %d\n" % COUNT)
    names = ("recovery-point", "log-start", "replication")
    before = [disk.contents(DATA / f"{name}-offset-checkpoint") for name in names]
    storage = storage_on(disk, defaults=OPTIONS)
    storage.claim(None)
    assert [log.name for log in await storage.load()] == ["orders-0"]
    assert [disk.contents(DATA / f"{name}-offset-checkpoint") for name in names] == before
    await storage.close()
    assert [disk.contents(DATA / f"{name}-offset-checkpoint") for name in names] == before
    log, _ = await opened(disk)
    assert (log.start_offset, log.high_watermark) == (7, COUNT)


def test_a_header_tells_of_a_message_what_it_tells_of_a_batch() -> None:
    one = build_message_set([record(5)], 1, log_append_ms=NOW_MS)
    header = read_stored_header(one)
    assert (header.base_offset, header.next_offset, header.size, header.count) == (5, 6, len(one), 1)
    assert (header.max_timestamp, header.is_log_append_time) == (NOW_MS, True)
    assert (header.producer_id, header.leader_epoch, header.is_control) == (-1, -1, False)
