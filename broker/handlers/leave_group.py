"""LeaveGroup, key 13: members go, by themselves or by an administrator's hand.  Versions 0 to 5.

1 throttling · 2 clients that are throttled wait · 3 several members, static ones by instance id alone (KIP-345) ·
4 flexible · 5 a reason (KIP-800).
"""

import logging

from broker.handlers.group_calls import ask_or_raise, must_have_id
from broker.requests.context import Context
from coordinator.groups.effects import Left
from coordinator.groups.events import Leave, Leaver
from kproto.errors import ApiError
from kproto.messages.leave_group import LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse

log = logging.getLogger("barnabas.groups")


async def leave_group(request: LeaveGroupRequest, ctx: Context) -> LeaveGroupResponse:
    must_have_id(request.group_id)
    members = request.members if ctx.version >= 3 else [MemberIdentity(member_id=request.member_id)]
    for member in members:
        if member.reason:
            log.debug("%s leaves %s: %s", member.member_id, request.group_id, member.reason)
    event = Leave([Leaver(member.member_id, member.group_instance_id) for member in members])
    left = await ask_or_raise(ctx, request.group_id, event)
    assert isinstance(left, Left)
    if ctx.version < 3:
        return LeaveGroupResponse(error_code=left.codes[0])
    return LeaveGroupResponse(
        members=[
            MemberResponse(member_id=member.member_id, group_instance_id=member.group_instance_id, error_code=code)
            for member, code in zip(members, left.codes, strict=True)
        ]
    )


def refused(request: LeaveGroupRequest, error: ApiError) -> LeaveGroupResponse:
    return LeaveGroupResponse(error_code=error.code)
