"""UpdateMetadata, key 6: the controller says what the cluster looks like.  Versions 0 to 8.

1 endpoints · 2 racks · 3 listener names · 4 offline replicas · 5 grouped by topic, broker epoch · 6 flexible ·
7 topic ids · 8 KRaft controllers, type. Only a controller may ask; a client that does is hung up on.
"""

from broker.requests.context import Context
from kproto.errors import ApiError
from kproto.messages.update_metadata import (
    UpdateMetadataEndpoint,
    UpdateMetadataRequest,
    UpdateMetadataResponse,
    UpdateMetadataTopicState,
)

PROTOCOLS = {0: "PLAINTEXT", 1: "SSL", 2: "SASL_PLAINTEXT", 3: "SASL_SSL"}


async def update_metadata(request: UpdateMetadataRequest, ctx: Context) -> UpdateMetadataResponse:
    """Options of topics are known before the image shows the topics; those of topics gone are forgotten."""
    rooms = ctx.rooms
    rooms.image.admit(request.controller_epoch, request.broker_epoch)
    as_newest(request)
    await rooms.configs.know((topic.topic_name, topic.topic_id) for topic in request.topic_states)
    touched = {*rooms.image.topics, *(topic.topic_name for topic in request.topic_states)}
    rooms.image.update(request)
    for name in touched - rooms.image.topics.keys():
        rooms.configs.forget(name)
    return UpdateMetadataResponse()


def as_newest(request: UpdateMetadataRequest) -> None:
    """The shape of version 5 and later: rows grouped by topic, endpoints with names."""
    groups = {topic.topic_name: topic for topic in request.topic_states}
    for row in request.ungrouped_partition_states:
        if row.topic_name not in groups:
            groups[row.topic_name] = UpdateMetadataTopicState(topic_name=row.topic_name)
        groups[row.topic_name].partition_states.append(row)
    request.topic_states, request.ungrouped_partition_states = list(groups.values()), []
    for broker in request.live_brokers:
        if broker.v0_host:
            broker.endpoints = [UpdateMetadataEndpoint(host=broker.v0_host, port=broker.v0_port)]
        for endpoint in broker.endpoints:
            endpoint.listener = endpoint.listener or PROTOCOLS.get(endpoint.security_protocol, "PLAINTEXT")


def refused(request: UpdateMetadataRequest, error: ApiError) -> UpdateMetadataResponse:
    return UpdateMetadataResponse(error_code=error.code)
