"""Runs the pure machines of `coordinator` over the partitions of their internal topics that this broker leads.

`groups.py` is what handlers ask, `shards.py` runs one machine on one partition, `timers.py` is the one task for all
their timers, `log.py` says what it needs of a partition; `broker.py` hands that over. It decides nothing about groups,
never speaks the protocol of clients, and knows a replica only as a log.
"""
