"""What compaction keeps: the latest value of each key, tombstones for a while, and what producers need to go on.

    key_map.py        the latest offset of each key, in bounded memory
    records.py        records of one inflated batch: where each begins and ends, its key, whether it has a value
    transactions.py   which batches belong to aborted transactions, and which markers are needed still
    old_messages.py   the same for messages of magic 0 and 1
    batch_filter.py   one batch in, what is left of it out
    pacing.py         slices of time in the loop, and the limit of bytes per second

Called by `broker.storage.segments.cleaning` and `broker.storage.memory`. Nothing here reads files or knows logs.
Source: Cleaner.java, MemoryRecords.filterTo, CleanedTransactionMetadata.java, KIP-58, KIP-98, KIP-534.
"""
