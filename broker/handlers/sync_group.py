"""SyncGroup, key 14: the leader brings the assignment, everybody gets its own.  Versions 0 to 5.

1 throttling · 2 clients that are throttled wait · 3 static members · 4 flexible · 5 the protocol's type and name, so
that a client of another generation is found out (KIP-559).
The answer comes once the leader has spoken and its word is safe.
"""

from broker.handlers.group_calls import ask_or_raise, must_be_small, must_have_id
from broker.requests.context import Context
from coordinator.groups.effects import Synced
from coordinator.groups.events import Sync
from kproto.errors import ApiError, ErrorCode
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupResponse


async def sync_group(request: SyncGroupRequest, ctx: Context) -> SyncGroupResponse:
    must_have_id(request.group_id)
    if ctx.version >= 5 and (request.protocol_type is None or request.protocol_name is None):
        raise ApiError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    for row in request.assignments:
        must_be_small(ctx, len(row.assignment))
    synced = await ask_or_raise(ctx, request.group_id, event_of(request))
    assert isinstance(synced, Synced)
    return SyncGroupResponse(
        protocol_type=synced.protocol_type, protocol_name=synced.protocol, assignment=synced.assignment
    )


def event_of(request: SyncGroupRequest) -> Sync:
    return Sync(
        request.member_id,
        request.generation_id,
        {row.member_id: row.assignment for row in request.assignments},
        request.group_instance_id,
        request.protocol_type,
        request.protocol_name,
    )


def refused(request: SyncGroupRequest, error: ApiError) -> SyncGroupResponse:
    """Old clients do not know that a coordinator may be loading: to them it is a rebalance, and they join again."""
    if error.code is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
        return SyncGroupResponse(error_code=ErrorCode.REBALANCE_IN_PROGRESS)
    return SyncGroupResponse(error_code=error.code)
