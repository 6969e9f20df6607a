"""The latest offset of each key, by digest, in one table of fixed size.

A slot is 24 bytes as in Kafka: a digest of 16 bytes and the offset. Two keys of one digest would be taken for one;
the digest is BLAKE2b, so nobody finds such keys on purpose.  Source: SkimpyOffsetMap.java.
"""

from hashlib import blake2b
from struct import Struct

SLOT_BYTES = 24
_DIGEST_BYTES = 16
_SLOT = Struct(">16sq")
_HALVES = Struct(">QQ")


class KeyMap:
    """Digest of a key to the largest offset told for it.

    Args:
        memory_bytes: the table's size at most.
        load_factor: share of its slots that may be taken.
        most_keys: no more than these will come, so the table need not be larger.
    """

    def __init__(self, memory_bytes: int, load_factor: float, most_keys: int) -> None:
        load_factor = min(max(load_factor, 0.01), 0.99)
        wanted = int(most_keys / min(load_factor, 0.7)) + 8
        self._slots = _prime_at_most(max(min(memory_bytes // SLOT_BYTES, wanted), 7))
        self._capacity = max(int(self._slots * load_factor), 1)
        self._table = bytearray(self._slots * SLOT_BYTES)
        self._count = 0
        self.latest_offset = -1
        """All records up to here have been told."""

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        return self._count >= self._capacity

    @property
    def memory_bytes(self) -> int:
        return len(self._table)

    def put(self, key: bytes | memoryview, offset: int) -> None:
        """Tell of a record; the caller asks `is_full` before."""
        digest = blake2b(key, digest_size=_DIGEST_BYTES).digest()
        at, known = self._find(digest)
        if known == 0:
            self._count += 1
        _SLOT.pack_into(self._table, at, digest, offset + 1)

    def get(self, key: bytes | memoryview) -> int:
        """-1 for a key that was not told."""
        return self._find(blake2b(key, digest_size=_DIGEST_BYTES).digest())[1] - 1

    def _find(self, digest: bytes) -> tuple[int, int]:
        """Where that digest's slot is or would be, and what stands there: the offset + 1, 0 in a free one."""
        first, second = _HALVES.unpack(digest)
        slots, unpack, table = self._slots, _SLOT.unpack_from, self._table
        number, step = first % slots, 1 + second % (slots - 1)
        while True:
            at = number * SLOT_BYTES
            found, known = unpack(table, at)
            if known == 0 or found == digest:
                return at, known
            number = (number + step) % slots


def _prime_at_most(limit: int) -> int:
    """With a prime number of slots every step visits all of them."""
    number = limit - 1 + limit % 2
    while any(number % divisor == 0 for divisor in range(3, int(number**0.5) + 1, 2)):
        number -= 2
    return number
