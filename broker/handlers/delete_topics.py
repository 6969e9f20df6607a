"""DeleteTopics, key 20.  Versions 0 to 6.

1 throttling · 3 TOPIC_DELETION_DISABLED, INVALID_REQUEST before · 4 flexible · 5 error messages · 6 by name or by id
(KIP-516).
Each topic answers for itself; the answer waits until the topics are gone.
"""

from dataclasses import dataclass
from uuid import UUID

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.topics import limit_ms
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.delete_topics import (
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    DeleteTopicState,
)
from kproto.schema import ZERO_UUID


@dataclass(slots=True)
class Wish:
    """One topic to be deleted. `shown`: its name as this client may hear it."""

    name: str
    id: UUID
    shown: str | None


async def delete_topics(request: DeleteTopicsRequest, ctx: Context) -> DeleteTopicsResponse:
    ctx.rooms.topics.must_be_controller()
    asked = states(request)
    if not ctx.rooms.settings.delete_topic_enable:
        raise ApiError(ErrorCode.TOPIC_DELETION_DISABLED if ctx.version >= 3 else ErrorCode.INVALID_REQUEST)
    if any(state.name is not None and state.topic_id != ZERO_UUID for state in asked):
        raise ApiError(ErrorCode.INVALID_REQUEST, "Topic name and topic id can not both be specified.")
    rows: list[DeletableTopicResult] = []
    wishes: dict[str, Wish] = {}
    for state in asked:
        try:
            wish = wish_of(state, ctx)
            wishes[wish.name] = wish
        except ApiError as no:
            rows.append(refused_row(state, no))
    job = ctx.rooms.topics.delete(list(wishes), timeout_ms=request.timeout_ms)
    await ctx.pause(job.waiter(), limit_ms(request.timeout_ms))
    for wish in wishes.values():
        try:
            job.row(wish.name)
            rows.append(DeletableTopicResult(name=wish.shown, topic_id=wish.id))
        except ApiError as no:
            rows.append(refused_row(DeleteTopicState(name=wish.shown, topic_id=wish.id), no))
    return DeleteTopicsResponse(responses=rows)


def states(request: DeleteTopicsRequest) -> list[DeleteTopicState]:
    """What is asked for, in the shape of version 6; each once."""
    names = dict.fromkeys(request.topic_names)
    every = [*request.topics, *(DeleteTopicState(name=name) for name in names)]
    return list({(state.name, state.topic_id): state for state in every}.values())


def wish_of(state: DeleteTopicState, ctx: Context) -> Wish:
    """Raises: ApiError: TOPIC_AUTHORIZATION_FAILED, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID."""
    image = ctx.rooms.image
    if state.name is not None:
        ctx.may(Operation.DELETE, Resource.topic(state.name))
        topic = image.topics.get(state.name)
        # The image may be a moment behind; whether the topic is there is for the registry to say.
        return Wish(state.name, ZERO_UUID if topic is None else topic.id, state.name)
    topic = image.topics_by_id.get(state.topic_id)
    if topic is None:
        raise ApiError(ErrorCode.UNKNOWN_TOPIC_ID)
    ctx.may(Operation.DELETE, Resource.topic(topic.name))
    may_see = ctx.allowed(Operation.DESCRIBE, Resource.topic(topic.name))
    return Wish(topic.name, topic.id, topic.name if may_see else None)


def refused_row(state: DeleteTopicState, error: ApiError) -> DeletableTopicResult:
    return DeletableTopicResult(
        name=state.name, topic_id=state.topic_id, error_code=error.code, error_message=error.message
    )


def refused(request: DeleteTopicsRequest, error: ApiError) -> DeleteTopicsResponse:
    """The code in every row: the answer has no field on top."""
    return DeleteTopicsResponse(responses=[refused_row(state, error) for state in states(request)])
