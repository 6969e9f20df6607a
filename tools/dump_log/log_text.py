"""A `.log` as lines: one per batch and, if asked for, one per record."""

from collections.abc import Iterator
from pathlib import Path

from kproto.errors import ApiError
from kproto.records.compression import Codec
from kproto.values import frozen
from tools.dump_log.decoders import Decoder
from tools.dump_log.findings import Findings, note
from tools.dump_log.marks import mark_text
from tools.dump_log.problems import unreadable
from tools.dump_log.stored import NO_LIMIT, Batch, LogFile, StoredBatch, StoredRecord, opened, reason


@frozen
class LogOptions:
    """`deep`: records too; `metadata`: what is known of each; `decoder`: None where keys and values are not printed."""

    deep: bool = False
    metadata: bool = True
    decoder: Decoder | None = None
    max_bytes: int = NO_LIMIT


def log_lines(path: Path, base_offset: int, options: LogOptions, findings: Findings) -> Iterator[str]:
    """Raises: OperatorError where the file cannot be read on."""
    yield f"Log starting offset: {base_offset}"
    with LogFile(path) as log:
        end, last = 0, -1
        for position, batch in log.batches(max_bytes=options.max_bytes):
            yield batch_text(batch, position)
            end = position + batch.size
            for record in opened(batch) if options.deep else ():
                offset = record.record.offset
                if last not in (-1, offset - 1):
                    note(findings.gaps, path, last, offset)
                last = offset
                yield record_text(batch, record, options)
        if end < log.size and options.max_bytes == NO_LIMIT:
            yield f"Found {log.size - end} invalid bytes at the end of {path.name}"


def batch_text(batch: Batch, position: int) -> str:
    """Raises: OperatorError: a compression that nobody knows."""
    return (
        f"{_head(batch) if isinstance(batch, StoredBatch) else f'offset: {batch.last_offset}'}"
        f" position: {position} {batch.timestamp_type}: {batch.max_timestamp} size: {batch.size} magic: {batch.magic}"
        f" compresscodec: {_codec(batch).name.lower()} crc: {batch.checksum} isvalid: {_bool(batch.is_valid)}"
    )


def _head(batch: StoredBatch) -> str:
    header, horizon = batch.header, batch.delete_horizon_ms
    return (
        f"baseOffset: {header.base_offset} lastOffset: {header.last_offset} count: {header.count}"
        f" baseSequence: {header.base_sequence} lastSequence: {header.last_sequence}"
        f" producerId: {header.producer_id} producerEpoch: {header.producer_epoch}"
        f" partitionLeaderEpoch: {header.leader_epoch} isTransactional: {_bool(header.is_transactional)}"
        f" isControl: {_bool(header.is_control)}"
        f" deleteHorizonMs: OptionalLong{'.empty' if horizon is None else f'[{horizon}]'}"
    )


def _codec(batch: Batch) -> Codec:
    try:
        return batch.codec
    except ApiError as no:
        raise unreadable(f"The batch with last offset {batch.last_offset} cannot be read.", reason(no)) from None


def record_text(batch: Batch, stored: StoredRecord, options: LogOptions) -> str:
    """Raises: OperatorError: the decoder cannot go on."""
    parts = []
    is_control = isinstance(batch, StoredBatch) and batch.header.is_control
    if options.metadata:
        parts.append(_metadata(batch, stored))
        if is_control:
            parts.append(mark_text(stored.record))
    if options.decoder is not None and not is_control:
        key, value = options.decoder(stored.record)
        parts += [f"key: {key}"] if key is not None else []
        parts += [f"payload: {value}"] if value is not None else []
        if parts and not options.metadata and key is None:
            return f" {parts[0]}"  # Kafka's bar stands before a key or metadata only
    return f"| {' '.join(parts)}" if parts else ""


def _metadata(batch: Batch, stored: StoredRecord) -> str:
    record = stored.record
    text = (
        f"offset: {record.offset} {batch.timestamp_type}: {record.timestamp_ms}"
        f" keySize: {stored.key_bytes} valueSize: {stored.value_bytes}"
    )
    if stored.checksum is not None:
        return f"{text} isValid: {_bool(stored.is_valid)} crc: {stored.checksum}}}"  # the brace is Kafka's
    return f"{text} sequence: {stored.sequence} headerKeys: [{','.join(name for name, _ in record.headers)}]"


def _bool(value: bool) -> str:
    return "true" if value else "false"
