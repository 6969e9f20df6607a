"""DescribeConfigs, key 32: options of topics and of this broker, with their values.  Versions 0 to 4.

1 where a value comes from, and its synonyms (before that only whether it is the default) · 3 type and documentation
(KIP-569) · 4 flexible.
"""

from collections.abc import Iterable

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.topic_rules import check_name
from broker.config.describe import Entry, Source, describe_broker, describe_cluster_defaults, describe_topic
from broker.handlers.config_resources import ConfigResource, must_be_this_broker
from broker.handlers.log_levels import logger_entries
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.describe_configs import (
    DescribeConfigsRequest,
    DescribeConfigsResource,
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)


async def describe_configs(request: DescribeConfigsRequest, ctx: Context) -> DescribeConfigsResponse:
    """Each resource answers for itself."""
    return DescribeConfigsResponse(results=[result_of(resource, request, ctx) for resource in request.resources])


def result_of(
    resource: DescribeConfigsResource, request: DescribeConfigsRequest, ctx: Context
) -> DescribeConfigsResult:
    try:
        wanted = resource.configuration_keys
        configs = [
            row_of(entry, request, ctx.version)
            for entry in entries_of(resource, ctx)
            if not wanted or entry.name in wanted
        ]
    except ApiError as no:
        return refusal_of(resource, no)
    return DescribeConfigsResult(
        resource_type=resource.resource_type, resource_name=resource.resource_name, configs=configs
    )


def entries_of(resource: DescribeConfigsResource, ctx: Context) -> Iterable[Entry]:
    """Options of a resource.

    Raises: ApiError: not allowed, no such topic, no name of a topic, another broker's number, a type of
    which we know nothing.
    """
    name = resource.resource_name
    match resource.resource_type:
        case ConfigResource.TOPIC:
            return topic_entries(name, ctx)
        case ConfigResource.BROKER:
            ctx.may(Operation.DESCRIBE_CONFIGS, Resource.cluster())
            if not name:
                return describe_cluster_defaults(ctx.rooms.configs.layers)
            must_be_this_broker(name, ctx, or_all=True)
            return describe_broker(ctx.rooms.configs.layers)
        case ConfigResource.BROKER_LOGGER:
            ctx.may(Operation.DESCRIBE_CONFIGS, Resource.cluster())
            if not name:
                raise ApiError(ErrorCode.INVALID_REQUEST, "Broker id must not be empty")
            must_be_this_broker(name, ctx)
            return logger_entries()
        case other:
            raise ApiError(ErrorCode.INVALID_REQUEST, f"Unsupported resource type: {other}")


def topic_entries(name: str, ctx: Context) -> Iterable[Entry]:
    ctx.may(Operation.DESCRIBE_CONFIGS, Resource.topic(name))
    check_name(name)
    if name not in ctx.rooms.image.topics:
        raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    layers = ctx.rooms.configs.layers
    return describe_topic(layers, layers.settings.topic(ctx.rooms.configs.topic_overrides(name)))


def row_of(entry: Entry, request: DescribeConfigsRequest, version: int) -> DescribeConfigsResourceResult:
    synonyms = entry.synonyms if request.include_synonyms else []
    row = DescribeConfigsResourceResult(
        name=entry.name,
        value=entry.value,
        read_only=entry.read_only,
        is_sensitive=entry.secret,
        config_source=entry.source,
        synonyms=[DescribeConfigsSynonym(name=each.name, value=each.value, source=each.source) for each in synonyms],
        config_type=entry.wire_code,
        documentation=entry.doc if request.include_documentation else None,
    )
    if version == 0:
        row.is_default = entry.source is Source.DEFAULT
    return row


def refusal_of(resource: DescribeConfigsResource, no: ApiError) -> DescribeConfigsResult:
    return DescribeConfigsResult(
        error_code=no.code,
        error_message=no.message,
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
    )


def refused(request: DescribeConfigsRequest, error: ApiError) -> DescribeConfigsResponse:
    """The code in every row: the answer has no field on top."""
    return DescribeConfigsResponse(results=[refusal_of(resource, error) for resource in request.resources])
