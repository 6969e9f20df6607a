"""FindCoordinator, key 10: the broker that coordinates a group.  Versions 0 to 6.

1 key types, error messages, throttling · 2 clients that are throttled wait · 3 flexible · 4 several keys (KIP-699) ·
5 TRANSACTION_ABORTABLE may come · 6 share groups (KIP-932).
The first who asks makes `__consumer_offsets`, and hears of its leader in the same answer. Only groups are coordinated
here: transactions and share groups are refused.
"""

from broker.cluster.authorizer import Operation, Resource
from broker.coordinator_runtime.groups import TOPIC
from broker.handlers.group_calls import Turns
from broker.requests.context import Context
from broker.transport.contract import Address
from kproto.errors import ApiError, ErrorCode
from kproto.messages.find_coordinator import Coordinator, FindCoordinatorRequest, FindCoordinatorResponse

GROUP, TRANSACTION = 0, 1
CREATION_MS = 5_000
NOBODY = Address("", -1)


async def find_coordinator(request: FindCoordinatorRequest, ctx: Context) -> FindCoordinatorResponse:
    if ctx.version >= 4:
        turns, rows = Turns(ctx), []
        for key in request.coordinator_keys:
            rows.append(await row(key, request, ctx))
            await turns.next()
        return FindCoordinatorResponse(coordinators=rows)
    node, address = await found(request.key, request.key_type, ctx)
    return FindCoordinatorResponse(node_id=node, host=address.host, port=address.port)


async def row(key: str, request: FindCoordinatorRequest, ctx: Context) -> Coordinator:
    """Each key answers for itself."""
    try:
        node, address = await found(key, request.key_type, ctx)
    except ApiError as no:
        return refused_row(key, no)
    return Coordinator(key=key, node_id=node, host=address.host, port=address.port, error_message=None)


async def found(key: str, key_type: int, ctx: Context) -> tuple[int, Address]:
    """Raises: ApiError: GROUP_AUTHORIZATION_FAILED, INVALID_REQUEST, COORDINATOR_NOT_AVAILABLE: ask again."""
    if key_type == TRANSACTION:
        ctx.may(Operation.DESCRIBE, Resource.transactional_id(key))
    if key_type != GROUP:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Only groups have a coordinator here.")
    ctx.may(Operation.DESCRIBE, Resource.group(key))
    await ensure_topic(ctx)
    image, index = ctx.rooms.image, ctx.rooms.groups.partition_of(key)
    if index is None:
        raise ApiError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    leader = image.brokers.get(image.topics[TOPIC].partitions[index].leader)
    if leader is None:
        raise ApiError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    return leader.id, ctx.endpoint(leader)


async def ensure_topic(ctx: Context) -> None:
    """Raises: ApiError: COORDINATOR_NOT_AVAILABLE, with the reason why the topic could not be made."""
    if TOPIC in ctx.rooms.image.topics:
        return
    job = ctx.rooms.topics.ensure_internal(TOPIC)
    await ctx.pause(job.waiter(), CREATION_MS)
    try:
        job.row(TOPIC)
    except ApiError as no:
        if no.code is not ErrorCode.TOPIC_ALREADY_EXISTS:
            ctx.rooms.groups.cannot_serve(str(no))
            raise ApiError(ErrorCode.COORDINATOR_NOT_AVAILABLE, no.message) from no


def refused_row(key: str, error: ApiError) -> Coordinator:
    return Coordinator(
        key=key,
        node_id=-1,
        host=NOBODY.host,
        port=NOBODY.port,
        error_code=error.code,
        error_message=error.message,
    )


def refused(request: FindCoordinatorRequest, error: ApiError) -> FindCoordinatorResponse:
    """The code on top before version 4, in every row from then on."""
    return FindCoordinatorResponse(
        error_code=error.code,
        error_message=error.message,
        node_id=-1,
        host=NOBODY.host,
        port=NOBODY.port,
        coordinators=[refused_row(key, error) for key in request.coordinator_keys],
    )
