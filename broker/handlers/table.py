"""Which APIs this broker serves, as data: key, versions, handler module, right. What is not here is not served.

Cut to what a listener may ask it is the ApiVersions answer. A module is imported at its API's first request.
"""

from collections.abc import Callable, Iterable
from typing import Any

from broker.cluster.authorizer import Operation, Resource
from kproto.api_keys import ApiKey
from kproto.values import frozen

Versions = tuple[int, int]


@frozen
class Right:
    """What the caller must be allowed on the one resource that the whole request is about.

    `field` is the attribute of the request that names it; None asks for the cluster. A request whose field is None
    (no transactional id) is not asked. Rights on the topics or groups of single rows are the handler's to ask.
    """

    operation: Operation
    resource: Callable[..., Resource]
    field: str | None = None

    def resource_of(self, request: Any) -> Resource | None:
        if self.field is None:
            return self.resource()
        name = getattr(request, self.field)
        return None if name is None else self.resource(name)


@frozen
class Row:
    """One API. `versions`: those its handler serves, both inclusive.

    Args:
        module: of the handler, below `broker.handlers`; its function has the same name.
        right: asked by the router before the handler is called.
        inter_broker: only brokers ask this of each other; a client that does is hung up on.
        waits_for_others: a wait of this API is for somebody else to act, maybe for ever; a stopping broker ends it.
    """

    key: ApiKey
    versions: Versions
    module: str
    right: Right | None = None
    inter_broker: bool = False
    waits_for_others: bool = False


READ_GROUP = Right(Operation.READ, Resource.group, "group_id")
DELETE_GROUP = Right(Operation.DELETE, Resource.group, "group_id")
WRITE_TRANSACTION = Right(Operation.WRITE, Resource.transactional_id, "transactional_id")
DESCRIBE_CLUSTER = Right(Operation.DESCRIBE, Resource.cluster)
ALTER_CLUSTER = Right(Operation.ALTER, Resource.cluster)
CLUSTER_ACTION = Right(Operation.CLUSTER_ACTION, Resource.cluster)

TABLE: tuple[Row, ...] = (
    Row(ApiKey.PRODUCE, (0, 13), "produce", WRITE_TRANSACTION),
    Row(ApiKey.FETCH, (0, 18), "fetch", waits_for_others=True),
    Row(ApiKey.LIST_OFFSETS, (0, 11), "list_offsets"),
    Row(ApiKey.METADATA, (0, 13), "metadata"),
    Row(ApiKey.LEADER_AND_ISR, (0, 7), "leader_and_isr", CLUSTER_ACTION, inter_broker=True),
    Row(ApiKey.STOP_REPLICA, (0, 4), "stop_replica", CLUSTER_ACTION, inter_broker=True),
    Row(ApiKey.UPDATE_METADATA, (0, 8), "update_metadata", CLUSTER_ACTION, inter_broker=True),
    Row(ApiKey.OFFSET_COMMIT, (0, 10), "offset_commit", READ_GROUP),
    Row(ApiKey.OFFSET_FETCH, (0, 10), "offset_fetch"),
    Row(ApiKey.FIND_COORDINATOR, (0, 6), "find_coordinator"),
    Row(ApiKey.JOIN_GROUP, (0, 9), "join_group", READ_GROUP, waits_for_others=True),
    Row(ApiKey.HEARTBEAT, (0, 4), "heartbeat", READ_GROUP),
    Row(ApiKey.LEAVE_GROUP, (0, 5), "leave_group", READ_GROUP),
    Row(ApiKey.SYNC_GROUP, (0, 5), "sync_group", READ_GROUP, waits_for_others=True),
    Row(ApiKey.DESCRIBE_GROUPS, (0, 6), "describe_groups"),
    Row(ApiKey.LIST_GROUPS, (0, 5), "list_groups"),
    Row(ApiKey.API_VERSIONS, (0, 5), "api_versions"),
    Row(ApiKey.CREATE_TOPICS, (0, 7), "create_topics"),
    Row(ApiKey.DELETE_TOPICS, (0, 6), "delete_topics"),
    Row(ApiKey.DELETE_RECORDS, (0, 2), "delete_records"),
    # 6 is declared in kproto but no release has it as stable yet (two-phase commit, KIP-939).
    Row(ApiKey.INIT_PRODUCER_ID, (0, 5), "init_producer_id", WRITE_TRANSACTION),
    Row(ApiKey.OFFSET_FOR_LEADER_EPOCH, (0, 4), "offset_for_leader_epoch"),
    Row(ApiKey.DESCRIBE_CONFIGS, (0, 4), "describe_configs"),
    Row(ApiKey.ALTER_CONFIGS, (0, 2), "alter_configs"),
    Row(ApiKey.ALTER_REPLICA_LOG_DIRS, (0, 2), "alter_replica_log_dirs", ALTER_CLUSTER),
    Row(ApiKey.DESCRIBE_LOG_DIRS, (0, 5), "describe_log_dirs", DESCRIBE_CLUSTER),
    Row(ApiKey.CREATE_PARTITIONS, (0, 3), "create_partitions"),
    Row(ApiKey.DELETE_GROUPS, (0, 3), "delete_groups"),
    Row(ApiKey.ELECT_LEADERS, (0, 2), "elect_leaders", ALTER_CLUSTER),
    Row(ApiKey.INCREMENTAL_ALTER_CONFIGS, (0, 1), "incremental_alter_configs"),
    Row(ApiKey.ALTER_PARTITION_REASSIGNMENTS, (0, 1), "alter_partition_reassignments", ALTER_CLUSTER),
    Row(ApiKey.LIST_PARTITION_REASSIGNMENTS, (0, 0), "list_partition_reassignments", DESCRIBE_CLUSTER),
    Row(ApiKey.OFFSET_DELETE, (0, 0), "offset_delete", DELETE_GROUP),
    Row(ApiKey.UPDATE_FEATURES, (0, 2), "update_features", ALTER_CLUSTER),
    Row(ApiKey.DESCRIBE_CLUSTER, (0, 2), "describe_cluster"),
    Row(ApiKey.DESCRIBE_PRODUCERS, (0, 0), "describe_producers"),
    Row(ApiKey.DESCRIBE_TOPIC_PARTITIONS, (0, 0), "describe_topic_partitions"),
)


def served(rows: Iterable[Row], *, inter_broker: bool) -> dict[int, Row]:
    """The rows that a connection may ask for, by key."""
    return {int(row.key): row for row in rows if inter_broker or not row.inter_broker}
