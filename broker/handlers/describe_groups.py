"""DescribeGroups, key 15: state, protocol, members and their assignments.  Versions 0 to 6.

1 throttling · 2 clients that are throttled wait · 3 authorized operations (KIP-430) · 4 static members · 5 flexible ·
6 a group that is not there is an error and not the state Dead (KIP-1043).
"""

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.brokers import NOT_ASKED, operations
from broker.handlers.group_calls import Turns, ask_or_raise
from broker.requests.context import Context
from coordinator.groups.effects import Described
from coordinator.groups.events import Describe
from coordinator.groups.rebalance import State
from kproto.errors import ApiError, ErrorCode
from kproto.messages.describe_groups import (
    DescribedGroup,
    DescribedGroupMember,
    DescribeGroupsRequest,
    DescribeGroupsResponse,
)

WITHIN_MS = 30_000


async def describe_groups(request: DescribeGroupsRequest, ctx: Context) -> DescribeGroupsResponse:
    turns, rows = Turns(ctx), []
    for group_id in request.groups:
        rows.append(await row(group_id, request, ctx))
        await turns.next()
    return DescribeGroupsResponse(groups=rows)


async def row(group_id: str, request: DescribeGroupsRequest, ctx: Context) -> DescribedGroup:
    group = Resource.group(group_id)
    try:
        ctx.may(Operation.DESCRIBE, group)
        described = await ask_or_raise(ctx, group_id, Describe(), WITHIN_MS)
    except ApiError as no:
        return DescribedGroup(group_id=group_id, error_code=no.code, error_message=no.message)
    assert isinstance(described, Described)
    answer = row_of(group_id, described)
    if ctx.version >= 6 and described.state == State.DEAD.value:
        answer.error_code = ErrorCode.GROUP_ID_NOT_FOUND
        answer.error_message = f"Group {group_id} not found."
    if request.include_authorized_operations:
        answer.authorized_operations = operations(ctx, group)
    return answer


def row_of(group_id: str, described: Described) -> DescribedGroup:
    return DescribedGroup(
        group_id=group_id,
        group_state=described.state,
        protocol_type=described.protocol_type,
        protocol_data=described.protocol,
        members=[
            DescribedGroupMember(
                member_id=member.member_id,
                group_instance_id=member.instance_id,
                client_id=member.client_id,
                client_host=member.client_host,
                member_metadata=member.metadata,
                member_assignment=member.assignment,
            )
            for member in described.members
        ],
        authorized_operations=NOT_ASKED,
    )


def refused(request: DescribeGroupsRequest, error: ApiError) -> DescribeGroupsResponse:
    """The code in every row: the answer has no field on top."""
    return DescribeGroupsResponse(
        groups=[DescribedGroup(group_id=each, error_code=error.code) for each in request.groups]
    )
