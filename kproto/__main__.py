"""`python -m kproto show Heartbeat 4`: the Python that the codec writes for a message at a version."""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from kproto.api_keys import ApiKey, request_class, response_class
from kproto.codec_reader import Reader
from kproto.codec_writer import Writer
from kproto.schema import Message

BESIDE_THE_APIS = (
    "consumer_group_records",
    "consumer_protocol",
    "control_records",
    "internal_topics",
    "log_files",
    "principal",
    "share_group_records",
    "share_state_records",
    "streams_group_records",
)
"""Message files that belong to no API."""


class Unknown(Exception):
    """No such message, or no such version; says what there is."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m kproto", description="Kafka's protocol, shown.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="print the generated reader and writer of a message")
    show.add_argument("name", help="an API (Heartbeat), one of its messages (HeartbeatRequest), or a record's class")
    show.add_argument("version", type=int, nargs="?", help="the newest if not given")
    chosen = parser.parse_args(arguments)
    try:
        print(texts(chosen.name, chosen.version))
        sys.stdout.flush()
    except Unknown as wrong:
        print(f"kproto: {wrong}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def texts(name: str, version: int | None) -> str:
    """The generated text of all that `name` means. Raises: Unknown."""
    shown = []
    for cls in classes(name):
        lowest, highest = cls.VERSIONS
        at = highest if version is None else version
        if not lowest <= at <= highest:
            raise Unknown(f"{cls.__name__} has versions {lowest} to {highest}, not {at}")
        shown += [f"# {cls.__name__} v{at}\n{text.source}" for text in (Reader(cls, at), Writer(cls, at))]
    return "\n\n".join(shown)


def classes(name: str) -> list[type[Message]]:
    """Request and response of an API, or the one class of that name. Raises: Unknown."""
    for key in ApiKey:
        both = [request_class, response_class]
        named = [key.kafka_name + "Request", key.kafka_name + "Response"]
        if name == key.kafka_name:
            return [find(key) for find in both]
        if name in named:
            return [both[named.index(name)](key)]
    others = records()
    if name in others:
        return [others[name]]
    close = difflib.get_close_matches(name, [key.kafka_name for key in ApiKey] + list(others), n=3)
    raise Unknown(f"no message is called {name!r}" + (f"; did you mean {' or '.join(close)}?" if close else ""))


def records() -> dict[str, type[Message]]:
    """The messages that are neither a request nor a response, by name."""
    found = {}
    for file_name in BESIDE_THE_APIS:
        for value in vars(importlib.import_module(f"kproto.messages.{file_name}")).values():
            if isinstance(value, type) and issubclass(value, Message) and value is not Message:
                found[value.__name__] = value
    return found


if __name__ == "__main__":
    sys.exit(main())
