"""librdkafka as a load, by ctypes: a few calls in C for a million records, so that the client is seldom the limit.

The library is that of the system (kcat brings it) or of the package confluent-kafka. Only calls of its stable ABI are
made.  Source: rdkafka.h.
"""

import ctypes
import ctypes.util
import importlib.util
import os
import time
from collections.abc import Mapping
from pathlib import Path

PRODUCER, CONSUMER = 0, 1
WITHIN_S = 120.0
LOOK_EVERY_S = 0.0005

_CHUNK = 10_000
_WAIT_IF_FULL = 4
_TEXT_BYTES = 512


class LoadFailed(Exception):
    """The load could not be made, or not all of it arrived."""


class MessageStruct(ctypes.Structure):
    """rd_kafka_message_t."""

    _fields_ = (
        ("err", ctypes.c_int),
        ("topic", ctypes.c_void_p),
        ("partition", ctypes.c_int32),
        ("payload", ctypes.c_void_p),
        ("len", ctypes.c_size_t),
        ("key", ctypes.c_void_p),
        ("key_len", ctypes.c_size_t),
        ("offset", ctypes.c_int64),
        ("private", ctypes.c_void_p),
    )


def library() -> ctypes.CDLL:
    """Raises: LoadFailed: there is none."""
    path = ctypes.util.find_library("rdkafka")
    if path is None and (package := importlib.util.find_spec("confluent_kafka")) and package.origin:
        bundled = sorted(Path(package.origin).parent.with_name("confluent_kafka.libs").glob("librdkafka-*.so*"))
        path = str(bundled[0]) if bundled else None
    if path is None:
        raise LoadFailed("no librdkafka: install kcat, or the package confluent-kafka")
    found = ctypes.CDLL(path)
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    signatures = {
        "rd_kafka_conf_new": (pointer, ()),
        "rd_kafka_conf_set": (ctypes.c_int, (pointer, text, text, text, size)),
        "rd_kafka_new": (pointer, (ctypes.c_int, pointer, text, size)),
        "rd_kafka_topic_new": (pointer, (pointer, text, pointer)),
        "rd_kafka_produce_batch": (ctypes.c_int, (pointer, ctypes.c_int32, ctypes.c_int, pointer, ctypes.c_int)),
        "rd_kafka_outq_len": (ctypes.c_int, (pointer,)),
        "rd_kafka_poll": (ctypes.c_int, (pointer, ctypes.c_int)),
        "rd_kafka_consume_start": (ctypes.c_int, (pointer, ctypes.c_int32, ctypes.c_int64)),
        "rd_kafka_consume_stop": (ctypes.c_int, (pointer, ctypes.c_int32)),
        "rd_kafka_consume_callback": (ctypes.c_int, (pointer, ctypes.c_int32, ctypes.c_int, pointer, pointer)),
        "rd_kafka_topic_destroy": (None, (pointer,)),
        "rd_kafka_destroy": (None, (pointer,)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


class Client:
    """A producer or consumer of partition 0 of one topic; close it."""

    def __init__(self, kind: int, bootstrap: str, topic: str, options: Mapping[str, str]) -> None:
        self._lib = lib = library()
        said = ctypes.create_string_buffer(_TEXT_BYTES)
        conf = lib.rd_kafka_conf_new()
        for name, value in {"bootstrap.servers": bootstrap, "log_level": "0", **options}.items():
            if lib.rd_kafka_conf_set(conf, name.encode(), value.encode(), said, _TEXT_BYTES):
                raise LoadFailed(f"librdkafka: {said.value.decode()}")
        self._client = lib.rd_kafka_new(kind, conf, said, _TEXT_BYTES)
        if not self._client:
            raise LoadFailed(f"librdkafka: {said.value.decode()}")
        self._topic = lib.rd_kafka_topic_new(self._client, topic.encode(), None)

    def close(self) -> None:
        self._lib.rd_kafka_topic_destroy(self._topic)
        self._lib.rd_kafka_destroy(self._client)


class Producer(Client):
    def __init__(self, bootstrap: str, topic: str, options: Mapping[str, str]) -> None:
        big = {"queue.buffering.max.messages": "5000000", "queue.buffering.max.kbytes": "2097151"}
        super().__init__(PRODUCER, bootstrap, topic, {**big, **options})

    def send(self, values: "Values", count: int) -> float:
        """So many records, until all are answered. Returns: seconds. Raises: LoadFailed."""
        began = time.perf_counter()
        left = count
        while left:
            taken = self._lib.rd_kafka_produce_batch(self._topic, 0, _WAIT_IF_FULL, values.rows, min(left, _CHUNK))
            if taken <= 0:
                raise LoadFailed("librdkafka takes no records")
            left -= taken
        while self._lib.rd_kafka_outq_len(self._client):  # rd_kafka_flush looks only every 10 ms
            if time.perf_counter() - began > WITHIN_S:
                raise LoadFailed(f"not all records were answered within {WITHIN_S:.0f} s")
            self._lib.rd_kafka_poll(self._client, 0)
            time.sleep(LOOK_EVERY_S)
        return time.perf_counter() - began


class Consumer(Client):
    def __init__(self, bootstrap: str, topic: str) -> None:
        options = {"fetch.wait.max.ms": "10", "queued.min.messages": "1000000", "consume.callback.max.messages": "0"}
        super().__init__(CONSUMER, bootstrap, topic, options)
        self._no_use = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p)
        """Called for each record; it must be C, and harmless."""

    def read(self, count: int) -> float:
        """So many records from offset 0. Returns: records a second. Raises: LoadFailed.

        The clock starts with the first records, which do not count: before, it looks for the leader, for half a second.
        """
        self._lib.rd_kafka_consume_start(self._topic, 0, 0)
        began, first, left = time.perf_counter(), 0, count
        while left > 0:
            taken = self._lib.rd_kafka_consume_callback(self._topic, 0, 100, self._no_use, None)
            if taken < 0 or time.perf_counter() - began > WITHIN_S:
                raise LoadFailed(f"{left} of {count} records were not read")
            left -= taken
            if taken and not first:
                began, first = time.perf_counter(), taken
        took_s = time.perf_counter() - began
        self._lib.rd_kafka_consume_stop(self._topic, 0)
        if count <= first:
            raise LoadFailed("all records came at once: too few to time")
        return (count - first) / took_s


class Values:
    """Values of one length for `Producer.send`, half of each noise, so that a codec has something to do."""

    def __init__(self, value_bytes: int) -> None:
        self.value_bytes = value_bytes
        self._pool = ctypes.create_string_buffer(
            b"".join(os.urandom(value_bytes // 4).hex().encode().ljust(value_bytes, b"x") for _ in range(_CHUNK))
        )
        self.rows = (MessageStruct * _CHUNK)()
        start = ctypes.addressof(self._pool)
        for place, row in enumerate(self.rows):
            row.payload, row.len = start + place * value_bytes, value_bytes
