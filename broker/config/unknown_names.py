"""Names that are no option of ours: Kafka's plug-ins, names of 2011, and misspellings."""

from collections.abc import Iterable
from types import MappingProxyType

PLUG_IN_PREFIXES = (
    "listener.name.",
    "config.providers.",
    "rsm.config.",
    "rlmm.config.",
    "remote.log.metadata.",
    "confluent.",
    "metrics.context.",
)
"""Names below these are somebody's options: known to make sense, without effect here."""

MOVE_RATE = "replica.alter.log.dirs.io.max.bytes.per.second"
"""Heeded by moves between data directories."""
ONLY_DYNAMIC = ("leader.replication.throttled.rate", "follower.replication.throttled.rate", MOVE_RATE)
"""Kafka takes these from AlterConfigs alone; in a file they mean nothing there either."""

RENAMED = MappingProxyType(
    {
        "brokerid": "broker.id",
        "hostname": "host.name",
        "log.file.size": "log.segment.bytes",
        "log.retention.size": "log.retention.bytes",
        "log.flush.interval": "log.flush.interval.messages",
        "log.default.flush.interval.ms": "log.flush.interval.ms",
        "log.default.flush.scheduler.interval.ms": "log.flush.scheduler.interval.ms",
        "log.cleanup.interval.mins": "log.retention.check.interval.ms",
        "max.socket.request.bytes": "socket.request.max.bytes",
        "socket.send.buffer": "socket.send.buffer.bytes",
        "socket.receive.buffer": "socket.receive.buffer.bytes",
        "zk.connect": "zookeeper.connect",
        "zk.connectiontimeout.ms": "zookeeper.connection.timeout.ms",
        "zk.sessiontimeout.ms": "zookeeper.session.timeout.ms",
        "zk.synctime.ms": "zookeeper.sync.time.ms",
    }
)
"""Names of Kafka 0.7 and what they became."""


def is_plug_in(name: str) -> bool:
    return name.startswith(PLUG_IN_PREFIXES) or name in ONLY_DYNAMIC


def hint(name: str, known: Iterable[str]) -> str:
    """`Did you mean …?` for a name that nobody knows, or an empty text."""
    names = list(known)
    plain = _plain(name)
    for candidate in names:
        if _plain(candidate) == plain:
            return f"Did you mean {candidate}? Names are case-sensitive, with dots between the words."
    import difflib  # only who misspells pays

    near = difflib.get_close_matches(plain, [candidate.lower() for candidate in names], n=1, cutoff=0.75)
    return next((f"Did you mean {candidate}?" for candidate in names if near == [candidate.lower()]), "")


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", ".").replace("-", ".")
