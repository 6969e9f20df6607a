"""One file per API: its request and its response, every version that was ever published, and what changed when.

The files are data in Python: nothing here computes. `kproto.api_keys` imports one when its API is first asked for.
Records of internal topics, the consumer protocol and control records have files of their own beside them.
"""
