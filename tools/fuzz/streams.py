"""The codecs: no stream, however wrong, gives more than was allowed, or anything but an ApiError."""

from random import Random

from kproto.errors import ApiError
from kproto.records.compression import Codec, compress, inflate
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import some_bytes, spoiled

MAX_BYTES = 1 << 20

Input = tuple[Codec, bytes]


def targets() -> list[Target]:
    return [Target("streams", stream, read, (ApiError,))]


def stream(chance: Random) -> Input:
    """Sound bytes packed, sometimes twice or with something behind, then spoiled; the headers more often."""
    codec = chance.choice((Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD))
    packed = compress(codec, some_bytes(chance, 4000) * chance.choice((1, 1, 10, 5000)))
    if chance.random() < 0.3:
        packed += chance.choice((packed, some_bytes(chance, 40), packed[: len(packed) // 2]))
    if chance.random() < 0.5:
        return codec, spoiled(chance, packed[:24], most=2) + packed[24:]
    return codec, spoiled(chance, packed)


def read(made: Input) -> None:
    codec, data = made
    size = 0
    for piece in inflate(codec, data, MAX_BYTES):
        size += len(piece)
        assert size <= MAX_BYTES, f"{codec.name} gave {size} bytes"
