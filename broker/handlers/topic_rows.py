"""Name or id, once: the topic that a row speaks of, and whether this client may.

`operation` None: the caller has asked for a right that is enough for every topic.
"""

from uuid import UUID

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.image import TopicImage
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode

BY_ID_SINCE = 13
"""Version of Produce, and of Fetch, from which on a row names its topic by id alone.  Source: KIP-516."""


def topic_by_name(ctx: Context, operation: Operation | None, name: str) -> TopicImage:
    """Raises: ApiError: TOPIC_AUTHORIZATION_FAILED (asked first, so names do not leak), UNKNOWN_TOPIC_OR_PARTITION."""
    if operation is not None:
        ctx.may(operation, Resource.topic(name))
    topic = ctx.rooms.image.topics.get(name)
    if topic is None:
        raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return topic


def topic_by_id(ctx: Context, operation: Operation | None, topic_id: UUID) -> TopicImage:
    """Raises: ApiError: UNKNOWN_TOPIC_ID, TOPIC_AUTHORIZATION_FAILED."""
    topic = ctx.rooms.image.topics_by_id.get(topic_id)
    if topic is None:
        raise ApiError(ErrorCode.UNKNOWN_TOPIC_ID)
    if operation is not None:
        ctx.may(operation, Resource.topic(topic.name))
    return topic


def topic_of(ctx: Context, operation: Operation | None, name: str, topic_id: UUID) -> TopicImage:
    """Of a row of Produce or Fetch, by what its version names. Raises: ApiError, as the one or the other."""
    if ctx.version >= BY_ID_SINCE:
        return topic_by_id(ctx, operation, topic_id)
    return topic_by_name(ctx, operation, name)
