"""DescribeConfigs, key 32: options of topics and of this broker, with their values.  Versions 0 to 4.

1 where a value comes from, and its synonyms (before that only whether it is the default) · 3 type and documentation
(KIP-569) · 4 flexible.
"""

import logging
from collections.abc import Iterable
from enum import IntEnum

from broker.cluster.authorizer import Operation, Resource
from broker.config.describe import Entry, Source, describe_broker, describe_topic
from broker.config.kinds import STRING
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


class ConfigResource(IntEnum):
    """What has options.  Source: ConfigResource.java."""

    TOPIC = 2
    BROKER = 4
    BROKER_LOGGER = 8


LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL", "NOTSET": "TRACE"}
"""Names of log levels where Java has others."""


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
    """Raises: ApiError: not allowed, no such topic, another broker's number, a type of which we know nothing."""
    name = resource.resource_name
    match resource.resource_type:
        case ConfigResource.TOPIC:
            return topic_entries(name, ctx)
        case ConfigResource.BROKER:
            ctx.may(Operation.DESCRIBE_CONFIGS, Resource.cluster())
            if not name:
                return ()  # what AlterConfigs would have set for the whole cluster
            must_be_this_broker(name, ctx)
            return describe_broker(ctx.rooms.settings)
        case ConfigResource.BROKER_LOGGER:
            ctx.may(Operation.DESCRIBE_CONFIGS, Resource.cluster())
            must_be_this_broker(name, ctx)
            return logger_entries()
        case other:
            raise ApiError(ErrorCode.INVALID_REQUEST, f"Unsupported resource type: {other}")


def topic_entries(name: str, ctx: Context) -> Iterable[Entry]:
    ctx.may(Operation.DESCRIBE_CONFIGS, Resource.topic(name))
    if name not in ctx.rooms.image.topics:
        raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    settings = ctx.rooms.settings
    return describe_topic(settings, settings.topic(ctx.rooms.configs.topic_overrides(name)))


def must_be_this_broker(name: str, ctx: Context) -> None:
    """A broker speaks for itself alone. Raises: ApiError: INVALID_REQUEST."""
    if not name:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Broker id must not be empty")
    try:
        number = int(name)
    except ValueError:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"Broker id must be an integer, but it is: {name}") from None
    if number != ctx.rooms.broker_id:
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"Unexpected broker id, expected {ctx.rooms.broker_id} or empty string, but received {name}",
        )


def logger_entries() -> Iterable[Entry]:
    """Each logger of this process with the level that holds for it (KIP-412)."""
    named = logging.root.manager.loggerDict.items()
    loggers = [("root", logging.root), *((name, each) for name, each in named if isinstance(each, logging.Logger))]
    for name, logger in sorted(loggers):
        level = logging.getLevelName(logger.getEffectiveLevel())
        yield Entry(name, LEVELS.get(level, level), Source.LOGGER, False, False, STRING.wire_code)


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
