"""The codecs, both ways, against what others write; and what a liar gets."""

import contextlib
import gzip
import random
import sys
import tracemalloc
import zlib

import cramjam
import pytest
from aiokafka import codec as aiokafka_codec
from hypothesis import given, settings
from hypothesis import strategies as st

from kproto.errors import ApiError, ErrorCode
from kproto.records.compression import Codec, compress, decompress, inflate
from kproto.records.lz4_frames import xxh32_of_few

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1024 * 1024
COMPRESSED = [Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD]
XERIAL = bytes.fromhex("82534e4150505900" + "00000001" * 2)
TEXT = b"".join(b"line %d of a text that packs well\n" % n for n in range(9_000))

codecs = pytest.mark.parametrize("codec", COMPRESSED)
theirs = {
    Codec.GZIP: (aiokafka_codec.gzip_encode, aiokafka_codec.gzip_decode),
    Codec.SNAPPY: (aiokafka_codec.snappy_encode, aiokafka_codec.snappy_decode),
    Codec.LZ4: (aiokafka_codec.lz4_encode, aiokafka_codec.lz4_decode),
    Codec.ZSTD: (aiokafka_codec.zstd_encode, aiokafka_codec.zstd_decode),
}


def refusal(codec: Codec, data: bytes, max_bytes: int = 128 * MIB) -> ErrorCode:
    """Why `data` is not inflated; at no time more than 16 MiB, and some, are held."""
    tracemalloc.start()
    try:
        with pytest.raises(ApiError) as refused:
            for _ in inflate(codec, data, max_bytes):
                pass
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 18 * MIB + 4 * len(data)
    return refused.value.code


@pytest.mark.parametrize("codec", Codec)
@settings(deadline=None, max_examples=30)
@given(data=st.binary(max_size=2_000), times=st.integers(1, 100))
def test_what_is_compressed_comes_back(codec: Codec, data: bytes, times: int) -> None:
    assert decompress(codec, compress(codec, data * times)) == data * times


@codecs
def test_aiokafka_reads_what_we_write_and_we_read_what_it_writes(codec: Codec) -> None:
    encode, decode = theirs[codec]
    assert bytes(decode(compress(codec, TEXT))) == TEXT
    assert decompress(codec, bytes(encode(TEXT))) == TEXT


def test_snappy_is_written_in_the_chunks_of_javas_library() -> None:
    written = compress(Codec.SNAPPY, TEXT)
    assert written.startswith(XERIAL)
    first = int.from_bytes(written[16:20])
    assert bytes(cramjam.snappy.decompress_raw(written[20 : 20 + first])) == TEXT[: 32 * 1024]


def test_snappy_is_read_raw_and_from_streams_put_one_after_the_other() -> None:
    assert decompress(Codec.SNAPPY, bytes(cramjam.snappy.compress_raw(TEXT))) == TEXT
    assert decompress(Codec.SNAPPY, compress(Codec.SNAPPY, TEXT) * 3) == TEXT * 3


def test_lz4_is_written_with_independent_blocks_as_java_wants_it() -> None:
    flags = compress(Codec.LZ4, TEXT)[4]
    assert flags >> 6 == 1
    assert flags & 0x20


@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_lz4_is_written_without_checksums_as_java_writes_it(size: int) -> None:
    """Clients of 0.8 and 0.9 compare those of blocks as signed with unsigned numbers."""
    data = bytes(number * number % 251 for number in range(size))
    frame = compress(Codec.LZ4, data)
    assert frame[4] == 0x60
    assert aiokafka_codec.lz4_decode(frame) == data == decompress(Codec.LZ4, frame)


def test_lz4_with_linked_blocks_is_refused() -> None:
    """Java's consumers refuse it, so nobody may store it."""
    compressor = cramjam.lz4.Compressor(block_linked=True)
    compressor.compress(TEXT)
    assert refusal(Codec.LZ4, bytes(compressor.finish())) == ErrorCode.CORRUPT_MESSAGE


def lz4_frame(*blocks: bytes, block_bytes: int = 64 * 1024) -> bytes:
    """Blocks that come with their sizes, in a frame that allows so many bytes each."""
    descriptor = bytes((0x60, {64 * 1024: 0x40, 256 * 1024: 0x50}[block_bytes]))
    head = bytes.fromhex("04224d18") + descriptor + bytes((xxh32_of_few(descriptor) >> 8 & 0xFF,))
    return head + b"".join(blocks) + bytes(4)


def lz4_block(data: bytes) -> bytes:
    block = bytes(cramjam.lz4.compress_block(data, store_size=False))
    return len(block).to_bytes(4, "little") + block


def stored_block(data: bytes) -> bytes:
    return (len(data) | 1 << 31).to_bytes(4, "little") + data


def test_lz4_blocks_may_be_of_any_size_up_to_what_their_frame_says() -> None:
    blocks = [b"a" * 10, TEXT[: 64 * 1024], b"bc" * 300, bytes(64 * 1024)]
    mixed = [stored_block(block) if index % 2 else lz4_block(block) for index, block in enumerate(blocks)]
    assert decompress(Codec.LZ4, lz4_frame(*mixed)) == b"".join(blocks)
    for block in (lz4_block(bytes(64 * 1024 + 1)), stored_block(bytes(64 * 1024 + 1))):
        assert refusal(Codec.LZ4, lz4_frame(block)) == ErrorCode.CORRUPT_MESSAGE
        assert len(decompress(Codec.LZ4, lz4_frame(block, block_bytes=256 * 1024))) == 64 * 1024 + 1


def test_the_checksums_of_lz4_blocks_are_checked() -> None:
    """Of those that are compressed, and of those that are not."""
    compressor = cramjam.lz4.Compressor(block_linked=False)
    noise = random.Random(1).randbytes(100_000)
    compressor.compress(noise + TEXT)
    frame = bytes(compressor.finish())
    assert frame[4] & 0x10
    assert decompress(Codec.LZ4, frame) == noise + TEXT
    for place in (1_000, len(frame) - 1_000):
        damaged = frame[:place] + bytes((frame[place] ^ 1,)) + frame[place + 1 :]
        assert refusal(Codec.LZ4, damaged) == ErrorCode.CORRUPT_MESSAGE


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.LZ4, Codec.ZSTD])
def test_streams_may_follow_each_other_but_not_by_the_thousand(codec: Codec) -> None:
    assert decompress(codec, compress(codec, TEXT) * 2) == TEXT * 2
    assert refusal(codec, compress(codec, b"") * 1_001) == ErrorCode.CORRUPT_MESSAGE


@codecs
def test_a_stream_that_ends_early_is_an_invalid_record(codec: Codec) -> None:
    """Row 62 of the bad inputs."""
    whole = compress(codec, TEXT)
    for length in (0, 1, 6, len(whole) // 2, len(whole) - 1):
        assert refusal(codec, whole[:length]) == ErrorCode.INVALID_RECORD, length


@codecs
def test_a_damaged_stream_is_a_corrupt_message(codec: Codec) -> None:
    """Row 61 of the bad inputs."""
    whole = compress(codec, TEXT)
    damaged = whole[:20] + b"\xff" * 60 + whole[80:]
    for stream in (damaged, b"nothing that any codec knows"):
        assert refusal(codec, stream) == ErrorCode.CORRUPT_MESSAGE


@codecs
@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_wrong_is_refused_as_an_api_error_or_is_not_noticed(codec: Codec, data: st.DataObject) -> None:
    """Not every codec has a checksum: a wrong byte may only change the text. Noise is no different."""
    stream = bytearray(compress(codec, TEXT[:3_000]))
    for _ in range(data.draw(st.integers(0, 3))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    for wrong in (bytes(stream), data.draw(st.binary(max_size=200))):
        with contextlib.suppress(ApiError):
            assert len(decompress(codec, wrong, MIB)) <= MIB


def zeros(codec: Codec, size_mib: int) -> bytes:
    """Many MiB of zeros in one stream, made without holding them."""
    match codec:
        case Codec.GZIP:
            packer = zlib.compressobj(9, wbits=31)
            return b"".join(packer.compress(bytes(MIB)) for _ in range(size_mib)) + packer.flush()
        case Codec.ZSTD:
            frame = zstd.ZstdCompressor(3)
            return b"".join(frame.compress(bytes(MIB)) for _ in range(size_mib)) + frame.flush()
        case Codec.LZ4:
            one = compress(Codec.LZ4, bytes(MIB))
            return one[:7] + one[7:-4] * size_mib + one[-4:]
        case _:
            one = compress(codec, bytes(MIB))
            return one[:16] + one[16:] * size_mib


@codecs
def test_a_bomb_is_put_down_once_it_is_over_the_cap(codec: Codec) -> None:
    """Row 63 of the bad inputs: a few KiB that inflate to 256 MiB, of which 16 MiB are held at a time."""
    bomb = zeros(codec, 256)
    assert len(bomb) < 16 * MIB
    assert refusal(codec, bomb) == ErrorCode.MESSAGE_TOO_LARGE


@codecs
def test_many_mib_inflate_in_pieces_of_16_mib_at_most(codec: Codec) -> None:
    pieces = [len(piece) for piece in inflate(codec, zeros(codec, 40))]
    assert sum(pieces) == 40 * MIB
    assert max(pieces) <= 16 * MIB


@pytest.mark.parametrize("claim", [0xFFFFFFFF, 1 << 30, 1_000_000])
def test_a_snappy_block_that_claims_more_than_it_can_hold_is_corrupt(claim: int) -> None:
    """Rows 63 and 64 of the bad inputs; nothing is allocated by claim."""
    length = bytearray()
    while claim > 127:
        length.append(claim & 127 | 128)
        claim >>= 7
    raw = bytes(length) + bytes((claim,)) + bytes(cramjam.snappy.compress_raw(b"a" * 2_000))[2:]
    assert refusal(Codec.SNAPPY, raw) == ErrorCode.CORRUPT_MESSAGE
    assert refusal(Codec.SNAPPY, XERIAL + len(raw).to_bytes(4) + raw) == ErrorCode.CORRUPT_MESSAGE


def test_a_snappy_chunk_of_minus_one_bytes_is_corrupt() -> None:
    """Row 64 of the bad inputs."""
    assert refusal(Codec.SNAPPY, XERIAL + b"\xff\xff\xff\xff" + bytes(10)) == ErrorCode.CORRUPT_MESSAGE


def test_a_raw_snappy_block_of_more_than_16_mib_is_too_large() -> None:
    """It cannot be inflated in parts."""
    packed = bytes(cramjam.snappy.compress_raw(bytes(17 * MIB)))
    assert refusal(Codec.SNAPPY, packed) == ErrorCode.MESSAGE_TOO_LARGE


def zstd_frame(header: str, blocks: bytes) -> bytes:
    return bytes.fromhex("28b52ffd" + header) + blocks


def raw_blocks(*blocks: bytes) -> bytes:
    """Uncompressed blocks, the last one marked."""
    last = len(blocks) - 1
    return b"".join((len(b) << 3 | (i == last)).to_bytes(3, "little") + b for i, b in enumerate(blocks))


@pytest.mark.parametrize(
    "header",
    ["e0" + "00" * 7 + "80", "a0" + "ff" * 4, "c0" + "ff" + "00" * 7 + "80"],
    ids=["2^63 bytes in one segment", "4 GiB in one segment", "2^63 bytes in the largest window"],
)
def test_a_zstd_frame_that_lies_about_its_size_is_corrupt(header: str) -> None:
    """Row 64 of the bad inputs."""
    assert refusal(Codec.ZSTD, zstd_frame(header, raw_blocks(b"abc"))) == ErrorCode.CORRUPT_MESSAGE


@pytest.mark.parametrize("window", ["70", "88", "ff"], ids=["16 MiB", "128 MiB", "3.75 TiB"])
def test_a_zstd_frame_may_name_a_large_window_as_the_highest_levels_do(window: str) -> None:
    frame = zstd_frame("00" + window, raw_blocks(b"abc", b"def"))
    assert decompress(Codec.ZSTD, frame) == b"abcdef"


def with_window_log(window_log: int) -> zstd.ZstdCompressor:
    """As the highest levels choose it (27 at level 22, KIP-390), but quicker."""
    parameter = zstd.CompressionParameter
    options: dict[int, int] = {parameter.compression_level: 1, parameter.window_log: window_log}
    options[parameter.enable_long_distance_matching] = 1
    return zstd.ZstdCompressor(options=options)


def test_what_the_highest_level_writes_is_read() -> None:
    packer = with_window_log(27)
    assert decompress(Codec.ZSTD, packer.compress(TEXT) + packer.flush()) == TEXT


def test_a_zstd_frame_that_looks_back_further_than_8_mib_is_too_large() -> None:
    noise = random.Random(1).randbytes(10 * MIB)
    packer = with_window_log(25)
    frame = packer.compress(noise + noise) + packer.flush()
    assert len(frame) < 11 * MIB
    assert refusal(Codec.ZSTD, frame) == ErrorCode.MESSAGE_TOO_LARGE


def test_the_header_checksum_of_lz4_is_xxh32() -> None:
    """Vectors of the xxHash project, and what the library writes."""
    assert xxh32_of_few(b"") == 0x02CC5D05
    assert xxh32_of_few(b"abc") == 0x32D153FF
    written = compress(Codec.LZ4, TEXT)
    assert written[6] == xxh32_of_few(written[4:6]) >> 8 & 0xFF


def test_gzip_members_are_those_of_the_standard_library() -> None:
    assert gzip.decompress(compress(Codec.GZIP, TEXT)) == TEXT
    assert decompress(Codec.GZIP, gzip.compress(TEXT)) == TEXT
