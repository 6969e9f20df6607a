"""`queued.max.request.bytes`: memory for requests that are not yet handled, over all connections.

A frame that has not come whole claims its full size: counting what has been received instead would let half-read
frames lock each other out. Memory is taken only as bytes arrive. Read buffers that stay out while their connection
waits are claimed too. When the budget is spent, who asks stands in line, and of new requests only small ones are read
(see inbox.py): what a client asks in a few bytes is answered whatever the others claim.
"""

from collections import OrderedDict

import trio


class Claim:
    """What one connection holds of the budget."""

    __slots__ = ("_budget", "held", "missing")

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self.held = 0
        self.missing = 0
        """What the frame begun still needs before more of it may be read."""

    def hold(self, size: int) -> None:
        """Exactly `size` bytes, which are in memory already (0: nothing any more), even past the limit."""
        if size != self.held:
            self._budget.count(size - self.held)
            self.held = size
        self.missing = 0

    def ask(self, size: int, received: int) -> None:
        """For a whole frame of which `received` bytes are here; `missing` tells what was not granted."""
        if size <= self.held:
            self.hold(size)
        elif self._budget.try_claim(size - self.held):
            self.held, self.missing = size, 0
        else:
            self.hold(max(received, self.held))
            self.missing = size - self.held

    @property
    def must_wait(self) -> bool:
        """Nothing may be read now: our frame lacks its share."""
        return self.missing > 0

    @property
    def only_small(self) -> bool:
        """Nothing is left for what has not been asked for."""
        return self._budget.spent

    async def wait(self) -> None:
        """Until the frame has its share. Only while `must_wait`."""
        await self._budget.wait_for(self.missing)
        self.held, self.missing = self.held + self.missing, 0


class Budget:
    """Counts claims. One that is larger than the whole budget is granted when nothing else is claimed.

    Args: limit_bytes: -1 for no limit.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.claimed_bytes = 0
        self._limit_bytes = limit_bytes
        self._line: OrderedDict[object, tuple[int, trio.Event]] = OrderedDict()

    @property
    def spent(self) -> bool:
        return 0 <= self._limit_bytes <= self.claimed_bytes

    @property
    def missing_bytes(self) -> int:
        """What must be released before the first in line is served, and those behind it whose claims fit together
        into a quarter of the budget; 0 when nobody stands there."""
        wanted = 0
        for size, _ in self._line.values():
            if wanted and wanted + size > self._limit_bytes // 4:
                break
            wanted += size
        return min(self.claimed_bytes, self.claimed_bytes + wanted - self._limit_bytes) if wanted else 0

    def try_claim(self, size: int) -> bool:
        """Whether the bytes are granted now; nobody passes those who stand in line."""
        if self._line or not self._fits(size):
            return False
        self.claimed_bytes += size
        return True

    def count(self, size: int) -> None:
        """More (even past the limit) or, below zero, less is in memory."""
        self.claimed_bytes += size
        if size < 0:
            self._grant()

    async def wait_for(self, size: int) -> None:
        """Until the bytes are granted, first come, first served."""
        me, granted = object(), trio.Event()
        self._line[me] = size, granted
        try:
            self._grant()
            await granted.wait()
        except BaseException:
            if self._line.pop(me, None) is None:
                self.claimed_bytes -= size
            self._grant()
            raise

    def _fits(self, size: int) -> bool:
        return self._limit_bytes < 0 or self.claimed_bytes <= 0 or self.claimed_bytes + size <= self._limit_bytes

    def _grant(self) -> None:
        while self._line:
            me, (size, granted) = next(iter(self._line.items()))
            if not self._fits(size):
                return
            del self._line[me]
            self.claimed_bytes += size
            granted.set()
