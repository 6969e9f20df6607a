"""When may a produce be acknowledged? Once every batch of it is safe: in sync, and flushed where the topic asks."""

from broker.partitions.partition import Partition
from broker.purgatory import Waiter
from kproto.errors import ApiError, ErrorCode


class SafeWaiter(Waiter):
    """Waits until what ends at these offsets is safe, or will not become so here. Woken from the start if it is."""

    __slots__ = ("_acks", "_ends")

    def __init__(self, ends: list[tuple[Partition | None, int]], acks: int) -> None:
        super().__init__()
        self._acks = acks
        self._ends = [(p, end) for p, end in ends if p is not None and not p.is_safe(end, acks)]
        self.watch(partition.high_watermark_moved for partition, _ in self._ends)
        self.wake()

    def wake(self) -> None:
        """Look again; a move of one partition may leave others unsafe."""
        if all(partition.is_safe(end, self._acks) or not partition.leads_on for partition, end in self._ends):
            super().wake()

    def must_be_safe(self, partition: Partition, end_offset: int) -> None:
        """Raises: ApiError: the leader has changed, the disk failed, or the time was up (REQUEST_TIMED_OUT)."""
        if not partition.is_safe(end_offset, self._acks):
            partition.must_lead()
            raise ApiError(ErrorCode.REQUEST_TIMED_OUT)
