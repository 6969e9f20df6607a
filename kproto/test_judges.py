"""Our bytes against codecs that others wrote: kio, kafka-python, and for the rest the classes of Apache Kafka.

Each judge reads what we wrote, finds the same value under the same name, and writes the same bytes again.
"""

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import kafka.protocol.admin
import kafka.protocol.consumer
import kafka.protocol.metadata
import kafka.protocol.producer
import kafka.protocol.sasl
import pytest
from kio.index import load_entity_schema
from kio.schema.index import schema_name_map
from kio.serial import entity_reader, entity_writer
from kio.static.constants import EntityType

from kproto.codec import decode, encoded
from kproto.messages.api_versions import ApiVersionsResponse
from kproto.schema import Message, Struct, wires
from kproto.testing.strategies import all_messages, numbered, remembered, versions_of

KAFKA_PYTHON = (
    kafka.protocol.admin,
    kafka.protocol.consumer,
    kafka.protocol.metadata,
    kafka.protocol.producer,
    kafka.protocol.sasl,
)


OTHER_NAMES = {
    "acceptable_recovery_lag_legacy": "acceptable_recovery_lag",
    "cluster_authorized_operations": "authorized_operations",
    "generation_id_or_member_epoch": "generation_id",
    "topic_authorized_operations": "authorized_operations",
}
"""Names that Kafka 4.4 changed and a judge may not have followed yet, and two that kafka-python has its own for."""


def plain(name: str) -> str:
    """A field's name without what differs between projects: underscores, and the unit, which kio has in its types."""
    return re.sub("ms$", "", name.replace("_", "").lower())


def same(ours: Any, theirs: Any, version: int) -> None:
    """Assert that two decoded values mean the same."""
    match ours:
        case Struct():
            for w in wires(type(ours)):
                if w.is_in(version):
                    same(getattr(ours, w.name), attribute(theirs, w.name), version)
        case list():
            assert len(ours) == len(theirs)
            for our, their in zip(ours, theirs, strict=True):
                same(our, their, version)
        case _:
            assert ours == number(theirs)


def attribute(theirs: Any, name: str) -> Any:
    return getattr(theirs, attribute_name(type(theirs), name))


@remembered
def attribute_name(kind: type, name: str) -> str:
    """What a judge's class calls the field that we call `name`."""
    wanted = {plain(name), plain(OTHER_NAMES.get(name, name))}
    names = [found for found in dir(kind) if plain(found) in wanted and found[0].islower()]
    assert len(names) == 1, f"{name}: {names}"
    return names[0]


def number(value: Any) -> Any:
    match value:
        case timedelta():
            return round(value / timedelta(milliseconds=1))
        case datetime():
            return round(value.timestamp() * 1000)
        case Enum():
            return value.value
        case set():
            return sum(1 << bit for bit in value)
    return value


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def kio_versions(cls: type[Message]) -> Iterator[tuple[int, Any]]:
    """The versions that kio has, each with kio's kind of message."""
    kinds: Any = ((EntityType.request, "Request"), (EntityType.response, "Response"), (EntityType.data, ""))
    for kind, ending in kinds:
        versions = schema_name_map.get(snake(cls.__name__.removesuffix(ending)), {})
        for version in versions_of(cls):
            if cls.__name__.endswith(ending) and kind in versions.get(version, {}):
                yield version, kind


def kio_schemas(cls: type[Message]) -> Iterator[tuple[int, Any]]:
    for version, kind in kio_versions(cls):
        name = cls.__name__.removesuffix({EntityType.request: "Request", EntityType.response: "Response"}.get(kind, ""))
        yield version, load_entity_schema(snake(name), version, kind)


KNOWN_TO_KIO = [cls for cls in all_messages() if any(kio_versions(cls))]


@pytest.mark.parametrize("cls", KNOWN_TO_KIO, ids=lambda cls: cls.__name__)
def test_kio_reads_and_writes_the_same_bytes(cls: type[Message]) -> None:
    for version, schema in kio_schemas(cls):
        message = numbered(cls, version)
        body = encoded(message, version)
        theirs, size = entity_reader(schema)(body, 0)
        assert size == len(body)
        same(message, theirs, version)
        written = io.BytesIO()
        entity_writer(schema)(written, theirs)
        assert written.getvalue() == body
        assert decode(cls, version, memoryview(body)) == message


def kafka_python_class(cls: type[Message]) -> Any:
    return next((found for module in KAFKA_PYTHON if (found := getattr(module, cls.__name__, None))), None)


KNOWN_TO_KAFKA_PYTHON = [cls for cls in all_messages() if cls.API_KEY is not None and kafka_python_class(cls)]


@pytest.mark.parametrize("cls", KNOWN_TO_KAFKA_PYTHON, ids=lambda cls: cls.__name__)
def test_kafka_python_reads_and_writes_the_same_bytes(cls: type[Message]) -> None:
    judge = kafka_python_class(cls)
    for version in versions_of(cls):
        if version <= judge.max_version:
            message = numbered(cls, version)
            if isinstance(message, ApiVersionsResponse):
                message.error_code = 0  # with an error it is read as version 0
            body = encoded(message, version)
            theirs = judge.decode(body, version=version)
            same(message, theirs, version)
            theirs.with_header()
            assert theirs.encode() == body
            assert decode(cls, version, memoryview(body)) == message


def test_the_judges_know_most_messages() -> None:
    """So that a renamed class of theirs is no silent pass."""
    assert sum(len(list(kio_versions(cls))) for cls in KNOWN_TO_KIO) > 400
    assert len(KNOWN_TO_KAFKA_PYTHON) > 80


KAFKAS_OWN = (Path(__file__).parent / "golden" / "kafka_classes.txt").read_text().splitlines()


@pytest.mark.parametrize("line", KAFKAS_OWN, ids=lambda line: "-".join(line.split()[1:3]))
def test_the_bytes_are_those_of_kafkas_own_classes(line: str) -> None:
    """What neither judge knows: each line was read and written again by the class of that name in that release."""
    _, name, version, expected = line.split()
    cls = next(cls for cls in all_messages() if cls.__name__ == name)
    message = numbered(cls, int(version))
    assert encoded(message, int(version)).hex() == expected
    assert decode(cls, int(version), memoryview(bytes.fromhex(expected))) == message
