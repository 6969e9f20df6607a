"""`barnabas consume`: records of a topic on the standard output."""

import base64
import json
import sys
from typing import Any

import click

from tools.client import Cluster, cluster_options, told

LOOK_MS = 200
"""Between two looks whether the end is reached."""
POLL_MS = 5_000
"""Of a member that may be told its partitions: kafka-python 3.0 may forget them when that falls between two polls."""
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\"}


@click.command()
@click.argument("topic")
@click.option("-n", "--count", type=click.IntRange(1), help="Stop after so many records.")
@click.option("-e", "--exit-at-end", is_flag=True, help="Stop at the end that the topic has now.")
@click.option("-g", "--group", help="Share the topic with the members of this group, from its committed offsets on.")
@click.option(
    "--from-beginning/--from-end",
    default=True,
    show_default=True,
    help="Where to begin if there is no committed offset.",
)
@click.option(
    "-f",
    "--format",
    "shape",
    metavar="FORMAT",
    help="%t topic %p partition %o offset %k key %s value %T time %h headers.",
)
@click.option("--output", type=click.Choice(["value", "json"]), default="value", show_default=True)
@click.option("--read-committed", is_flag=True, help="Leave out records of open and aborted transactions.")
@cluster_options("--consumer.config")
def consume(
    topic: str,
    count: int | None,
    exit_at_end: bool,
    group: str | None,
    from_beginning: bool,
    shape: str | None,
    output: str,
    read_committed: bool,
    cluster: Cluster,
) -> None:
    """Print the values of TOPIC's records, one per line, from the first one on; Ctrl-C ends."""
    write = print_json if output == "json" else printer(shape or "%s\\n")
    with told(cluster):
        from kafka import KafkaConsumer

        consumer = KafkaConsumer(
            topic,
            **cluster.options(),
            group_id=group,
            auto_offset_reset="earliest" if from_beginning else "latest",
            isolation_level="read_committed" if read_committed else "read_uncommitted",
        )
        try:
            print_records(consumer, count, exit_at_end, write)
        finally:
            consumer.close()


def print_records(consumer: Any, count: int | None, exit_at_end: bool, write: Any) -> None:
    """Until so many records, the end, or an interruption; never takes more from a group than it prints."""
    left = count
    ends: dict[Any, int] = {}
    while left is None or left > 0:
        wait_ms = LOOK_MS if exit_at_end and consumer.assignment() else POLL_MS
        for records in consumer.poll(timeout_ms=wait_ms, max_records=left).values():
            for record in records:
                write(record)
            left = None if left is None else left - len(records)
        sys.stdout.flush()
        if exit_at_end and consumer.assignment():
            ends = ends or consumer.end_offsets(list(consumer.assignment()))
            if all(consumer.position(partition) >= end for partition, end in ends.items()):
                return


def printer(shape: str) -> Any:
    """A writer of records in a format of ours: `%` letters as kcat has them, and backslash escapes."""
    parts = parse_format(shape)

    def write(record: Any) -> None:
        sys.stdout.buffer.write(b"".join(part if isinstance(part, bytes) else part(record) for part in parts))

    return write


FIELDS = {
    "t": lambda record: record.topic.encode(),
    "p": lambda record: b"%d" % record.partition,
    "o": lambda record: b"%d" % record.offset,
    "k": lambda record: record.key or b"",
    "s": lambda record: record.value or b"",
    "T": lambda record: b"%d" % record.timestamp,
    "h": lambda record: b",".join(name.encode() + b"=" + (value or b"") for name, value in record.headers),
    "%": lambda record: b"%",
}


def parse_format(shape: str) -> list[Any]:
    """Literal bytes, and functions of a record. Raises UsageError: a letter that we do not know."""
    parts: list[Any] = []
    letters = iter(shape)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "\\")
            parts.append(ESCAPES.get(escaped, "\\" + escaped).encode())
        elif letter == "%":
            name = next(letters, "")
            if name not in FIELDS:
                raise click.UsageError(f"--format has %{name}; known are {' '.join('%' + each for each in FIELDS)}.")
            parts.append(FIELDS[name])
        else:
            parts.append(letter.encode())
    return parts


def print_json(record: Any) -> None:
    """One object per line; what is not UTF-8 stands as base64 under a name that says so."""
    row = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        **text_or_base64("key", record.key),
        **text_or_base64("value", record.value),
        "headers": [{"name": name, **text_or_base64("value", value)} for name, value in record.headers],
    }
    sys.stdout.buffer.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def text_or_base64(name: str, data: bytes | None) -> dict[str, str | None]:
    try:
        return {name: None if data is None else data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data or b"").decode()}
