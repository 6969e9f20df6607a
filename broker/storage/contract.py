"""What every keeper of a partition's batches promises: bytes, offsets and epochs; no groups, no topic rules.

`def` never waits, `async def` may. Makers: `memory.py`, `segments/`. One file of contract tests serves all of them
(`test_contract.py`), and so will yours.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import trio
from trio.lowlevel import checkpoint

from broker.purgatory import WaitingRoom
from broker.storage.log_settings import LogSettings
from broker.storage.producers import AbortedTransaction, ProducerStates
from broker.storage.slices import Slice
from kproto.values import frozen

if TYPE_CHECKING:
    from broker.storage.places import Places


class StorageFailed(Exception):
    """The disk said no; nothing of what was asked stays. The partition goes offline here (KAFKA_STORAGE_ERROR, 56)."""


class DiskFull(StorageFailed):
    """No space left: nothing was kept, reads go on, and writing may succeed again once there is space."""


class BatchDamaged(StorageFailed):
    """The batch at that offset is not what was written, or is gone: the others are served (CORRUPT_MESSAGE, 2)."""


class OffsetOutOfRange(Exception):
    """The offset asked for is below the log start or above the log end."""


Breathe = Callable[[], Awaitable[None]]
"""Called before the disk is waited for, and between slices of long work: the caller lets go of what others need."""


@frozen
class Identity:
    """Whose stored data is; None for what nobody has said yet."""

    broker_id: int | None = None
    cluster_id: str | None = None


@frozen
class LogId:
    """A partition by the id of its topic; names are labels."""

    topic_id: UUID
    partition: int


@frozen
class TimedOffset:
    """A record's offset, its timestamp in ms and the leader epoch of its batch."""

    offset: int
    timestamp_ms: int
    leader_epoch: int


class Log(Protocol):
    """The batches of one partition, in offset order."""

    id: LogId
    name: str
    """Topic name at the time of creation, with the partition: `orders-0`. A label."""
    settings: LogSettings
    """Replaced by its owner when the topic's options change."""
    high_watermark: int
    """Its owner's to move, kept for the next process at the next checkpoint; 0 if nobody ever did."""
    from_reserve: bool
    """Whether it is appended to where others are refused already since the disk is nearly full; its owner says."""
    producers: ProducerStates
    """Idempotence: the last five batches of each producer. `append` and recovery keep it; callers only ask."""
    start_moved: WaitingRoom
    """Woken whenever `start_offset` has changed, by retention too."""

    @property
    def start_offset(self) -> int: ...
    @property
    def end_offset(self) -> int: ...
    @property
    def flushed_offset(self) -> int:
        """Durable up to here (exclusive)."""
        ...

    @property
    def size_bytes(self) -> int: ...
    @property
    def latest_epoch(self) -> int:
        """Leader epoch of the newest batch, -1 while empty."""
        ...

    def append(self, batches: memoryview, epoch: int, now_ms: int) -> int:
        """Stamp whole batches with their offsets and hand them to the kernel in one write.

        Args:
            batches: writable v2 record batches, still compressed, at least 61 bytes each. Bytes 0-7 (base offset) and
                12-15 (leader epoch) are overwritten; the CRC covers neither. A transaction's marker is a batch, too.
            epoch: leader epoch, at least that of the last batch.
            now_ms: wall clock, for rolling by time.
        Returns: offset of the first record stored.
        Raises: StorageFailed: the disk said no and nothing of this stays; its child DiskFull may pass.
        Source: KIP-98, record batch layout.
        """
        ...

    def append_as_follower(self, batches: memoryview, now_ms: int) -> None:
        """Keep batches whose offsets and epochs are the leader's; they begin at `end_offset` or above it.

        Messages of magic 0 and 1 are among them where the leader's log is that old.

        Raises: StorageFailed, as `append`.
        """
        ...

    def truncate(self, offset: int) -> None:
        """Nothing at or above `offset` stays; batches are cut whole. Producer states and epochs follow.

        The end is then that of the last batch left, or the log start. Raises: StorageFailed.
        """
        ...

    def advance_start(self, offset: int) -> None:
        """Nothing below `offset` is served again. Raises: OffsetOutOfRange: it lies above the end."""
        ...

    def last_stable_offset(self, below: int) -> int:
        """Where a reader of committed records has to stop who may see up to `below`, the high watermark.

        It is the first offset of the oldest transaction that is not decided there, or `below`.
        """
        ...

    async def aborted_transactions(self, offset: int, size_bytes: int, below: int) -> list[AbortedTransaction]:
        """Those whose records may be among the `size_bytes` that a read of `offset` with that bound gave.

        There may be more than those; none is missing. In the order of their markers.  Raises: StorageFailed.
        """
        ...

    def end_of_epoch(self, epoch: int) -> tuple[int, int]:
        """The largest epoch not above `epoch` that has batches here, and its end offset; (-1, -1) if there is none.

        Source: KIP-279.
        """
        ...

    async def read(self, offset: int, max_bytes: int, below: int, breathe: Breathe = checkpoint) -> Slice:
        """Stored bytes from the batch that holds `offset` on, none of a batch at or above `below`.

        At least the first batch comes whole, however large; after that at most `max_bytes` in all. Empty at `below`.
        No batch comes that was damaged since it was written, as far as its checksum tells. `breathe` only where it
        takes long: then the log may have changed meanwhile, and what comes is of the log as it is now.
        Raises: OffsetOutOfRange; BatchDamaged: that of `offset` itself, or it is missing; StorageFailed.
        """
        ...

    async def find_time(self, timestamp_ms: int, breathe: Breathe = checkpoint) -> TimedOffset | None:
        """The first record at or after that time; None if there is none. Opens at most one batch.

        Raises: BatchDamaged: a damaged batch lies where it would be; StorageFailed.
        """
        ...

    async def find_max_time(self, breathe: Breathe = checkpoint) -> TimedOffset | None:
        """The record with the largest timestamp; None while empty.  Source: KIP-734."""
        ...

    async def flush(self) -> int:
        """Make everything appended so far durable; one fsync serves all who wait. Returns the new `flushed_offset`.

        Raises: StorageFailed: the partition is offline from now on; a second fsync proves nothing.
        """
        ...

    async def tidy(self, now_ms: int) -> None:
        """Retention by size, time and log start, in slices; nothing above the high watermark goes.

        Raises: StorageFailed.
        """
        ...

    async def close(self, *, delete: bool = False) -> None:
        """Flush and let go of the files; with `delete` the log is gone for good, also after a crash half-way."""
        ...


class Storage(Protocol):
    """All logs of one broker, by topic id."""

    @property
    def places(self) -> "Places": ...

    def claim(self, broker_id: int | None) -> None:
        """Make sure, before anything else, that nobody else writes here and that it is ours.

        Raises: OperatorError: locked, not writable, or another broker's.
        """
        ...

    @property
    def identity(self) -> Identity:
        """As an earlier process left it, once claimed; later as `identify` said."""
        ...

    def identify(self, identity: Identity) -> None:
        """Remember whose this is. Raises: OperatorError: another cluster's, or it cannot be written."""
        ...

    async def load(self) -> Iterable[Log]:
        """Open every log that is kept here, recovering what an unclean stop left. Once, after `claim`.

        A log that cannot be opened is among them; its verbs raise StorageFailed.
        """
        ...

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """The background: retention, checkpoints, expiry of producers, removal of files. Until cancelled."""
        ...

    def create(self, log_id: LogId, topic: str, settings: LogSettings, *, new: bool = True) -> Log:
        """The log of that id, made if need be, with these options. An empty log costs no file until its first batch.

        Args: new: nobody has written to it so far; else it is not made while it may lie in a directory that failed.
        Raises: StorageFailed: a directory of that name belongs to another topic id, or the disk said no.
        """
        ...

    def on_offline(self, listener: Callable[[LogId], None]) -> None:
        """Call `listener` in the loop with each log that goes offline, until the broker starts again."""
        ...

    async def keep_starts(self, logs: Iterable[LogId]) -> set[LogId]:
        """Make their start offsets durable; all who wait share one write. Returns: those logs where it failed."""
        ...

    def get(self, log_id: LogId) -> Log | None: ...

    async def delete(self, log_id: LogId) -> None:
        """Forget the log and remove its files (later, in the background); unknown ids are fine.

        Raises: StorageFailed: its directory cannot be renamed.
        """
        ...

    async def close(self) -> None:
        """Clean stop: checkpoints, snapshots and the mark that recovery may be skipped; others may claim it now."""
        ...
