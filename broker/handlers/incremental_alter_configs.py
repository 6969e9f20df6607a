"""IncrementalAlterConfigs, key 44: set, delete, append to or subtract from single options.  Versions 0 to 1.

1 flexible. Topics, this broker, all brokers (empty name), and this broker's log levels (KIP-339, KIP-412). What is not
named stays as it is.
"""

from collections.abc import Sequence

from broker.handlers.config_edits import Edit, EditOperation, Wish, altered, edited
from broker.handlers.log_levels import check_levels, set_levels
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.incremental_alter_configs import (
    AlterConfigsResource,
    AlterConfigsResourceResponse,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)

KNOWN_OPERATIONS = {int(operation) for operation in EditOperation}


async def incremental_alter_configs(
    request: IncrementalAlterConfigsRequest, ctx: Context
) -> IncrementalAlterConfigsResponse:
    """Each resource answers for itself, all of its options together."""
    wishes = [wish_of(resource) for resource in request.resources]
    refusals = await altered(wishes, ctx, validate_only=request.validate_only)
    rows = [row_of(resource, no) for resource, no in zip(request.resources, refusals, strict=True)]
    return IncrementalAlterConfigsResponse(responses=rows)


def wish_of(resource: AlterConfigsResource) -> Wish:
    configs = resource.configs
    return Wish(
        resource,
        names=[each.name for each in configs],
        nulls=[each.name for each in configs if each.value is None and each.config_operation != EditOperation.DELETE],
        edit=lambda old, options: edited(old, edits_of(resource), options),
        levels=lambda validate_only: change_levels(edits_of(resource), validate_only=validate_only),
    )


def edits_of(resource: AlterConfigsResource) -> list[Edit]:
    """Raises: ApiError: INVALID_REQUEST: an operation that there is not."""
    for each in resource.configs:
        if each.config_operation not in KNOWN_OPERATIONS:
            raise ApiError(ErrorCode.INVALID_REQUEST, f"Unknown operation on {each.name}: {each.config_operation}")
    return [Edit(each.name, EditOperation(each.config_operation), each.value or "") for each in resource.configs]


def change_levels(edits: Sequence[Edit], *, validate_only: bool) -> None:
    """Raises: ApiError."""
    check_levels(edits)
    if not validate_only:
        set_levels(edits)


def row_of(resource: AlterConfigsResource, no: ApiError | None) -> AlterConfigsResourceResponse:
    row = AlterConfigsResourceResponse(
        error_message=None, resource_type=resource.resource_type, resource_name=resource.resource_name
    )
    if no is not None:
        row.error_code, row.error_message = no.code, no.message
    return row


def refused(request: IncrementalAlterConfigsRequest, error: ApiError) -> IncrementalAlterConfigsResponse:
    """The code in every row: the answer has no field on top."""
    return IncrementalAlterConfigsResponse(responses=[row_of(resource, error) for resource in request.resources])
