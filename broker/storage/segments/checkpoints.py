"""The small text files beside the logs. All are rebuilt or done without when they cannot be read.

    recovery-point-offset-checkpoint, log-start-offset-checkpoint, replication-offset-checkpoint,
    cleaner-offset-checkpoint
                              one per data directory: version 0, number of lines, then `topic partition offset`
    leader-epoch-checkpoint   one per partition: version 0, number of lines, then `epoch offset`
    partition.metadata        one per partition: its topic id

Source: CheckpointFile.java, OffsetCheckpointFile, LeaderEpochCheckpointFile, PartitionMetadataFile.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import UUID

from broker.storage.files import Disk, read_whole

RECOVERY_POINTS = "recovery-point-offset-checkpoint"
LOG_STARTS = "log-start-offset-checkpoint"
HIGH_WATERMARKS = "replication-offset-checkpoint"
CLEANED_OFFSETS = "cleaner-offset-checkpoint"
LEADER_EPOCHS = "leader-epoch-checkpoint"
PARTITION_METADATA = "partition.metadata"
_VERSION = "0"
_BEFORE_TOPIC_ID = f"version: {_VERSION}\ntopic_id: "
_METADATA_BYTES = len(_BEFORE_TOPIC_ID) + 22


class Unreadable(Exception):
    """The file is there, but not what it should be."""


def offsets_text(offsets: Mapping[tuple[str, int], int]) -> bytes:
    """By topic and partition."""
    return _text(f"{topic} {partition} {offset}" for (topic, partition), offset in sorted(offsets.items()))


def read_offsets(disk: Disk, path: Path) -> dict[tuple[str, int], int]:
    """Raises: Unreadable. A file that is not there has no offsets, nor has the empty one that Kafka begins with."""
    if not disk.exists(path) or not disk.size(path):
        return {}
    rows = _rows(disk, path)
    try:
        return {(topic, int(partition)): int(offset) for topic, partition, offset in rows}
    except ValueError:
        raise Unreadable(str(path)) from None


def epochs_text(entries: Iterable[tuple[int, int]]) -> bytes:
    return _text(f"{epoch} {offset}" for epoch, offset in entries)


def read_epochs(disk: Disk, path: Path) -> list[tuple[int, int]] | None:
    """None without a file. Raises: Unreadable."""
    if not disk.exists(path):
        return None
    try:
        return [(int(epoch), int(offset)) for epoch, offset in _rows(disk, path)]
    except ValueError:
        raise Unreadable(str(path)) from None


def _text(lines: Iterable[str]) -> bytes:
    listed = list(lines)
    return "".join(f"{line}\n" for line in (_VERSION, str(len(listed)), *listed)).encode()


def _rows(disk: Disk, path: Path) -> list[list[str]]:
    try:
        lines = read_whole(disk, path).decode().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        raise Unreadable(str(path)) from None
    if len(lines) < 2 or lines[0] != _VERSION or lines[1] != str(len(lines) - 2):
        raise Unreadable(str(path))
    return [line.split(" ") for line in lines[2:]]


def topic_id_text(topic_id: UUID) -> bytes:
    """`partition.metadata`; a topic id is written as Kafka does, 22 characters of base64."""
    return f"version: {_VERSION}\ntopic_id: {urlsafe_b64encode(topic_id.bytes).decode().rstrip('=')}".encode()


def read_topic_id(disk: Disk, directory: Path) -> UUID | None:
    """None without a file, as in the directories of brokers before 2.8. Raises: Unreadable.

    A file that ends early is none: power was cut before it, or any batch, was durable.
    """
    path = directory / PARTITION_METADATA
    if not disk.exists(path):
        return None
    try:
        text = read_whole(disk, path).decode().strip("\0")
        if _BEFORE_TOPIC_ID.startswith(text[: len(_BEFORE_TOPIC_ID)]) and len(text) < _METADATA_BYTES:
            return None
        version, topic_id = text.splitlines()
        if version != f"version: {_VERSION}" or not topic_id.startswith("topic_id: ") or len(topic_id) != 32:
            raise Unreadable(str(path))
        return UUID(bytes=urlsafe_b64decode(topic_id.removeprefix("topic_id: ") + "=="))
    except (OSError, ValueError):
        raise Unreadable(str(path)) from None
