"""Groups: who is a member, who leads, which partitions each has, and the offsets they committed.

`coordinator.py` keeps the groups of one partition of `__consumer_offsets`, `classic.py` is one group of the classic
protocol. Events come in (`events.py`), effects go out (`effects.py`), records are Kafka's (`records.py`).
`broker.coordinator_runtime` calls in; nothing here waits, reads a clock, makes an id, or knows an API version, a
connection or a right.
"""
