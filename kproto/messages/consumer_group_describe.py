"""ConsumerGroupDescribe: state, members and assignments of consumer groups (KIP-848).

Versions 0 to 1. Flexible from the start.
1: answer: `groups.members.member_type`.
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@message(ApiKey.CONSUMER_GROUP_DESCRIBE, versions=(0, 1), flexible=0)
class ConsumerGroupDescribeRequest(Message):
    """Source: ConsumerGroupDescribeRequest.json, Kafka 4.4."""

    group_ids: list[str] = wire(array("string"))
    include_authorized_operations: bool = wire("bool")


@struct
class TopicPartitions(Struct):
    topic_id: UUID = wire("uuid")
    topic_name: str = wire("string")
    partitions: list[int] = wire(array("int32"))


@struct
class Assignment(Struct):
    topic_partitions: list[TopicPartitions] = wire(array(TopicPartitions))


@struct
class Member(Struct):
    member_id: str = wire("string")
    instance_id: str | None = wire("string", nullable=0, default=None)
    rack_id: str | None = wire("string", nullable=0, default=None)
    member_epoch: int = wire("int32")
    client_id: str = wire("string")
    client_host: str = wire("string")
    subscribed_topic_names: list[str] = wire(array("string"))
    subscribed_topic_regex: str | None = wire("string", nullable=0, default=None)
    assignment: Assignment = wire(Assignment)
    target_assignment: Assignment = wire(Assignment)
    member_type: int = wire("int8", since=1, default=-1)


@struct
class DescribedGroup(Struct):
    error_code: int = wire("int16")
    error_message: str | None = wire("string", nullable=0, default=None)
    group_id: str = wire("string")
    group_state: str = wire("string")
    group_epoch: int = wire("int32")
    assignment_epoch: int = wire("int32")
    assignor_name: str = wire("string")
    members: list[Member] = wire(array(Member))
    authorized_operations: int = wire("int32", default=-2147483648)


@message(ApiKey.CONSUMER_GROUP_DESCRIBE, versions=(0, 1), flexible=0)
class ConsumerGroupDescribeResponse(Message):
    """Source: ConsumerGroupDescribeResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32")
    groups: list[DescribedGroup] = wire(array(DescribedGroup))
