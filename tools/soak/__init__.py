"""`python -m tools.soak`: one broker under mixed load for an hour or a night: does anything grow or get lost?

    __main__.py     the command: the driver in a process of its own, and how it ended
    driver.py       start, load, verify, write
    topics.py       the topics: kept for ever, by size, by time, compacted, both
    workers.py      a thread that does one thing again and again, at a pace that keeps to the share of CPU allowed
    ledger.py       what was acknowledged, and so must be there
    writers.py readers.py admins.py strangers.py    who comes: unmodified clients, and connections that say nothing
    probe.py        a process of its own that measures round trips
    watching.py     looks at the broker while it is under load
    sampling.py     memory, descriptors, threads, disk and CPU of the broker, from /proc
    verifying.py    reads everything back
    report.py       first minutes against last minutes
    chart.py        the same as a picture

Run by a person; it needs confluent-kafka, which is among the test extras. The broker is a process of its own, held by
`barnabas.Broker`, and knows nothing of all this.
"""
