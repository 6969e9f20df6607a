"""What has options: the resources that DescribeConfigs, AlterConfigs and IncrementalAlterConfigs speak of."""

from enum import IntEnum

from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode


class ConfigResource(IntEnum):
    """Source: ConfigResource.java."""

    TOPIC = 2
    BROKER = 4
    BROKER_LOGGER = 8


def must_be_this_broker(name: str, ctx: Context, *, or_all: bool = False) -> None:
    """A broker speaks for itself alone; `or_all`: the words also name the other way, an empty name.

    Raises: ApiError: INVALID_REQUEST.
    """
    try:
        number = int(name) if name.isascii() else None
    except ValueError:
        number = None
    if number is None:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"Broker id must be an integer, but it is: {name}")
    if number != ctx.rooms.broker_id:
        expected = f"{ctx.rooms.broker_id} or empty string," if or_all else f"{ctx.rooms.broker_id}"
        raise ApiError(ErrorCode.INVALID_REQUEST, f"Unexpected broker id, expected {expected} but received {name}")
