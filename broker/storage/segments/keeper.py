"""What a log asks of the storage that keeps it."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from broker.storage.segments.space import Space

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


class Keeper(Protocol):
    def flush_soon(self, flushable: "SegmentLog") -> None: ...
    def remove_later(self, paths: list[Path], after_ms: int) -> None: ...
    def lower_recovery_point(self, lowered: "SegmentLog", offset: int) -> None:
        """Before anything at or above `offset` is cut. Raises: OSError."""
        ...

    def start_moved(self, moved: "SegmentLog") -> None: ...
    def space_of(self, directory: Path) -> Space: ...
    def went_offline(self, gone: "SegmentLog") -> None:
        """It failed; maybe its whole data directory did."""
        ...

    def unique(self) -> UUID: ...
