"""Record batches: how records lie in memory, on the wire and in Kafka's log files.

    batch.py        the 61-byte header of format v2 (KIP-98); build a batch, stamp it, read its records
    legacy.py       messages of magic 0 and 1, nested where they are compressed; read and build their sets
    stored.py       batches of all these formats, as they lie in logs side by side
    record.py       one record inside a batch
    control.py      the markers that end a transaction
    walk.py         is every record of a batch sound? One pass, plain Python that mypyc may compile
    check.py        the walk over a whole batch, inflated in pieces, in slices that leave the loop free
    up_conversion.py, down_conversion.py    old messages become a batch of format v2, and a batch old messages
    frames.py       whole records out of pieces, wherever the pieces end
    long_record.py  the part of that walk for a record that nobody wants to hold
    compression.py  gzip, snappy, lz4, zstd; whatever is inflated is bounded by the caller, never by the sender's claim;
                    gzip_members.py, snappy_chunks.py, lz4_frames.py, zstd_frames.py: one library each
    checksum.py     CRC-32C

Called by everything that looks into a batch: validation, storage, the internal topics, the tools. Nothing here opens a
file, asks a clock or waits. A batch that is not sound is an `ApiError` with the code that a producer is told.
"""
