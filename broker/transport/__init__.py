"""The world's wires behind one small contract: bytes in, pieces out.

What lives here: the contract of a stream and a listener, TCP sockets driven raw inside trio, an in-memory twin for
tests, TLS over either with its keys and the users that certificates stand for, and the peers that a broker speaks to,
itself included.
Who calls it: `server` for clients, the replication and the controller for other brokers.
What it never does: look inside a frame, know a topic, start a task.
"""
