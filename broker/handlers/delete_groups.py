"""DeleteGroups, key 42: groups without members, and their offsets.  Versions 0 to 3.

1 clients that are throttled wait · 2 flexible · 3 error messages.
"""

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.group_calls import Turns, ask_or_raise
from broker.requests.context import Context
from coordinator.groups.events import Delete
from kproto.errors import ApiError
from kproto.messages.delete_groups import DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse


async def delete_groups(request: DeleteGroupsRequest, ctx: Context) -> DeleteGroupsResponse:
    """Each group answers for itself, once however often it is named."""
    turns, rows = Turns(ctx), []
    for group_id in dict.fromkeys(request.groups_names):
        rows.append(await row(group_id, ctx))
        await turns.next()
    return DeleteGroupsResponse(results=rows)


async def row(group_id: str, ctx: Context) -> DeletableGroupResult:
    try:
        ctx.may(Operation.DELETE, Resource.group(group_id))
        await ask_or_raise(ctx, group_id, Delete(), ctx.rooms.settings.offsets_commit_timeout_ms)
    except ApiError as no:
        return DeletableGroupResult(group_id=group_id, error_code=no.code, error_message=no.message)
    return DeletableGroupResult(group_id=group_id)


def refused(request: DeleteGroupsRequest, error: ApiError) -> DeleteGroupsResponse:
    """The code in every row: the answer has no field on top."""
    names = dict.fromkeys(request.groups_names)
    return DeleteGroupsResponse(results=[DeletableGroupResult(group_id=name, error_code=error.code) for name in names])
