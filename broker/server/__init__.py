"""Clients come in here: listeners, and one task per connection that reads, has a frame handled and answers, in order.

What lives here: the accept loops, the line for TLS handshakes, the connections, the read buffers that they borrow, the
budget for requests that are half read, and the sweeper that closes who is too slow.
Who calls it: `broker.py` composes it and owns the nurseries.
What it never does: look into a request (that is the router's) or wait for a client while another one is ready.
"""
