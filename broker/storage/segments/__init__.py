"""Logs in Kafka's own files: a directory per partition, segments inside, checkpoints beside.

    log.py           one partition: the verbs of the contract
    writing.py       appends, rolls and what follows from a batch
    segment.py       one `.log` with its two indexes
    index.py         sorted entries of `.index` and `.timeindex`
    scan.py          batch headers of a file, one after the other
    times.py         records by timestamp
    flushing.py      one fsync for all who wait
    retention.py     which segments have to go
    snapshot.py      producer states in `.snapshot`
    checkpoints.py   the small text files
    names.py         what files and directories are called
    recovery.py      opening a partition that was left in any state
    directory.py     one data directory: its lock, its `meta.properties`, its partitions
    store.py         all of them together
    chores.py        what happens in the background

Called through `broker.storage.contract`. Files are byte-compatible with Apache Kafka's; an index is never needed to be
right, and no record is opened except to find a time.
"""
