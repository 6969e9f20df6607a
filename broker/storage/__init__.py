"""The batches of every partition of one broker: appended, read, cut, kept.

    contract.py    what every maker of storage promises; test_contract.py holds all of them to it
    memory.py      the maker that keeps nothing when the process ends
    directories/   the maker that keeps Kafka's own files: all logs, over several data directories
    segments/      one such log
    compaction/    what compaction keeps of a batch, and of a log; memory_compaction.py applies it in memory
    epochs.py      where each leader epoch began in one log
    producers.py   idempotence: the last batches of each producer; which transactions are open
    slices.py      stored bytes on their way to a client
    files.py       the disk's seam: every system call on files and every thread goes through it

Called by `broker.partitions` (one log each) and by `broker.broker`, which makes the storage and runs it.
It never looks at topics, groups, leaders or clients, and it never opens a record except to find a time and to
compact.
"""
