"""Read buffers are borrowed: one that is warm from the last connection costs nothing, one per idle client would.

A connection borrows a buffer when its socket is readable and gives it home before it waits. A buffer that comes home
is resized by one byte, which Python refuses while anybody still looks into it: so nobody can ever read over
another's bytes. Such a buffer is left to whoever holds it.
"""

import logging

log = logging.getLogger("barnabas.server")

BUFFER_BYTES = 256 * 1024
KEPT = 64
"""Buffers beyond this many go back to the system when they come home."""


class ReadBuffers:
    """A pool of equal buffers, last in, first out.

    Args:
        size_bytes: of each buffer.
        poison: fill what comes home with nonsense, and let a late view be an error instead of a line in the log;
            for tests.
    """

    def __init__(self, size_bytes: int = BUFFER_BYTES, *, poison: bool = False) -> None:
        self.size_bytes = size_bytes
        self.out = 0
        self._poison = poison
        self._home: list[bytearray] = []

    def borrow(self) -> bytearray:
        buffer = self._home.pop() if self._home else bytearray(self.size_bytes)
        self.out += 1
        return buffer

    def give_back(self, buffer: bytearray) -> None:
        """Raises: BufferError: only with `poison`; somebody kept a view."""
        self.out -= 1
        try:
            buffer.append(0)
        except BufferError:
            if self._poison:
                raise
            log.exception("a view of a read buffer outlived its request; the buffer is given up")
            return
        buffer.pop()
        if self._poison:
            buffer[:] = b"\xdd" * self.size_bytes
        if len(self._home) < KEPT:
            self._home.append(buffer)
