"""Read buffers are borrowed: one that is warm from the last connection costs nothing, one per idle client would.

A connection borrows a buffer when its socket is readable and gives it home before it waits. A buffer that comes home
is resized by one byte, which Python refuses while anybody still looks into it: so nobody can ever read over
another's bytes. Such a buffer is left to whoever holds it.
"""

import logging

log = logging.getLogger("barnabas.server")

BUFFER_BYTES = 256 * 1024
LARGE_BYTES = 1024 * 1024 + 128 * 1024
"""For one frame with a batch of `max.message.bytes`: memory that is new to the process costs more than the copy."""
KEPT, LARGE_KEPT = 32, 8
"""Buffers beyond that many go back to the system when they come home."""


class ReadBuffers:
    """Two pools of equal buffers, last in, first out.

    Args:
        size_bytes, large_bytes: of each buffer.
        poison: fill what comes home with nonsense, and let a late view be an error instead of a line in the log;
            for tests.
    """

    def __init__(self, size_bytes: int = BUFFER_BYTES, large_bytes: int = LARGE_BYTES, *, poison: bool = False) -> None:
        self.size_bytes = size_bytes
        self.large_bytes = large_bytes
        self.out = 0
        self._poison = poison
        self._home: list[bytearray] = []
        self._large_home: list[bytearray] = []

    def borrow(self) -> bytearray:
        self.out += 1
        return self._home.pop() if self._home else bytearray(self.size_bytes)

    def borrow_large(self) -> bytearray:
        self.out += 1
        return self._large_home.pop() if self._large_home else bytearray(self.large_bytes)

    def give_back(self, buffer: bytearray) -> None:
        """Raises: BufferError: only with `poison`; somebody kept a view."""
        self.out -= 1
        try:
            buffer.append(0)
        except BufferError:
            if self._poison:
                raise
            log.error("a view of a read buffer outlived its request; the buffer is given up", stack_info=True)
            return
        buffer.pop()
        if self._poison:
            buffer[:] = b"\xdd" * len(buffer)
        home, kept = (self._home, KEPT) if len(buffer) == self.size_bytes else (self._large_home, LARGE_KEPT)
        if len(home) < kept:
            home.append(buffer)
