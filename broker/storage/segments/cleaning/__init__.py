"""Compaction of logs in segment files: old segments are read, what is left of them takes their place.

    background.py      all logs in turn, the dirtiest first; cleanable.py says which that is
    cleaner.py         one pass over one log: source_batches.py reads, cleaned.py writes

What a record's fate is decides `broker.storage.compaction`; the exchange of files is `segments/swapping.py`, since a
log that is being opened has to know it too. Everything runs in slices in the loop, or waits for the disk in threads.
"""
