"""Unmodified clients meet a real broker: a process of its own, on 127.0.0.1, as a user would start it.

Nothing here knows the broker's inside; what a client cannot see is tested beside the code.
"""
