"""`.index` and `.timeindex` as lines, each entry compared with the log beside them."""

from collections.abc import Iterator
from pathlib import Path
from struct import Struct

from broker.storage.segments.names import INDEX, LOG
from kproto.values import frozen
from tools.dump_log.findings import Findings, absolute, note
from tools.dump_log.problems import unreadable
from tools.dump_log.stored import NO_TIMESTAMP, Batch, LogFile, opened

_OFFSET_ENTRY = Struct(">ii")
_TIME_ENTRY = Struct(">qi")


@frozen
class IndexOptions:
    """`sanity_only`: only what a broker asks at start; `verify_only`: compare, print no entries."""

    sanity_only: bool = False
    verify_only: bool = False
    max_message_bytes: int = 5 * 1024 * 1024


def index_lines(path: Path, base_offset: int, options: IndexOptions, findings: Findings) -> Iterator[str]:
    """Raises: OperatorError: an entry points where nothing can be; a sanity check failed."""
    with LogFile(path.with_suffix(LOG)) as log:
        entries = offset_entries(path, base_offset)
        if not entries:
            yield f"{path} is empty."
        elif options.sanity_only:
            _check_offsets(path, base_offset, entries[-1][0])
            yield f"{path} passed sanity check."
        else:
            for offset, position in _used(entries, base_offset, place=0):
                found = _batch_at(log, position, options.max_message_bytes).last_offset
                if found != offset:
                    note(findings.wrong_offsets, path, offset, found)
                if not options.verify_only:
                    yield f"offset: {offset} position: {position}"


def time_index_lines(path: Path, base_offset: int, options: IndexOptions, findings: Findings) -> Iterator[str]:
    """Raises: OperatorError, as `index_lines`."""
    with LogFile(path.with_suffix(LOG)) as log:
        index = offset_entries(path.with_suffix(INDEX), base_offset)
        entries = [(timestamp, base_offset + delta) for timestamp, delta in _raw(path, _TIME_ENTRY)]
        if options.sanity_only:
            _check_times(path, base_offset, entries)
            yield f"{path} passed sanity check."
            return
        previous = NO_TIMESTAMP
        for timestamp, offset in _used(entries, base_offset, place=1):
            _compare(path, log, (timestamp, offset), position_of(index, offset), previous, findings)
            if not options.verify_only:
                yield f"timestamp: {timestamp} offset: {offset}"
            previous = timestamp


def offset_entries(path: Path, base_offset: int) -> list[tuple[int, int]]:
    """Offsets and positions. Raises: OperatorError: it cannot be read."""
    return [(base_offset + delta, position) for delta, position in _raw(path, _OFFSET_ENTRY)]


def position_of(entries: list[tuple[int, int]], offset: int) -> int:
    """Where to look for an offset; searched as a broker does, which matters where the entries are not sorted."""
    if not entries or entries[0][0] > offset:
        return 0
    low, high = 0, len(entries) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if entries[middle][0] == offset:
            return entries[middle][1]
        if entries[middle][0] > offset:
            high = middle - 1
        else:
            low = middle
    return entries[low][1]


def _raw(path: Path, layout: Struct) -> list[tuple[int, int]]:
    """Whole entries; what is cut off at the end is left out."""
    try:
        data = path.read_bytes()
    except OSError as no:
        raise unreadable(f"{path} cannot be read.", str(no)) from None
    return list(layout.iter_unpack(data[: len(data) - len(data) % layout.size]))


def _used(entries: list[tuple[int, int]], base_offset: int, place: int) -> Iterator[tuple[int, int]]:
    """Up to the zeros that a broker keeps behind the entries of an index in use."""
    for number, entry in enumerate(entries):
        if number and entry[place] == base_offset:
            return
        yield entry


def _batch_at(log: LogFile, position: int, max_bytes: int) -> Batch:
    if not 0 <= position <= log.size:
        raise unreadable(f"Slice from position {position} exceeds end position of {log.path} (size {log.size}).")
    for _, batch in log.batches(position, max_bytes):
        return batch
    raise unreadable(f"No batch of at most {max_bytes} bytes lies at position {position} of {log.path}.")


def _compare(
    path: Path, log: LogFile, entry: tuple[int, int], position: int, previous: int, findings: Findings
) -> None:
    """The batch that ends at the entry's offset must have its timestamp, and that must be a later one."""
    timestamp, offset = entry
    found = next((batch for _, batch in log.batches(position) if batch.last_offset >= offset), None)
    if found is None or found.last_offset != offset:
        note(findings.missing_offsets, path, offset, -1 if found is None else found.last_offset)
        return
    newest = max((record.record.timestamp_ms for record in opened(found)), default=NO_TIMESTAMP)
    if max(newest, NO_TIMESTAMP) != timestamp:
        note(findings.wrong_timestamps, path, timestamp, max(newest, NO_TIMESTAMP))
    if previous >= timestamp:
        note(findings.unsorted_timestamps, path, timestamp, previous)


def _check_offsets(path: Path, base_offset: int, last_offset: int) -> None:
    if last_offset < base_offset:
        raise unreadable(
            f"Corrupt index found, index file {absolute(path)} has non-zero size but the last offset is {last_offset}"
            f" which is less than the base offset {base_offset}"
        )
    _check_length(path, _OFFSET_ENTRY, "Index")


def _check_times(path: Path, base_offset: int, entries: list[tuple[int, int]]) -> None:
    (first, _), (last, last_offset) = (entries[0], entries[-1]) if entries else ((0, base_offset), (0, base_offset))
    told = f"Corrupt time index found, time index file ({absolute(path)}) has non-zero size but the last"
    if last < first:
        raise unreadable(f"{told} timestamp is {last} which is less than the first timestamp {first}")
    if last_offset < base_offset:
        raise unreadable(f"{told} offset is {last_offset} which is less than the first offset {base_offset}")
    _check_length(path, _TIME_ENTRY, "Time index")


def _check_length(path: Path, layout: Struct, kind: str) -> None:
    size = path.stat().st_size
    if size % layout.size:
        raise unreadable(
            f"{kind} file {absolute(path)} is corrupt, found {size} bytes which is neither positive nor a multiple of"
            f" {layout.size}"
        )
