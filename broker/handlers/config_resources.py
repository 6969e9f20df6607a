"""What has options: the resources that DescribeConfigs, AlterConfigs and IncrementalAlterConfigs speak of."""

from enum import IntEnum

from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode


class ConfigResource(IntEnum):
    """Source: ConfigResource.java."""

    TOPIC = 2
    BROKER = 4
    BROKER_LOGGER = 8


def must_be_this_broker(name: str, ctx: Context) -> None:
    """A broker speaks for itself alone. Raises: ApiError: INVALID_REQUEST."""
    if not name:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Broker id must not be empty")
    try:
        number = int(name)
    except ValueError:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"Broker id must be an integer, but it is: {name}") from None
    if number != ctx.rooms.broker_id:
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"Unexpected broker id, expected {ctx.rooms.broker_id} or empty string, but received {name}",
        )
