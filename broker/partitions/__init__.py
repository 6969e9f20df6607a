"""The partitions of which this broker keeps a replica: who leads, what is committed, what may be appended;
and the fetch sessions, which watch what their readers ask for.

Handlers and the coordinator runtime call in; below lie the logs of `broker.storage`. It never speaks the protocol of
clients, that is the handlers' business, and it never decides who leads, that is the controller's.
"""
