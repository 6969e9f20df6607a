"""CRC-32C (Castagnoli), the checksum of record batches.  Source: KIP-98; RFC 3720, appendix B.4."""

try:
    from fastcrc.crc32 import iscsi as _crc32c
except ImportError:  # no wheel of fastcrc for this machine: crcmod, 0.4 GB/s instead of 45
    from crcmod.predefined import mkPredefinedCrcFun

    _crc32c = mkPredefinedCrcFun("crc-32c")


def crc32c(data: bytes | bytearray | memoryview, initial: int = 0) -> int:
    """The checksum of `data`, an unsigned 32-bit number; `initial` is that of the bytes before it."""
    return int(_crc32c(data, initial))
