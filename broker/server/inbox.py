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
GROWTH = 8
"""A buffer of one's own is at most that many times what it has received, or OWN_MIN_BYTES."""
OWN_MIN_BYTES = 64 * 1024


class Source(Protocol):
    def receive_into(self, buffer: memoryview) -> int | None: ...


class Inbox:
    """Bytes `start` to `end` of `buffer` are received and not handled."""

    __slots__ = (
        "_borrowed",
        "_buffer",
        "_buffers",
        "_end",
        "_start",
        "_wire",
        "claim",
        "received_bytes",
    )

    def __init__(self, buffers: ReadBuffers, budget: Budget, max_frame_bytes: int) -> None:
        self._buffers = buffers
        self._wire = ServerConnection(max_frame_bytes)
        self._buffer: bytearray | None = None
        self._borrowed = False
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
        limit = self._make_room()
        assert self._buffer is not None
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
            self._move(left if self.claim.missing else self._capacity(left, size))
        elif left <= MOVED_MAX_BYTES:
            self._move(left)
            self.claim.hold(left)
        else:
            self.claim.hold(self._buffers.size_bytes)

    def close(self) -> None:
        """Nothing of this is needed any more."""
        self._drop()
        self.claim.hold(0)

    def _next_size(self) -> int:
        """Of the first unhandled frame, its size field included; 0 while that is not here."""
        if self._buffer is None or self._end - self._start < SIZE_BYTES:
            return 0
        return SIZE_BYTES + frame_size(self._buffer, self._start, self._wire.max_frame_bytes)

    def _make_room(self) -> int:
        """Memory for more bytes; returns the place up to which they may come."""
        if self._buffer is None:
            self._buffer, self._borrowed = self._buffers.borrow(), True
            return self._buffers.size_bytes
        left, size = self._end - self._start, self._next_size()
        if left <= MOVED_MAX_BYTES and size <= self._buffers.size_bytes:
            self._move_to(self._buffers.borrow(), borrowed=True)
            return self._buffers.size_bytes
        if self._start + size > len(self._buffer) and self._end == len(self._buffer):
            self._move_to(bytearray(self._capacity(left, size)), borrowed=False)
        return min(self._start + size, len(self._buffer))

    def _capacity(self, left: int, size: int) -> int:
        """Of an own buffer for a frame of which `left` bytes are here; a small frame will go back to a borrowed one."""
        if left <= MOVED_MAX_BYTES and size <= self._buffers.size_bytes:
            return left
        return min(size, max(GROWTH * left, OWN_MIN_BYTES))

    def _move(self, capacity: int) -> None:
        if self._borrowed:
            self._move_to(bytearray(capacity), borrowed=False)

    def _move_to(self, buffer: bytearray, *, borrowed: bool) -> None:
        left = self._end - self._start
        assert self._buffer is not None
        with memoryview(self._buffer) as old, old[self._start : self._end] as begun:
            buffer[:left] = begun
        self._drop()
        self._buffer, self._borrowed, self._end = buffer, borrowed, left

    def _drop(self) -> None:
        buffer, borrowed = self._buffer, self._borrowed
        self._buffer, self._borrowed, self._start, self._end = None, False, 0, 0
        if borrowed and buffer is not None:
            self._buffers.give_back(buffer)
