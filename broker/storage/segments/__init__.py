"""One partition's log in Kafka's own files: segments and their indexes, checkpoints beside.

    log.py             the verbs of the contract
    segment.py         one `.log` with its two indexes, from creation to removal
    contents.py        what one `.log` holds, as far as it is known
    index.py           sorted entries of `.index` and `.timeindex`
    scan.py            batch headers of a file, one after the other
    reading.py         from an offset to a run of bytes
    checked.py         which bytes are known to be right; checking.py finds out, before they are first served
    scrub.py           the same again and again, for what changes on the disk later
    times.py           records by timestamp
    flushing.py        one fsync for all who wait; flush_by_age.py is `flush.ms`
    keeper.py          what a log asks of the storage; space.py is how much a directory still takes
    rolling.py         which segment takes a batch, and how the next one begins
    cutting.py         a log becomes shorter, at its end or its beginning
    retention.py       which segments have to go
    cleaning/          compaction
    swapping.py        a cleaned segment takes the place of old ones, also over a crash
    producers_file.py  producer states in `.snapshot` files; snapshot.py is their format
    transactions.py    which aborted transactions a reader must know; transaction_index.py is `.txnindex`
    recovery.py        opening a directory that was left in any state; recovery_segments.py what its segments hold
    checkpoints.py     the format of the small text files
    names.py           what files and directories are called

Called by `broker.storage.directories`, which keeps all logs of a broker. Files are byte-compatible with Apache Kafka's;
an index is never needed to be right, and no record is opened except to find a time and to compact. Nothing here knows
topics, leaders or clients.
"""
