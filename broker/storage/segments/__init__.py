"""Logs in Kafka's own files: a directory per partition, segments inside, checkpoints beside.

One partition:
    log.py             the verbs of the contract
    segment.py         one `.log` with its two indexes, from creation to removal
    contents.py        what one `.log` holds, as far as it is known
    index.py           sorted entries of `.index` and `.timeindex`
    scan.py            batch headers of a file, one after the other
    reading.py         from an offset to a run of bytes
    checked.py         which bytes are known to be right; checking.py finds out, before they are first served
    scrub.py           the same again and again, for what changes on the disk later
    times.py           records by timestamp
    flushing.py        one fsync for all who wait
    keeper.py          what a log asks of the storage
    rolling.py         which segment takes a batch, and how the next one begins
    cutting.py         a log becomes shorter, at its end or its beginning
    retention.py       which segments have to go
    cleaner.py         compaction of one log: source_batches.py reads, cleaned.py writes
    swapping.py        a cleaned segment takes the place of old ones, also over a crash
    producers_file.py  producer states in `.snapshot` files; snapshot.py is their format
    transactions.py    which aborted transactions a reader must know; transaction_index.py is `.txnindex`
    recovery.py        opening a directory that was left in any state
All of them:
    store.py           the contract's storage, over one or more data directories
    directories.py     all data directories, which fail one by one
    directory.py       one of them: its lock, its `meta.properties`, how it was left
    space.py           how much it still takes
    loading.py         its partitions
    moving.py          logs on their way to another one; copying.py finds and reads what is to be copied
    checkpointing.py   the offset checkpoints of all logs; checkpoints.py is the format of the small text files
    chores.py          what happens in the background
    cleaning.py        compaction of all, the dirtiest first; cleanable.py says which that is
    names.py           what files and directories are called

Called through `broker.storage.contract`. Files are byte-compatible with Apache Kafka's; an index is never needed to be
right, and no record is opened except to find a time and to compact. Nothing here knows topics, leaders or clients.
"""
