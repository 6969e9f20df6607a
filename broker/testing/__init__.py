"""A whole broker inside a test: memory wires, memory logs, an embedded registry, a clock that stands still.

Only tests come here. `running` gives a broker that serves; its `connect` gives a client that speaks the protocol
without any library between.
"""
