"""JoinGroup, key 11: be a member of the next generation.  Versions 0 to 9.

1 a rebalance timeout of its own (before: the session timeout) · 2 throttling · 3 clients that are throttled wait ·
4 a newcomer gets its id first, with MEMBER_ID_REQUIRED (KIP-394) · 5 static members (KIP-345) · 6 flexible ·
7 the protocol's type and name are told, or null · 8 a reason (KIP-800) · 9 a static leader need not assign (KIP-814).
The answer comes once everybody has joined or the time is up.
"""

import logging

from broker.handlers.group_calls import ask, must_be_short, must_be_small, must_have_id
from broker.requests.context import Context
from coordinator.groups.effects import Joined, Refused
from coordinator.groups.events import Join
from kproto.errors import ApiError, ErrorCode
from kproto.messages.join_group import JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember

log = logging.getLogger("barnabas.groups")

PROTOCOL_BYTES = 100
"""What a protocol costs in memory beside its name and metadata."""


async def join_group(request: JoinGroupRequest, ctx: Context) -> JoinGroupResponse:
    must_have_id(request.group_id)
    settings = ctx.rooms.settings
    if not settings.group_min_session_timeout_ms <= request.session_timeout_ms <= settings.group_max_session_timeout_ms:
        raise ApiError(ErrorCode.INVALID_SESSION_TIMEOUT)
    must_be_short(request.group_instance_id, request.protocol_type, *(each.name for each in request.protocols))
    must_be_small(ctx, sum(len(each.metadata) + len(each.name) + PROTOCOL_BYTES for each in request.protocols))
    if request.reason:
        log.debug("%s joins %s: %s", request.member_id or ctx.client_id, request.group_id, request.reason)
    match await ask(ctx, request.group_id, event_of(request, ctx)):
        case Joined() as joined:
            return response_of(joined)
        case Refused(code, member_id):
            return JoinGroupResponse(error_code=code, member_id=member_id or request.member_id)
        case other:
            raise AssertionError(other)


def event_of(request: JoinGroupRequest, ctx: Context) -> Join:
    return Join(
        request.member_id,
        tuple((protocol.name, protocol.metadata) for protocol in request.protocols),
        request.protocol_type,
        request.group_instance_id,
        request.session_timeout_ms,
        request.rebalance_timeout_ms if ctx.version >= 1 else request.session_timeout_ms,
        client_id=ctx.client_id,
        client_host=f"/{ctx.connection.peer.host}",  # as Java writes an address, and tools expect it
        fresh_id=ctx.rooms.groups.fresh_member_id(request.group_instance_id or ctx.client_id),
        needs_known_id=ctx.version >= 4,
        may_skip=ctx.version >= 9,
    )


def response_of(joined: Joined) -> JoinGroupResponse:
    return JoinGroupResponse(
        generation_id=joined.generation,
        protocol_type=joined.protocol_type,
        protocol_name=joined.protocol,
        leader=joined.leader,
        skip_assignment=joined.skip_assignment,
        member_id=joined.member_id,
        members=[
            JoinGroupResponseMember(
                member_id=member.member_id, group_instance_id=member.instance_id, metadata=member.metadata
            )
            for member in joined.members
        ],
    )


def refused(request: JoinGroupRequest, error: ApiError) -> JoinGroupResponse:
    return JoinGroupResponse(error_code=error.code, member_id=request.member_id)
