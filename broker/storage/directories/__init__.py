"""All logs of one broker, over one or more data directories that fail one by one.

    store.py           the contract's storage
    directory_set.py   all data directories
    directory.py       one of them: its lock, its `meta.properties`, how it was left
    watching.py        which of them still work, and how much they take
    placement.py       where a new log will lie
    log_places.py      what lies where, for those who ask and those who move logs
    logs.py            the table of all logs, by id and by name
    loading.py         the partitions in one directory; closing.py ends them all with a clean stop
    moving.py          all logs on their way to another one; move.py is one of them, copying.py what it copies
    mark.py            `.moved`, which tells after a crash which of two directories goes on
    checkpointing.py   the offset checkpoints of all logs
    chores.py          what happens in the background

Called through `broker.storage.contract`. What one log is made of lies in `broker.storage.segments`, which knows nothing
of this room but the Protocol `Keeper`.
"""
