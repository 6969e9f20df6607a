"""The small files beside the logs, each read by itself: snapshots, indexes, transaction indexes, checkpoints."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from struct import pack, pack_into
from uuid import UUID

from broker.storage.producers import ProducerStates
from broker.storage.segments.checkpoints import (
    PARTITION_METADATA,
    Unreadable,
    epochs_text,
    offsets_text,
    read_epochs,
    read_offsets,
    read_topic_id,
    topic_id_text,
)
from broker.storage.segments.index import offset_index, time_index
from broker.storage.segments.snapshot import SnapshotDamaged, decode_snapshot, encode_snapshot
from broker.storage.segments.transaction_index import TransactionIndex, TransactionIndexDamaged
from broker.testing.disk import FakeDisk
from kproto.records.checksum import crc32c
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import number, some_bytes, spoiled

FOLDER = Path("/data/orders-0")
_ROW = ">qhiqiqiq"
"""Of a snapshot; see broker/storage/segments/snapshot.py."""


def targets() -> list[Target]:
    return [
        Target("snapshots", snapshot, read_snapshot, (SnapshotDamaged,)),
        Target("indexes", index, read_index, (ValueError,)),
        Target("txnindexes", transactions, read_transactions, (TransactionIndexDamaged,)),
        Target("checkpoints", checkpoint, read_checkpoint, (Unreadable,)),
    ]


def disk_with(name: str, data: bytes) -> FakeDisk:
    disk = FakeDisk()
    disk.make_directory(FOLDER)
    disk.put(FOLDER / name, data)
    return disk


def _rows(chance: Random, layout: str) -> bytes:
    """Rows of growing or wild numbers."""
    bits = {"q": 64, "i": 32, "h": 16, "I": 32}
    wild = chance.random() < 0.3
    out = b""
    for row in range(chance.choice((0, 1, 2, 7))):
        fields = [
            number(chance, bits[c], signed=c != "I") if wild else row + place for place, c in enumerate(layout[1:])
        ]
        out += pack(layout, *fields)
    return out


def snapshot(chance: Random) -> bytes:
    rows = _rows(chance, _ROW)
    count = len(rows) // 46 if chance.random() < 0.8 else number(chance, 32)
    body = spoiled(chance, pack(">i", count) + rows) if chance.random() < 0.5 else pack(">i", count) + rows
    whole = bytearray(pack(">hI", 1, crc32c(body)) + body)
    if chance.random() < 0.2:
        pack_into(">h", whole, 0, number(chance, 16))
    return spoiled(chance, bytes(whole)) if chance.random() < 0.3 else bytes(whole)


def read_snapshot(data: bytes) -> None:
    """What a snapshot tells can be taken in, and written again."""
    states = ProducerStates()
    states.replace(decode_snapshot(data))
    decode_snapshot(encode_snapshot(states))


def index(chance: Random) -> tuple[bool, bytes]:
    """One of offsets or of times."""
    of_times = chance.random() < 0.5
    return of_times, spoiled(chance, _rows(chance, ">qI" if of_times else ">II"))


def read_index(made: tuple[bool, bytes]) -> None:
    """Whatever stands there: an answer to start from, or a ValueError."""
    of_times, data = made
    for take in ("load", "open_frozen"):
        disk = disk_with("x.index", data)
        found = (time_index if of_times else offset_index)(disk, FOLDER / "x.index")
        if getattr(found, take)():
            _ask(found.floor)
            _ask(found.value_above)
            _ = found.last
            found.keep_keys_below(1)
            found.keep_values_below(1)
            found.save()
            found.freeze()
            found.close()


def _ask(question: Callable[[int], object]) -> None:
    for key in (-1, 0, 1, 5, 2**31, 2**63 - 1):
        question(key)


def transactions(chance: Random) -> bytes:
    return spoiled(chance, _rows(chance, ">hqqqq"))


def read_transactions(data: bytes) -> None:
    disk = disk_with("x.txnindex", data)
    found = TransactionIndex(disk, FOLDER / "x.txnindex")
    found.open(0, 2**40)
    found.between(0, 2**40)
    found.between(5, 6)
    found.cut(3)


def checkpoint(chance: Random) -> tuple[str, bytes]:
    """Lines of numbers, names of topics, and something else now and then."""
    kind = chance.choice(("offsets", "epochs", "topic"))
    if kind == "topic":
        data = topic_id_text(UUID(int=chance.getrandbits(128)))
    elif kind == "epochs":
        data = epochs_text([(row, number(chance, 64)) for row in range(chance.randrange(4))])
    else:
        data = offsets_text({(f"t{row}", row): number(chance, 64) for row in range(chance.randrange(4))})
    if chance.random() < 0.2:
        data = data.replace(b"0", some_bytes(chance, 5000) or b"1_0")
    return kind, spoiled(chance, data)


def read_checkpoint(made: tuple[str, bytes]) -> None:
    kind, data = made
    disk = disk_with(PARTITION_METADATA, data)
    path = FOLDER / PARTITION_METADATA
    if kind == "topic":
        read_topic_id(disk, FOLDER)
    elif kind == "epochs":
        read_epochs(disk, path)
    else:
        read_offsets(disk, path)
