"""`barnabas produce`: lines or arguments become records."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from broker.config.problems import OperatorError
from tools.client import Cluster, cluster_options, told

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@click.command()
@click.argument("topic")
@click.argument("values", nargs=-1)
@click.option("-K", "--key-separator", metavar="TEXT", help="What stands before it is the key.")
@click.option("-p", "--partition", type=click.IntRange(0), help="Default: by key, or the producer's choice.")
@click.option("-H", "--header", "headers", metavar="NAME=VALUE", multiple=True, help="A header of every record.")
@click.option("-z", "--compression", type=click.Choice(CODECS), default="none", show_default=True)
@click.option("--acks", type=click.Choice(["0", "1", "all"]), default="all", show_default=True)
@cluster_options("--producer.config")
def produce(
    topic: str,
    values: Sequence[str],
    key_separator: str | None,
    partition: int | None,
    headers: Sequence[str],
    compression: str,
    acks: str,
    cluster: Cluster,
) -> None:
    """Send VALUES to TOPIC, or each line of the standard input. Returns when the broker has them all."""
    if not values and sys.stdin.isatty():
        click.echo("One record per line; Ctrl-D ends.", err=True)
    lines: Iterable[bytes] = (value.encode() for value in values) if values else stdin_lines()
    named = header_pairs(headers)
    with told(cluster):
        from kafka import KafkaProducer

        producer = KafkaProducer(
            **cluster.options(),
            acks=acks if acks == "all" else int(acks),
            enable_idempotence=acks == "all",
            compression_type=None if compression == "none" else compression,
            linger_ms=5,
        )
        try:
            send_all(producer, topic, split_keys(lines, key_separator), partition, named)
        finally:
            producer.close()


def stdin_lines() -> Iterator[bytes]:
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").removesuffix(b"\r")


def split_keys(lines: Iterable[bytes], separator: str | None) -> Iterator[tuple[bytes | None, bytes]]:
    """Key and value of each line. Raises OperatorError: a line has no separator."""
    for number, line in enumerate(lines, 1):
        if separator is None:
            yield None, line
            continue
        key, found, value = line.partition(separator.encode())
        if not found:
            raise OperatorError(
                f"No key in line {number}.",
                f"It has no {separator!r}.",
                "Correct the line, or leave --key-separator out.",
            )
        yield key, value


def header_pairs(texts: Sequence[str]) -> list[tuple[str, bytes]]:
    """`name=value` options. Raises UsageError."""
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"--header {text}: it is written NAME=VALUE.")
    return [(name, value.encode()) for name, _, value in (text.partition("=") for text in texts)]


def send_all(
    producer: Any,
    topic: str,
    records: Iterable[tuple[bytes | None, bytes]],
    partition: int | None,
    headers: list[tuple[str, bytes]],
) -> None:
    """Send, wait for every acknowledgement. Raises: the first failure."""
    failures: list[BaseException] = []
    for key, value in records:
        sent = producer.send(topic, value=value, key=key, partition=partition, headers=headers)
        sent.add_errback(failures.append)
        if failures:
            break
    producer.flush()
    if failures:
        raise failures[0]
