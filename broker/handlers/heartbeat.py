"""Heartbeat, key 12: a member says that it is alive, and hears of a rebalance.  Versions 0 to 4.

1 throttling · 2 clients that are throttled wait · 3 static members · 4 flexible.
"""

from broker.handlers.group_calls import ask_or_raise, must_have_id
from broker.requests.context import Context
from coordinator.groups.events import Heartbeat
from kproto.errors import ApiError, ErrorCode
from kproto.messages.heartbeat import HeartbeatRequest, HeartbeatResponse


async def heartbeat(request: HeartbeatRequest, ctx: Context) -> HeartbeatResponse:
    must_have_id(request.group_id)
    event = Heartbeat(request.member_id, request.generation_id, request.group_instance_id)
    try:
        await ask_or_raise(ctx, request.group_id, event)
    except ApiError as no:
        # Sessions begin anew once the groups are read back; old clients know no such code.
        if no.code is not ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
            raise
    return HeartbeatResponse()


def refused(request: HeartbeatRequest, error: ApiError) -> HeartbeatResponse:
    return HeartbeatResponse(error_code=error.code)
