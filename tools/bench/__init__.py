"""Measures brokers side by side: whole processes, in turn, under librdkafka. Nothing here judges; it prints."""
