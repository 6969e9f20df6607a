"""Who may do what: operations, resources, and the one question that every right comes down to.

Codes are those of the wire (AclOperation, ResourceType of Kafka); `AllowAll` is the answer while no authorizer is set.
"""

from enum import IntEnum
from typing import Protocol

from kproto.errors import ErrorCode
from kproto.values import frozen

CLUSTER_NAME = "kafka-cluster"


class Operation(IntEnum):
    """Source: AclOperation.java."""

    UNKNOWN = 0
    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14
    TWO_PHASE_COMMIT = 15


class ResourceType(IntEnum):
    """Source: ResourceType.java."""

    UNKNOWN = 0
    ANY = 1
    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What can be done to such a resource.  Source: AclEntry.supportedOperations."""
        return _OPERATIONS.get(self, ())

    @property
    def denied(self) -> ErrorCode:
        """What a client hears that may not."""
        return _DENIED.get(self, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)


_OPERATIONS = {
    ResourceType.TOPIC: (
        Operation.READ,
        Operation.WRITE,
        Operation.CREATE,
        Operation.DESCRIBE,
        Operation.DELETE,
        Operation.ALTER,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
    ),
    ResourceType.GROUP: (
        Operation.READ,
        Operation.DESCRIBE,
        Operation.DELETE,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
    ),
    ResourceType.CLUSTER: (
        Operation.CREATE,
        Operation.CLUSTER_ACTION,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
        Operation.ALTER,
        Operation.IDEMPOTENT_WRITE,
        Operation.DESCRIBE,
    ),
    ResourceType.TRANSACTIONAL_ID: (Operation.DESCRIBE, Operation.WRITE, Operation.TWO_PHASE_COMMIT),
    ResourceType.DELEGATION_TOKEN: (Operation.DESCRIBE,),
    ResourceType.USER: (Operation.CREATE_TOKENS, Operation.DESCRIBE_TOKENS),
}

_DENIED = {
    ResourceType.TOPIC: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    ResourceType.GROUP: ErrorCode.GROUP_AUTHORIZATION_FAILED,
    ResourceType.TRANSACTIONAL_ID: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ResourceType.DELEGATION_TOKEN: ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED,
}


@frozen
class Resource:
    """One topic, group, transactional id …; of clusters there is one."""

    type: ResourceType
    name: str

    @classmethod
    def topic(cls, name: str) -> "Resource":
        return cls(ResourceType.TOPIC, name)

    @classmethod
    def group(cls, group_id: str) -> "Resource":
        return cls(ResourceType.GROUP, group_id)

    @classmethod
    def cluster(cls) -> "Resource":
        return cls(ResourceType.CLUSTER, CLUSTER_NAME)

    @classmethod
    def transactional_id(cls, transactional_id: str) -> "Resource":
        return cls(ResourceType.TRANSACTIONAL_ID, transactional_id)


class Authorizer(Protocol):
    """Answers at once, from memory."""

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        """Args: principal: `User:alice`; host: the client's address, without port."""
        ...


class AllowAll:
    """No authorizer is set: everybody may do everything, as in Kafka."""

    def allows(self, principal: str, host: str, operation: Operation, resource: Resource) -> bool:
        return True
