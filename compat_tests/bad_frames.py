"""How many different frames the tests of bad input send: by file, printed at the end of a run, and never too few."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compat_tests.typed_client import TypedClient
from compat_tests.wire import RawClient
from kproto.schema import Message

AT_LEAST = {
    "test_bad_admin_requests": 220,
    "test_bad_counts": 490,
    "test_bad_fields": 4_800,
    "test_bad_fetch": 650,
    "test_bad_frames": 550,
    "test_bad_group_requests": 1_200,
    "test_bad_names": 1_030,
    "test_bad_produce": 1_520,
    "test_bad_requests": 590,
}
"""Different frames of each file in the default dose: a file that sends fewer has lost what it was there for."""
SHORTEST = 8
"""Bytes of a frame with key and version; a piece of one is none."""


def is_whole(config: pytest.Config) -> bool:
    """Whether every test of the default dose was asked for, in the files that were."""
    chosen = config.getoption("keyword") or config.getoption("lf") or any("::" in each for each in config.args)
    return not chosen and config.getoption("markexpr") == "not campaign"


@contextmanager
def noted(frames: set[int]) -> Iterator[None]:
    """Put hashes of the frames that clients of both kinds send meanwhile into `frames`."""
    with pytest.MonkeyPatch.context() as patch:
        send_bytes, send_message = RawClient.send, TypedClient.send

        def send_raw(self: RawClient, data: bytes) -> None:
            if len(data) >= SHORTEST:
                frames.add(hash(data))
            send_bytes(self, data)

        def send_typed(self: TypedClient, question: Message, version: int, *, answered: bool = True) -> None:
            frames.add(hash((repr(question), version)))
            send_message(self, question, version, answered=answered)

        patch.setattr(RawClient, "send", send_raw)
        patch.setattr(TypedClient, "send", send_typed)
        yield
