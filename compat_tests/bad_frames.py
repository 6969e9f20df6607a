"""How many different frames the tests of bad input send: added up and printed at the end of a run, by file."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compat_tests.typed_client import TypedClient
from compat_tests.wire import RawClient
from kproto.schema import Message

SHORTEST = 8
"""Bytes of a frame with key and version; a piece of one is none."""


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
