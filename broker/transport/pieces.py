"""Answers as pieces: small neighbours become one, large bytes and file ranges go out as they are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from broker.transport.contract import ConnectionLost, FileRange, Piece

JOIN_BELOW_BYTES = 16 * 1024
"""A file range smaller than this is read and joined to its neighbours: one more call costs more than the copy."""
STANDS_ALONE_BYTES = 64 * 1024
"""Bytes in memory of this size are not copied together with their neighbours."""

Bytes: TypeAlias = bytes | bytearray | memoryview


def runs(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, bool]]:
    """Pieces as they go to the kernel, small neighbours joined; True beside all but the last: more follows.

    Raises: ConnectionLost, as `whole`.
    """
    waiting: Piece | None = None
    for run in _joined(pieces):
        if waiting is not None:
            yield waiting, True
        waiting = run
    if waiting is not None:
        yield waiting, False


def release(pieces: Iterable[Piece]) -> None:
    """Let go of every file among the pieces."""
    for piece in pieces:
        if not isinstance(piece, Bytes):
            piece.release()


def whole(piece: FileRange) -> bytes:
    """The bytes of a range. Raises: ConnectionLost: fewer are left than were promised."""
    data = piece.read()
    if len(data) != len(piece):
        raise ConnectionLost("the file was cut shorter while it was sent")
    return data


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    if len(pieces) == 1 and isinstance(pieces[0], Bytes):
        yield pieces[0]
        return
    small: list[Bytes] = []
    for piece in pieces:
        if not isinstance(piece, Bytes) and (piece.file is None or len(piece) < JOIN_BELOW_BYTES):
            piece = whole(piece)
        if isinstance(piece, Bytes) and len(piece) < STANDS_ALONE_BYTES:
            small.append(piece)
            continue
        if small:
            yield b"".join(small)
            small.clear()
        yield piece
    if small:
        yield b"".join(small)
