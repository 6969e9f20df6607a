"""A piece of a log for a client that knows no record batches: rewritten in steps, over copies of 1 MiB at most."""

from broker.storage.contract import BatchDamaged, Breathe, Log, OffsetOutOfRange, StorageFailed
from kproto.errors import ApiError, ErrorCode
from kproto.records.down_conversion import down_converted
from kproto.records.stored import split_stored

READ_BYTES = 1024 * 1024


async def old_messages(log: Log, offset: int, below: int, max_bytes: int, magic: int, breathe: Breathe) -> bytes:
    """Messages of `magic` from `offset` on, whole ones, none of a batch at or above `below`.

    The first batch with records comes whole, however large; after that at most `max_bytes` in all. What has nothing
    for old clients (transaction markers) is passed by, so that they never stand still before it.
    Raises: ApiError, of the first batch; later ones end the answer before them. UNSUPPORTED_COMPRESSION_TYPE: it is
        of zstd; CORRUPT_MESSAGE and others: it is not sound; OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR: as the log says.
    """
    out = bytearray()
    position = offset
    read_from = -1
    while len(out) < max_bytes and position > read_from:
        read_from = position
        try:
            data = await _read(log, position, min(max_bytes, READ_BYTES), below, breathe)
        except ApiError:
            if out:
                return bytes(out)
            raise
        await breathe()
        for header, batch in split_stored(data):
            try:
                messages = await _converted(batch, magic, offset, breathe)
            except ApiError:
                if out:
                    return bytes(out)
                raise
            if out and len(out) + len(messages) > max_bytes:
                return bytes(out)
            out += messages
            position = header.next_offset
    return bytes(out)


async def _converted(batch: memoryview, magic: int, offset: int, breathe: Breathe) -> bytes:
    messages = bytearray()
    for piece in down_converted(batch, magic, offset):
        messages += piece
        await breathe()
    return bytes(messages)


async def _read(log: Log, position: int, max_bytes: int, below: int, breathe: Breathe) -> memoryview:
    try:
        found = await log.read(position, max_bytes, below, breathe)
    except OffsetOutOfRange:
        raise ApiError(ErrorCode.OFFSET_OUT_OF_RANGE) from None
    except BatchDamaged as damage:
        raise ApiError(ErrorCode.CORRUPT_MESSAGE, str(damage)) from damage
    except StorageFailed as failure:
        raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR, str(failure)) from failure
    try:
        return memoryview(found.read())
    finally:
        found.release()
