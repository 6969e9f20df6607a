"""UUIDs as Kafka writes them in text: 22 characters of URL-safe base64 without padding, for topic ids and cluster ids.

Source: org.apache.kafka.common.Uuid.
"""

import base64
import re
from uuid import UUID

_TEXT = re.compile(r"[A-Za-z0-9_-]{22}")


def uuid_text(value: UUID) -> str:
    """The 22 characters of Kafka for this UUID."""
    return base64.urlsafe_b64encode(value.bytes).rstrip(b"=").decode("ascii")


def uuid_from_text(text: str) -> UUID:
    """Read 22 characters of URL-safe base64.

    Raises: ValueError: another length, or characters outside the alphabet.
    """
    if _TEXT.fullmatch(text) is None:
        raise ValueError(f"not an id of 22 characters in URL-safe base64: {text[:80]!r}")
    return UUID(bytes=base64.urlsafe_b64decode(text + "=="))
