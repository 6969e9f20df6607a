"""CRC-32C, judged by crcmod and by the vectors of RFC 3720."""

import subprocess
import sys

import pytest
from crcmod.predefined import mkPredefinedCrcFun
from hypothesis import given
from hypothesis import strategies as st

from kproto.records.checksum import crc32c


@pytest.mark.parametrize(
    ("data", "crc"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_known_checksums(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


@given(st.binary(max_size=3_000), st.integers(0, 3_000))
def test_it_is_crcmods_checksum_of_any_kind_of_bytes_whole_or_in_two_parts(data: bytes, cut: int) -> None:
    expected = mkPredefinedCrcFun("crc-32c")(data)
    assert crc32c(memoryview(bytearray(data))) == expected
    assert crc32c(data[cut:], crc32c(data[:cut])) == expected


def test_without_fastcrc_it_is_computed_by_crcmod() -> None:
    """In a process of its own: an import is hidden, and modules live as long as their process."""
    program = """
import sys
sys.modules["fastcrc.crc32"] = None
from kproto.records.checksum import crc32c
assert crc32c(memoryview(b"56789"), crc32c(bytearray(b"1234"))) == 0xE3069283
"""
    subprocess.run([sys.executable, "-c", program], check=True)
