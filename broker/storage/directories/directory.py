"""One data directory: who owns it, whose it is, and how it was left.

`meta.properties` says whose: `version=0`, `broker.id`, `cluster.id`, as a broker of Kafka writes it with ZooKeeper.
Where there are several directories, `barnabas.log.dirs` there names them all, so that one that was lost is missed.
`.kafka_cleanshutdown` is there after a clean stop and taken away by the next start.
Source: BrokerMetadataCheckpoint, MetaProperties.java, CleanShutdownFileHandler.java.
"""

from collections.abc import Callable
from errno import EDQUOT, ENOENT, ENOSPC
from pathlib import Path
from time import gmtime, strftime

from broker.config.problems import OperatorError
from broker.storage.contract import Identity
from broker.storage.files import Disk, Held, Lock, read_whole, replace, write_all
from broker.storage.segments.names import partition_directory
from broker.storage.segments.space import Space

META_PROPERTIES = "meta.properties"
CLEAN_SHUTDOWN = ".kafka_cleanshutdown"
COMPANIONS = "barnabas.log.dirs"
_PROBE = f"{META_PROPERTIES}.tmp"
_CLEAN_TEXT = b'{"version":0,"brokerEpoch":-1}'


class DirectoryUnusable(OperatorError):
    """It cannot be read or written, or is of a newer kind; the others may go on without it."""


class DataDirectory:
    """Locked and checked by `claim`, before anything else; trouble there is the operator's, in plain words.

    Args:
        reserve_bytes: what is to be kept free on its file system.
    """

    def __init__(self, path: Path, disk: Disk, reserve_bytes: Callable[[], int] = lambda: 0) -> None:
        self.path = path
        self.identity = Identity()
        self.failure: DirectoryUnusable | None = None
        """Why it is offline, until the broker starts again."""
        self.space = Space(path, reserve_bytes)
        self._disk = disk
        self._lock: Lock | None = None
        self._others: dict[str, str | None] = {}

    def claim(self) -> None:
        """Make it, lock it, read whose it is. Raises: OperatorError: in use; its child DirectoryUnusable."""
        try:
            self._make()
            self._lock = self._disk.lock(self.path)
            self._try_out()
        except Held as held:
            raise self._held(held) from None
        except OSError as error:
            self.release()
            raise self.unusable(error) from None
        self._read_identity()

    def _make(self) -> None:
        """With its parents, and durably: what will be flushed here is worth no more than the names above it."""
        missing = [path for path in (self.path, *self.path.parents) if not self._disk.exists(path)]
        if missing:
            self._disk.make_directory(self.path)
            for path in missing:
                self._disk.sync_directory(path.parent)

    def unusable(self, error: OSError) -> DirectoryUnusable:
        return DirectoryUnusable(
            f"The data directory {self.path} cannot be used.",
            f"{error.strerror or error} ({error.filename or self.path}).",
            "Make it writable for this user, or set log.dirs to another directory.",
        )

    def probe(self) -> None:
        """Whether it still is what was claimed, and takes bytes. Sleeps in the kernel. Raises: OSError."""
        self._must_be_there()
        self._try_out()

    def measure(self) -> tuple[int, int]:
        """Bytes of its file system, in all and free. Sleeps in the kernel. Raises: OSError."""
        self._must_be_there()
        return self._disk.capacity(self.path)

    def _must_be_there(self) -> None:
        """Raises: OSError: another file system, or none, is mounted there by now."""
        if self.identity != Identity() and not self._disk.exists(self.path / META_PROPERTIES):
            why = f"{META_PROPERTIES} is gone; is its file system still mounted?"
            raise FileNotFoundError(ENOENT, why, str(self.path))

    def _try_out(self) -> None:
        """Raises: OSError; a full file system is no reason."""
        probe = self.path / _PROBE
        try:
            file = self._disk.create(probe)
            try:
                write_all(file, b"#", 0)
                file.sync()
            finally:
                file.release()
        except OSError as error:
            if error.errno not in (ENOSPC, EDQUOT):
                raise
        if self._disk.exists(probe):
            self._disk.remove(probe)

    def _held(self, held: Held) -> OperatorError:
        who = "another process" if held.pid is None else f"process {held.pid}"
        return OperatorError(
            f"The data directory {self.path} is in use.",
            f"It is locked by {who}, which is a broker that still runs.",
            "Stop that broker, or set log.dirs to another directory.",
        )

    def _read_identity(self) -> None:
        path = self.path / META_PROPERTIES
        try:
            pairs = _properties(read_whole(self._disk, path).decode()) if self._disk.exists(path) else {}
            version = int(pairs.pop("version", "0"))
            broker_id = pairs.pop("broker.id", None)
            self.identity = Identity(None if broker_id is None else int(broker_id), pairs.pop("cluster.id", None))
        except (OSError, ValueError) as error:
            self.release()
            raise DirectoryUnusable(
                f"{path} cannot be read.", f"{error}.", "Restore it, or delete it if this directory is this broker's."
            ) from None
        if version != 0:
            self.release()
            raise DirectoryUnusable(
                f"The data directory {self.path} is of a newer kind.",
                f"{path} has version={version}; this broker knows version=0, the one of brokers with ZooKeeper.",
                "Set log.dirs to another directory.",
            )
        self._others = {**pairs}

    def check(self, identity: Identity) -> None:
        """Compare what is known of us with what is written. Raises: OperatorError: it is somebody else's."""
        for name, written, ours in (
            ("broker.id", self.identity.broker_id, identity.broker_id),
            ("cluster.id", self.identity.cluster_id, identity.cluster_id),
        ):
            if written is not None and ours is not None and written != ours:
                raise OperatorError(
                    f"The data directory {self.path} belongs to {name} {written}, not {ours}.",
                    f"Its {META_PROPERTIES} says so: the directory was copied, or log.dirs names the wrong one.",
                    f"If it was copied, delete {self.path / META_PROPERTIES}; else use {name} {written} again.",
                )

    def identify(self, identity: Identity, now_ms: int) -> None:
        """Write whose it is, if that is not there already. Raises: OperatorError."""
        self.check(identity)
        if identity != self.identity:
            self._write(identity, now_ms)
            self.identity = identity

    @property
    def companions(self) -> set[str]:
        """The directories that were in use together at the last start, this one too; empty if it was alone."""
        return set((self._others.get(COMPANIONS) or "").split(",")) - {""}

    def note_companions(self, paths: set[str], now_ms: int) -> None:
        """Once all of them have their `meta.properties`. Raises: OperatorError."""
        if paths != self.companions:
            self._others[COMPANIONS] = ",".join(sorted(paths)) or None
            self._write(self.identity, now_ms)

    def is_empty(self) -> bool:
        """Whether it is nobody's and holds no log."""
        return self.identity == Identity() and not any(map(partition_directory, self._disk.names(self.path)))

    def lost(self, broker_id: int | None) -> DirectoryUnusable:
        """It is empty, and should not be."""
        return DirectoryUnusable(
            f"The data directory {self.path} is empty.",
            "It is empty, though it was in use: it was lost, or its file system is not mounted.",
            "Mount or restore it. If its records are gone for good, and their partitions shall begin empty, write the"
            f" lines version=0 and broker.id={broker_id} into {META_PROPERTIES} there.",
        )

    def _write(self, identity: Identity, now_ms: int) -> None:
        pairs = {**self._others, "cluster.id": identity.cluster_id, "version": 0, "broker.id": identity.broker_id}
        lines = ["#", f"#{strftime('%a %b %d %H:%M:%S UTC %Y', gmtime(now_ms / 1000))}"]
        lines += [f"{name}={value}" for name, value in pairs.items() if value is not None]
        try:
            replace(self._disk, self.path / META_PROPERTIES, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise DirectoryUnusable(
                f"{self.path / META_PROPERTIES} cannot be written.",
                f"{error.strerror or error}.",
                "Make room, or make the directory writable for this user.",
            ) from None

    def take_clean_mark(self) -> bool:
        """Whether the last stop was clean. From now on it was not. Raises: OSError."""
        path = self.path / CLEAN_SHUTDOWN
        if not self._disk.exists(path):
            return False
        self._disk.remove(path)
        self._disk.sync_directory(self.path)
        return True

    def leave_clean_mark(self) -> None:
        """All is flushed, and the checkpoints say so. Raises: OSError."""
        replace(self._disk, self.path / CLEAN_SHUTDOWN, _CLEAN_TEXT)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _properties(text: str) -> dict[str, str]:
    """The lines of a Java properties file as Kafka writes this one: no continuation lines, few escapes."""
    pairs = {}
    for line in map(str.strip, text.splitlines()):
        if line and line[0] not in "#!":
            name, _, value = line.partition("=")
            pairs[name.strip()] = value.strip().replace("\\", "")
    return pairs
