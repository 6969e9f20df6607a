"""StreamsGroupTopologyDescriptionUpdate: a member hands in the description of its topology (KIP-1331).

Version 0 only. Flexible from the start.
"""

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class TopologyDescriptionNode(Struct):
    name: str = wire("string")
    node_type: int = wire("int8")
    source_topics: list[str] = wire(array("string"))
    sink_topic: str | None = wire("string", nullable=0, default=None)
    stores: list[str] = wire(array("string"))
    successors: list[str] = wire(array("string"))


@struct
class TopologyDescriptionSubtopology(Struct):
    subtopology_id: str = wire("string")
    nodes: list[TopologyDescriptionNode] = wire(array(TopologyDescriptionNode))


@struct
class TopologyDescriptionGlobalStore(Struct):
    source: TopologyDescriptionNode = wire(TopologyDescriptionNode)
    processor: TopologyDescriptionNode = wire(TopologyDescriptionNode)


@struct
class TopologyDescription(Struct):
    subtopologies: list[TopologyDescriptionSubtopology] = wire(array(TopologyDescriptionSubtopology))
    global_stores: list[TopologyDescriptionGlobalStore] = wire(array(TopologyDescriptionGlobalStore))


@message(ApiKey.STREAMS_GROUP_TOPOLOGY_DESCRIPTION_UPDATE, versions=(0, 0), flexible=0)
class StreamsGroupTopologyDescriptionUpdateRequest(Message):
    """Source: StreamsGroupTopologyDescriptionUpdateRequest.json, Kafka 4.4."""

    group_id: str = wire("string")
    member_id: str = wire("string")
    topology_epoch: int = wire("int32")
    topology_description: TopologyDescription = wire(TopologyDescription)


@message(ApiKey.STREAMS_GROUP_TOPOLOGY_DESCRIPTION_UPDATE, versions=(0, 0), flexible=0)
class StreamsGroupTopologyDescriptionUpdateResponse(Message):
    """Source: StreamsGroupTopologyDescriptionUpdateResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
