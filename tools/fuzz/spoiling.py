"""How bytes and numbers are made wrong: numbers at the edges, bytes flipped, cut, doubled, swapped and put in."""

from random import Random

EDGES = (
    *(0, 1, 2, 3, -1, -2),
    *(edge + delta for edge in (2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**63) for delta in (-1, 0, 1)),
    *(-(2**bits) for bits in (7, 15, 31, 63)),
)


def number(chance: Random, bits: int, *, signed: bool = True) -> int:
    """Of so many bits, most often at an edge."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if chance.random() < 0.7:
        fitting = [edge for edge in EDGES if low <= edge <= high]
        return chance.choice(fitting)
    return chance.randint(low, high)


def varint(chance: Random) -> bytes:
    """Short, long, too long, without an end, or longer than it need be."""
    kind = chance.randrange(5)
    if kind == 0:
        return b"\xff" * chance.randint(1, 11)
    if kind == 1:
        return b"\x80" * chance.randint(1, 9) + b"\0"
    value, out = abs(number(chance, 64)), bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def some_bytes(chance: Random, most: int) -> bytes:
    """Of all kinds: chance, one byte again and again, or text."""
    size = min(most, int(chance.expovariate(1 / 20)))
    kind = chance.randrange(3)
    if kind == 0:
        return chance.randbytes(size)
    return bytes([chance.randrange(256)]) * size if kind == 1 else b"lorem ipsum dolor "[: min(size, 18)]


def spoiled(chance: Random, data: bytes, *, most: int = 4) -> bytes:
    """The bytes after one to `most` changes; none in one of ten, so that the sound way stays in sight."""
    if chance.random() < 0.1:
        return data
    out = bytearray(data)
    for _ in range(chance.randint(1, most)):
        _change(chance, out)
    return bytes(out)


def _change(chance: Random, out: bytearray) -> None:
    at = chance.randrange(len(out) + 1)
    width = min(len(out) - at, chance.choice((1, 1, 2, 4, 8, 20)))
    match chance.randrange(8):
        case 0:
            del out[at:]
        case 1:
            del out[at : at + width]
        case 2:
            out[at:at] = some_bytes(chance, 40)
        case 3:
            out[at:at] = out[at : at + chance.choice((1, 4, 61, 1000))]
        case 4 if at < len(out):
            out[at] ^= 1 << chance.randrange(8)
        case 5 if at < len(out):
            out[at] = chance.randrange(256)
        case 6:
            size = chance.choice((2, 4, 8))
            out[at : at + size] = number(chance, 8 * size).to_bytes(size, "big", signed=True)
        case _:
            out[at : at + width] = varint(chance)
