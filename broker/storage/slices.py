"""Stored bytes on their way to a client: bytes in memory, or a run of a file that is held open until released."""

from typing import Protocol

from broker.storage.files import File


class Slice(Protocol):
    """Stored bytes on their way to a client: a run of a file, or bytes in memory.

    Begins with a whole batch and may end inside one. It holds its file open until `release`, so a segment that is
    deleted meanwhile is still readable and its descriptor is nobody else's. `len()` is its size in bytes.
    """

    file: int | None
    """Descriptor to send from (`os.sendfile`), or None when the bytes are in memory."""
    position: int
    """First byte in `file`; 0 without a file."""

    def __len__(self) -> int: ...
    def read(self) -> bytes:
        """All bytes, copied into memory (TLS, down-conversion, small answers)."""
        ...

    def release(self) -> None:
        """Let go of the file; safe to call twice."""
        ...


class BytesSlice:
    """Bytes in memory."""

    __slots__ = ("_data", "file", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.file: int | None = None
        self.position = 0

    def __len__(self) -> int:
        return len(self._data)

    def read(self) -> bytes:
        return self._data

    def release(self) -> None:
        """Nothing is held."""


class FileSlice:
    """A run of a file. Holds the file, so its descriptor stays its own until `release`."""

    __slots__ = ("_file", "_size", "file", "position")

    def __init__(self, file: File, position: int, size: int) -> None:
        file.hold()
        self._file: File | None = file
        self._size = size
        self.file: int | None = file.descriptor
        self.position = position

    def __len__(self) -> int:
        return self._size

    def read(self) -> bytes:
        if self._file is None:
            raise ValueError("this slice was released")
        return self._file.read(self._size, self.position)

    def release(self) -> None:
        if self._file is not None:
            held, self._file, self.file = self._file, None, None
            held.release()
