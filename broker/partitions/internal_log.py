"""The internal topics as the coordinators see them: partitions led here, written with every replica in sync."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from broker.cluster.image import Image
from broker.partitions.partition import Partition
from broker.purgatory import WaitingRoom
from broker.storage.contract import OffsetOutOfRange, StorageFailed
from kproto.errors import ApiError, ErrorCode
from kproto.records.batch import build_batch, read_header
from kproto.records.record import Record

ALL_IN_SYNC = -1


class InternalPartition:
    """One partition, as long as this broker leads it."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    @property
    def start_offset(self) -> int:
        return self._partition.log.start_offset

    @property
    def end_offset(self) -> int:
        return self._partition.log.end_offset

    @property
    def moved(self) -> WaitingRoom:
        return self._partition.high_watermark_moved

    def must_lead(self) -> None:
        self._partition.must_lead()

    def must_take_appends(self) -> None:
        self._partition.must_take_appends(ALL_IN_SYNC)

    def append(self, records: Sequence[Record]) -> int:
        """One batch, offset after it. Raises: ApiError, as `Partition.append`."""
        batch = memoryview(bytearray(build_batch(records)))
        return self._partition.append(batch, read_header(batch), ALL_IN_SYNC).end_offset

    def is_safe(self, end_offset: int) -> bool:
        return self._partition.is_safe(end_offset, ALL_IN_SYNC)

    async def read(self, offset: int, max_bytes: int) -> bytes:
        """Raises: ApiError: KAFKA_STORAGE_ERROR."""
        log = self._partition.log
        try:
            found = await log.read(offset, max_bytes, log.end_offset)
        except (StorageFailed, OffsetOutOfRange) as error:
            raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR, str(error)) from error
        try:
            return found.read()
        finally:
            found.release()


class InternalLog:
    """What the coordinators' runtime is handed: it knows neither partitions nor the image."""

    def __init__(self, image: Image) -> None:
        self._image = image

    def count(self, topic: str) -> int:
        known = self._image.topics.get(topic)
        return 0 if known is None else len(known.partitions)

    def open(self, replica: Partition) -> InternalPartition:
        return InternalPartition(replica)

    def topics(self) -> Mapping[str, UUID]:
        return {name: topic.id for name, topic in self._image.topics.items()}

    @property
    def topics_changed(self) -> WaitingRoom:
        return self._image.changed
