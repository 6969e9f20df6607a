"""`python -m tools.fuzz --minutes N --seed S`: nonsense that knows its way around, for everything that reads bytes.

    __main__.py    the command
    runner.py      inputs one after the other, each from a seed of its own; what counts as a finding
    spoiling.py    how bytes and numbers are made wrong
    wire.py        frames, headers, every message at every version: our codec beside its slow twin
    batches.py     record batches v2 and messages of magic 0 and 1: checked, read, converted both ways
    streams.py     gzip, snappy, lz4, zstd
    walkers.py     the record walker, compiled and plain
    files.py       snapshots, indexes, transaction indexes, checkpoints
    plausible.py   values that get a request past the first look at it
    requests.py    requests of any kind to a whole broker in this process
    sockets.py     conversations, cut at any byte, with a broker in a process of its own
    logs.py        whole data directories: recovered, served, written to, recovered again

Only the declared error may come out, within a second of CPU and 64 MiB. A finding is printed with the command that
repeats it. Run by a person, by `.ci/run` for five minutes, and by a test for a moment; it is no part of the wheel.
"""
