"""What consumers of older versions of Fetch can read, and how they are told what they cannot."""

from typing import Protocol

from kproto.errors import ApiError, ErrorCode

MAGIC_1_SINCE, BATCHES_SINCE, ZSTD_SINCE = 2, 4, 10


class TopicFormat(Protocol):
    @property
    def compression_type(self) -> str: ...
    @property
    def message_downconversion_enable(self) -> bool: ...


def magic_of(version: int) -> int:
    """The newest format of messages that this version knows, before batches."""
    return 1 if version >= MAGIC_1_SINCE else 0


def must_be_readable(topic: TopicFormat, version: int) -> None:
    """Raises: ApiError: UNSUPPORTED_COMPRESSION_TYPE: a topic of zstd (KIP-110); UNSUPPORTED_VERSION: batches of a
    topic that rewrites them for nobody (KIP-283)."""
    if topic.compression_type == "zstd":
        raise ApiError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    if version < BATCHES_SINCE and not topic.message_downconversion_enable:
        raise ApiError(ErrorCode.UNSUPPORTED_VERSION)
