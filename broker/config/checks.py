"""Ranges of values: a test and the words that tell an operator what is allowed."""

from collections.abc import Callable
from typing import Any

from kproto.values import frozen


@frozen
class Check:
    """A value passes if `holds(value)`; `allowed` follows "must be" in a message."""

    allowed: str
    holds: Callable[[Any], bool]


def at_least(least: float) -> Check:
    return Check(f"at least {least}", lambda value: value >= least)


def between(least: float, most: float) -> Check:
    return Check(f"from {least} to {most}", lambda value: least <= value <= most)


def between_or(least: float, most: float, other: float) -> Check:
    return Check(f"from {least} to {most}, or {other}", lambda value: least <= value <= most or value == other)


def one_of(*words: str) -> Check:
    return Check("one of " + ", ".join(words), lambda value: value in words)


def one_of_any_case(*words: str) -> Check:
    lowered = {word.lower() for word in words}
    return Check("one of " + ", ".join(words), lambda value: value.lower() in lowered)


def each_of(*words: str) -> Check:
    return Check("a comma separated list of " + ", ".join(words), lambda value: all(item in words for item in value))


def some_of(*words: str) -> Check:
    return Check(
        "a comma separated list of " + ", ".join(words) + " with at least one item",
        lambda value: len(value) > 0 and all(item in words for item in value),
    )


def not_empty() -> Check:
    return Check("not empty", lambda value: len(value) > 0)


def release_name() -> Check:
    """A release as Kafka writes it in `inter.broker.protocol.version`: 0.8.2, 1.0, 2.8-IV1."""

    def holds(value: str) -> bool:
        numbers, _, internal = value.partition("-")
        dotted = numbers.split(".")
        return len(dotted) >= 2 and all(part.isdigit() for part in dotted) and (not internal or internal[:2] == "IV")

    return Check("a release such as 0.8.2, 2.8-IV1 or 3.9", holds)


def address_counts() -> Check:
    """`address:count` pairs, IPv6 addresses with or without brackets."""

    def holds(value: str) -> bool:
        pairs = [entry.strip().rpartition(":") for entry in value.split(",") if entry.strip()]
        return all(host.strip(" []") and count.isascii() and count.isdigit() for host, _, count in pairs)

    return Check("a comma separated list of address:count pairs", holds)


def throttled_replicas() -> Check:
    """`partition:broker` pairs or a star (KIP-73)."""

    def holds(value: tuple[str, ...]) -> bool:
        pairs = [item.split(":") for item in value]
        return value == ("*",) or all(len(pair) == 2 and all(part.isdigit() for part in pair) for pair in pairs)

    return Check("a star or a list of partition:broker pairs", holds)
