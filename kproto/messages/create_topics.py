"""CreateTopics: new topics, by counts or by an explicit assignment of replicas.

Versions 0 to 7. Kafka 4 no longer reads 0 and 1.
1: `validate_only`; an error message.
2: throttle time.
3: throttling is told before it happens.
4: -1 for the number of partitions and replicas means the default of the broker (KIP-464).
5: flexible; what was created, with its configuration (KIP-525).
6: THROTTLING_QUOTA_EXCEEDED (KIP-599).
7: topic ids (KIP-516).
"""

from uuid import UUID

from kproto.api_keys import ApiKey
from kproto.schema import Message, Struct, array, message, struct, wire


@struct
class CreatableReplicaAssignment(Struct):
    partition_index: int = wire("int32")
    broker_ids: list[int] = wire(array("int32"))


@struct
class CreatableTopicConfig(Struct):
    name: str = wire("string")
    value: str | None = wire("string", nullable=0)


@struct
class CreatableTopic(Struct):
    name: str = wire("string")
    num_partitions: int = wire("int32")
    replication_factor: int = wire("int16")
    assignments: list[CreatableReplicaAssignment] = wire(array(CreatableReplicaAssignment))
    configs: list[CreatableTopicConfig] = wire(array(CreatableTopicConfig))


@message(ApiKey.CREATE_TOPICS, versions=(0, 7), flexible=5)
class CreateTopicsRequest(Message):
    """Source: CreateTopicsRequest.json, Kafka 4.4."""

    topics: list[CreatableTopic] = wire(array(CreatableTopic))
    timeout_ms: int = wire("int32", default=60000)
    validate_only: bool = wire("bool", since=1)


@struct
class CreatableTopicConfigs(Struct):
    name: str = wire("string")
    value: str | None = wire("string", nullable=0)
    read_only: bool = wire("bool")
    config_source: int = wire("int8", default=-1)
    is_sensitive: bool = wire("bool")


@struct
class CreatableTopicResult(Struct):
    name: str = wire("string")
    topic_id: UUID = wire("uuid", since=7)
    error_code: int = wire("int16")
    error_message: str | None = wire("string", since=1, nullable=1)
    topic_config_error_code: int = wire("int16", since=5, tag=0)
    num_partitions: int = wire("int32", since=5, default=-1)
    replication_factor: int = wire("int16", since=5, default=-1)
    configs: list[CreatableTopicConfigs] | None = wire(array(CreatableTopicConfigs), since=5, nullable=5)


@message(ApiKey.CREATE_TOPICS, versions=(0, 7), flexible=5)
class CreateTopicsResponse(Message):
    """Source: CreateTopicsResponse.json, Kafka 4.4."""

    throttle_time_ms: int = wire("int32", since=2)
    topics: list[CreatableTopicResult] = wire(array(CreatableTopicResult))
