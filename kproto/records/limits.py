"""How far the way into a compressed batch goes."""

MAX_INFLATED_BYTES = 128 * 1024 * 1024
"""What the records of one batch may inflate to, unless the caller says otherwise."""
MAX_STREAMS = 1000
"""gzip members, lz4 or zstd frames in one batch. One is usual; each costs more work than its few bytes."""
