"""Options: one line per name, read from files, the environment and overrides into typed settings.

What lives here: the table of every option name that Kafka ever published, the parsers of the places where
values are written down, and the messages that an operator reads when a value is wrong.
Who calls it: the command line builds `BrokerSettings`; every room of the broker reads its attributes.
What it never does: open sockets or data directories, look at the cluster, import another room.
"""
