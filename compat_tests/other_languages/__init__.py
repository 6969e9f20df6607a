"""Clients of other languages as judges: a small program of ours for each, in the folder of its language.

`node/client.js` is kafkajs, `go/` is one program for franz-go, sarama and kafka-go. All have the same verbs and answer
in lines of JSON, so compat_tests/test_other_languages.py asks all of them the same. `programs.py` installs what they
need, once, into a cache outside the repository. They know nothing of the broker but its address.
"""
