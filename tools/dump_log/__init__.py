"""What a file of a partition holds, as text, line by line as Kafka's dump tool (3.9) prints it.

    stored.py          batches and messages as they lie in a `.log`, right or wrong
    old_messages.py    those of magic 0 and 1
    log_text.py        a `.log` as lines; marks.py: those of control batches
    index_text.py      `.index` and `.timeindex`, compared with the log beside them
    small_files.py     `.snapshot` and `.txnindex`
    decoders.py        keys and values as text
    internal_topics.py records of `__consumer_offsets` and `__transaction_state`
    json_text.py       a message as Kafka's own JSON
    findings.py        what is told at the end

Called by the command `dump-log`. Files are only read; nothing is repaired, created or locked, and no broker is asked.
Each function gives lines one by one, so that a log of any length needs the memory of one batch.
Source: DumpLogSegments of Kafka 3.9, observed. 4.3 prints transactions as JSON, leaves out a brace too many behind the
checksums of old messages, has its bar before every payload, and finds a gap before the first offset of a segment.
"""
