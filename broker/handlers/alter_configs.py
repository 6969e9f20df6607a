"""AlterConfigs, key 33: all overrides of a resource at once; what is not named is gone.  Versions 0 to 2.

1 throttled clients wait · 2 flexible. Topics, this broker, all brokers (empty name); log levels only by
IncrementalAlterConfigs, which clients of Kafka 2.3 and later ask instead.
"""

from broker.handlers.config_edits import Wish, altered
from broker.requests.context import Context
from kproto.errors import ApiError
from kproto.messages.alter_configs import (
    AlterConfigsRequest,
    AlterConfigsResource,
    AlterConfigsResourceResponse,
    AlterConfigsResponse,
)


async def alter_configs(request: AlterConfigsRequest, ctx: Context) -> AlterConfigsResponse:
    """Each resource answers for itself."""
    wishes = [wish_of(resource) for resource in request.resources]
    refusals = await altered(wishes, ctx, validate_only=request.validate_only)
    rows = [row_of(resource, no) for resource, no in zip(request.resources, refusals, strict=True)]
    return AlterConfigsResponse(responses=rows)


def wish_of(resource: AlterConfigsResource) -> Wish:
    configs = resource.configs
    return Wish(
        resource,
        names=[each.name for each in configs],
        nulls=[each.name for each in configs if each.value is None],
        edit=lambda old, options: {each.name: each.value or "" for each in configs},
    )


def row_of(resource: AlterConfigsResource, no: ApiError | None) -> AlterConfigsResourceResponse:
    row = AlterConfigsResourceResponse(
        error_message=None, resource_type=resource.resource_type, resource_name=resource.resource_name
    )
    if no is not None:
        row.error_code, row.error_message = no.code, no.message
    return row


def refused(request: AlterConfigsRequest, error: ApiError) -> AlterConfigsResponse:
    """The code in every row: the answer has no field on top."""
    return AlterConfigsResponse(responses=[row_of(resource, error) for resource in request.resources])
