"""For tests, ours and those of others: the twin of the codec, and strategies for any message at any version.

Needs Hypothesis. Nothing that serves requests imports it.
"""
