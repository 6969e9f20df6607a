"""What a person runs: the command line.

What lives here: `cli.py`, the command with its options; `commands/`, one module per subcommand; the banner; output as
tables or JSON; `dump_log/`, files of a partition as text; the build hook, the bench and the soak.
Who calls it: the door `barnabas`, as a process of its own.
What it never does: serve requests, keep data. Its clients are plain ones and work on any Kafka cluster.
"""
