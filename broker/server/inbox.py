"""What one connection has received and not yet handled, and in which memory it lies.

While the connection works, that is a borrowed buffer. Before it waits, for whatever, it settles: with nothing left the
buffer goes home; the beginning of a frame moves to a buffer of its own, which grows with the bytes received; many
unhandled frames stay where they are, and the budget counts the buffer.
"""

from typing import Protocol

from broker.server.budget import Budget, Claim
from broker.server.buffers import ReadBuffers
from kproto.connection import Request, ServerConnection
from kproto.frames import SIZE_BYTES, frame_size

MOVED_MAX_BYTES = 64 * 1024
"""Up to this much is copied out of a borrowed buffer, or back into one; more is not."""
SMALL_BYTES = 2048
"""Read at once of what has no share of a budget that is spent: enough for a heartbeat, a commit, a question."""
GROWTH = 16
"""Memory for one frame is at most that many times what has been received of it, or OWN_MIN_BYTES."""
OWN_MIN_BYTES = 64 * 1024


class Source(Protocol):
    def receive_into(self, buffer: memoryview) -> int | None: ...


class Inbox:
    """Bytes `start` to `end` of `buffer` are received and not handled."""

    __slots__ = (
        "_buffer",
        "_buffers",
        "_end",
        "_lent",
        "_start",
        "_wire",
        "claim",
        "received_bytes",
    )

    def __init__(self, buffers: ReadBuffers, budget: Budget, max_frame_bytes: int) -> None:
        self._buffers = buffers
        self._wire = ServerConnection(max_frame_bytes)
        self._buffer: bytearray | None = None
        self._lent = False
        self._start = self._end = 0
        self.received_bytes = 0
        """Ever, by this connection."""
        self.claim = Claim(budget)

    @property
    def frame_begun(self) -> bool:
        """A frame's size is known, and not all of it is here (or not yet handled)."""
        return self._end - self._start >= SIZE_BYTES

    def receive(self, source: Source) -> int | None:
        """Take what is there: 0 at the end of the stream, None if there is nothing yet.

        Only when `next_request` has no more. Raises: ConnectionLost.
        """
        if self._buffer is None:
            self._buffer, self._lent = self._buffers.borrow(), True
            with memoryview(self._buffer) as view, view[: self._up_to(len(view))] as room:
                size = source.receive_into(room)
        else:
            limit = self._up_to(self._make_room())
            with memoryview(self._buffer) as view, view[self._end : limit] as room:
                size = source.receive_into(room)
        if size:
            self._end += size
            self.received_bytes += size
        return size

    def next_request(self) -> Request | None:
        """The next whole frame; None if there is none yet. Its body is a view: release it before `settle`.

        Raises: WireError: a size or a header that cannot be.
        """
        if self._start == self._end or self._buffer is None:
            return None
        with memoryview(self._buffer) as view:
            request = self._wire.next_request(view, self._start, self._end)
        if request is not None:
            self._start += request.size
        return request

    def settle(self) -> None:
        """Hold as little as can be. Call before every wait.

        Raises: WireError: a size that cannot be; BufferError: a view is left (poisoned buffers only).
        """
        left = self._end - self._start
        size = self._next_size()
        if left == 0:
            self._drop()
            self.claim.hold(0)
        elif size > left:
            self.claim.ask(size, received=left)
            if self._in_usual_buffer and self.claim.missing:
                self._move_to(bytearray(left), lent=False)
            elif self._in_usual_buffer:
                self._grow(left, size)
        elif left <= MOVED_MAX_BYTES:
            if self._in_usual_buffer:
                self._move_to(bytearray(left), lent=False)
            self.claim.hold(left)
        else:
            self.claim.hold(self._buffers.size_bytes)

    def close(self) -> None:
        """Nothing of this is needed any more."""
        self._drop()
        self.claim.hold(0)

    @property
    def _in_usual_buffer(self) -> bool:
        return self._buffer is not None and self._lent and len(self._buffer) == self._buffers.size_bytes

    def _next_size(self) -> int:
        """Of the first unhandled frame, its size field included; 0 while that is not here."""
        if self._buffer is None or self._end - self._start < SIZE_BYTES:
            return 0
        return SIZE_BYTES + frame_size(self._buffer, self._start, self._wire.max_frame_bytes)

    def _up_to(self, limit: int) -> int:
        """How far may be read: not beyond a frame that has its share, or a small request, while the budget is spent."""
        if not self.claim.only_small:
            return limit
        return min(limit, max(self._start + self._next_size(), self._end + SMALL_BYTES))

    def _make_room(self) -> int:
        """Memory for more bytes than are here; returns the place up to which they may come."""
        assert self._buffer is not None
        left, size = self._end - self._start, self._next_size()
        if left <= MOVED_MAX_BYTES and size <= self._buffers.size_bytes:
            self._move_to(self._buffers.borrow(), lent=True)
            return self._buffers.size_bytes
        if self._start + size > len(self._buffer) and self._end == len(self._buffer):
            self._grow(left, size)
        return min(self._start + size, len(self._buffer))

    def _grow(self, left: int, size: int) -> None:
        """Room for more of a frame of which `left` bytes are here; a small frame will go back to a usual buffer."""
        if left <= MOVED_MAX_BYTES and size <= self._buffers.size_bytes:
            self._move_to(bytearray(left), lent=False)
        elif self._buffers.size_bytes < size <= min(self._buffers.large_bytes, GROWTH * left):
            self._move_to(self._buffers.borrow_large(), lent=True)
        elif self._buffers.size_bytes < size <= self._buffers.large_bytes:
            self._move_to(bytearray(size // GROWTH + 1), lent=False)  # until a large one may be lent
        else:
            self._move_to(bytearray(min(size, max(GROWTH * left, OWN_MIN_BYTES))), lent=False)

    def _move_to(self, buffer: bytearray, *, lent: bool) -> None:
        left = self._end - self._start
        assert self._buffer is not None
        with memoryview(self._buffer) as old, old[self._start : self._end] as begun:
            buffer[:left] = begun
        self._drop()
        self._buffer, self._lent, self._end = buffer, lent, left

    def _drop(self) -> None:
        buffer, lent = self._buffer, self._lent
        self._buffer, self._lent, self._start, self._end = None, False, 0, 0
        if lent and buffer is not None:
            self._buffers.give_back(buffer)
