"""Batches that are not stored as they came: old messages become format v2, and a topic may have a codec of its own.

Only these two cases rewrite what a client sent (`compression.type`; Produce 0 to 2, stored as Kafka does since 3.0).
Both go in steps over a copy. Everything else passes `validation.check` untouched.
"""

from collections.abc import Awaitable, Callable

from broker.partitions.validation import (
    Batch,
    Rules,
    TopicRules,
    check_in_steps,
    is_long,
    must_fit,
    refuse_noted,
    stamped,
)
from kproto.records.batch import HEADER_BYTES, MAGIC_AT, assemble, read_header
from kproto.records.compression import Codec, deflate, inflate
from kproto.records.legacy import is_old
from kproto.records.up_conversion import UpConversion
from kproto.records.walk import Walk

AS_SENT, NOT_COMPRESSED = "producer", "uncompressed"
ONLY_BATCHES_SINCE = 3
"""Version of Produce that knows format v2 and nothing else."""
LOW_ATTRIBUTES_AT, OLD_ATTRIBUTES_AT, CODEC = 22, 17, 0x07
LZ4_DEFAULT, LZ4_HIGHEST = 9, 12
"""Kafka counts lz4 levels from 1 to 17, where 9 stands for its fast way; the library knows 12."""

Breathe = Callable[[], Awaitable[None]]


def takes_steps(records: memoryview | None, topic: TopicRules) -> bool:
    """Whether `check_or_rewrite` has to be asked; `validation.check` is of no use."""
    if records is None or len(records) <= LOW_ATTRIBUTES_AT:
        return False
    if records[MAGIC_AT] < 2 or is_long(records):
        return True
    return topic.compression_type != AS_SENT and _other_codec(records[LOW_ATTRIBUTES_AT], topic) is not None


async def check_or_rewrite(records: memoryview | None, rules: Rules, breathe: Breathe) -> Batch:
    """The batch as it may be appended; `records` is the caller's own copy.

    Raises: ApiError, as `validation.check`, and for old messages what `UpConversion` raises.
    """
    if records is not None and rules.version < ONLY_BATCHES_SINCE and is_old(records):
        return await _converted(bytes(records), rules, breathe)
    batch = await check_in_steps(records, rules, breathe)
    codec = _other_codec(batch.header.attributes, rules.topic)
    return batch if codec is None else await _recompressed(batch, codec, rules, breathe)


async def _converted(messages: bytes, rules: Rules, breathe: Breathe) -> Batch:
    if messages[OLD_ATTRIBUTES_AT] & CODEC:
        must_fit(len(messages), rules)
    codec = _codec_of(rules.topic)
    conversion = UpConversion(
        messages,
        Walk(0, 0, rules.need_keys, *rules.bounds),
        codec=codec,
        level=_level(codec, rules.topic),
        max_inflated_bytes=rules.broker.barnabas_batch_inflated_max_bytes,
    )
    for _ in conversion.slices():
        await breathe()
    refuse_noted(conversion.found)
    return _fitting(conversion.batch, rules, conversion.found.max_timestamp)


async def _recompressed(batch: Batch, codec: Codec, rules: Rules, breathe: Breathe) -> Batch:
    header, section = batch.header, bytearray()
    sent = inflate(header.codec, batch.view[HEADER_BYTES:], rules.broker.barnabas_batch_inflated_max_bytes)
    for piece in deflate(codec, sent, _level(codec, rules.topic)):
        section += piece
        await breathe()
    header.attributes = header.attributes & ~CODEC | codec
    return _fitting(assemble(header, section), rules, header.max_timestamp)


def _fitting(rewritten: bytearray, rules: Rules, max_timestamp: int) -> Batch:
    must_fit(len(rewritten), rules)
    return stamped(memoryview(rewritten), read_header(rewritten), rules, max_timestamp)


def _codec_of(topic: TopicRules) -> Codec | None:
    """The codec that the topic wants; None: the client's."""
    name = topic.compression_type
    if name == AS_SENT:
        return None
    return Codec.NONE if name == NOT_COMPRESSED else Codec[name.upper()]


def _other_codec(attributes: int, topic: TopicRules) -> Codec | None:
    """The codec that the topic wants where it is another one than that of these attributes."""
    codec = _codec_of(topic)
    return None if codec is None or attributes & CODEC == codec else codec


def _level(codec: Codec | None, topic: TopicRules) -> int | None:
    """What `deflate` takes as the level that the topic wants."""
    match codec:
        case Codec.GZIP:
            return topic.compression_gzip_level
        case Codec.LZ4 if topic.compression_lz4_level != LZ4_DEFAULT:
            return min(topic.compression_lz4_level, LZ4_HIGHEST)
        case Codec.ZSTD:
            return topic.compression_zstd_level
    return None
