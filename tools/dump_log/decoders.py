"""Keys and values as text, by the names of Kafka's decoder classes."""

import re
from collections.abc import Callable
from struct import Struct, error

from kproto.records.record import Record
from tools.dump_log.problems import unreadable

Decoder = Callable[[Record], tuple[str | None, str | None]]
"""Text of key and value; None where nothing is printed. Raises: OperatorError."""

STRING = "org.apache.kafka.tools.api.StringDecoder"
_PACKAGE = "org.apache.kafka.tools.api."
_OLD_PACKAGE = "kafka.serializer."
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
_INT, _LONG = Struct(">i"), Struct(">q")


def decoder(key_class: str, value_class: str) -> Decoder:
    """By Kafka's class names, their old ones, or short: StringDecoder, LongDecoder, IntegerDecoder, DefaultDecoder.

    Raises: OperatorError: no such decoder.
    """
    of_key, of_value = _named(key_class), _named(value_class)

    def decode(record: Record) -> tuple[str | None, str | None]:
        try:
            return (
                None if record.key is None else of_key(record.key),
                None if record.value is None else of_value(record.value),
            )
        except error:
            raise unreadable(
                f"The decoder does not fit the record at offset {record.offset}.",
                f"Its key has {len(record.key or b'')} bytes, its value {len(record.value or b'')}.",
            ) from None

    return decode


def deprecations(*class_names: str) -> list[str]:
    """What Kafka says of class names that it takes under another name."""
    return [
        f"{name} is deprecated. Please use {_PACKAGE}{name.removeprefix(_OLD_PACKAGE)} instead"
        for name in class_names
        if name.startswith(_OLD_PACKAGE) and name.removeprefix(_OLD_PACKAGE) in _DECODERS
    ]


def text(data: bytes) -> str:
    """UTF-8 as Java reads it: an encoded surrogate, torn or not, is one wrong character where Python sees several."""
    return _SURROGATE.sub("\ufffd".encode(), data).decode(errors="replace")


def _named(name: str) -> Callable[[bytes], str]:
    found = _DECODERS.get(name.removeprefix(_PACKAGE).removeprefix(_OLD_PACKAGE))
    if found is None:
        raise unreadable(
            f"There is no decoder {name}.", f"Java classes cannot be loaded here; known: {', '.join(_DECODERS)}."
        )
    return found


_DECODERS: dict[str, Callable[[bytes], str]] = {
    "StringDecoder": text,
    "IntegerDecoder": lambda data: str(_INT.unpack_from(data)[0]),
    "LongDecoder": lambda data: str(_LONG.unpack_from(data)[0]),
    "DefaultDecoder": lambda data: data.hex(),
}
"""Kafka's DefaultDecoder prints the address of a Java object; here it is the bytes."""
