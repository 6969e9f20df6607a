"""Kafka's wire protocol and record formats: bytes <-> typed values.

Bring your own socket. Nothing here waits, reads a clock, opens a file or imports a neighbour; the broker, the
coordinators, the tools and the tests all stand on it, and it is one of the two packages that users may import.
"""
