"""When may a produce be acknowledged? Once every batch of it is safe: in sync, and flushed where the topic asks."""

from collections.abc import Sequence

from broker.partitions.partition import Partition
from broker.purgatory import Waiter


class SafeWaiter(Waiter):
    """Waits until what ends at these offsets is safe, or will not become so here. Woken from the start if it is."""

    __slots__ = ("_acks", "_ends")

    def __init__(self, ends: Sequence[tuple[Partition, int]], acks: int) -> None:
        super().__init__()
        self._acks = acks
        self._ends = ends
        self.watch(partition.high_watermark_moved for partition, _ in self._ends)
        self.wake()

    def wake(self) -> None:
        """Look again; a move of one partition may leave others unsafe."""
        if all(partition.is_safe(end, self._acks) or not partition.leads_on for partition, end in self._ends):
            super().wake()
