"""ListGroups, key 16: the groups that this broker coordinates.  Versions 0 to 5.

1 throttling · 2 clients that are throttled wait · 3 flexible · 4 states, asked for and told (KIP-518) · 5 types, asked
for and told (KIP-848): all groups here are classic ones.
Who may describe the cluster sees every group, others those that they may describe.
"""

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.group_calls import Turns
from broker.requests.context import Context
from coordinator.groups.classic import ClassicGroup
from kproto.errors import ApiError
from kproto.messages.list_groups import ListedGroup, ListGroupsRequest, ListGroupsResponse

CLASSIC = "classic"


async def list_groups(request: ListGroupsRequest, ctx: Context) -> ListGroupsResponse:
    states = {state.lower() for state in request.states_filter}
    types = {each.lower() for each in request.types_filter}
    if types and CLASSIC not in types:
        return ListGroupsResponse()
    all_allowed = ctx.allowed(Operation.DESCRIBE, Resource.cluster())
    turns, rows = Turns(ctx), []
    for group in ctx.rooms.groups.every():
        wanted = not states or group.state.value.lower() in states
        if wanted and (all_allowed or ctx.allowed(Operation.DESCRIBE, Resource.group(group.group_id))):
            rows.append(row(group))
        await turns.next()
    return ListGroupsResponse(groups=rows)


def row(group: ClassicGroup) -> ListedGroup:
    return ListedGroup(
        group_id=group.group_id,
        protocol_type=group.protocol_type,
        group_state=group.state.value,
        group_type=CLASSIC,
    )


def refused(request: ListGroupsRequest, error: ApiError) -> ListGroupsResponse:
    return ListGroupsResponse(error_code=error.code)
