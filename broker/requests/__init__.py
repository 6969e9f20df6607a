"""What every request passes: header, table, version, right, handler, answer; and what its handler is given.

What lives here: the router, the context of a request, the rooms that handlers reach through it, the refusals.
Who calls it: `server` with frames from clients, `LocalPeer` with messages of this broker itself.
What it never does: hold a socket, know a topic, or decide for a handler.
"""
