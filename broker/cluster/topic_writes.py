"""The znodes of topics, written as the brokers and tools of a ZooKeeper-mode cluster write them.

Source: AdminZkClient of Kafka: the config node is there before the topic node.
"""

from broker.cluster.topic_plans import Created, Growth, Planner
from broker.cluster.znodes import TopicNode, delete_topic_path, encode_config, topic_config_path, topic_path
from broker.registry.contract import BadVersion, Create, MultiFailed, NodeExists, NoNode, Operation, Registry, SetData
from kproto.errors import ApiError, ErrorCode


async def make_topic(registry: Registry, name: str, topic: Created) -> None:
    """Both nodes in one multi. Raises: ApiError: TOPIC_ALREADY_EXISTS."""
    config, node = encode_config(topic.configs), TopicNode(topic.id, topic.assignment).encode()
    try:
        await registry.multi([Create(topic_config_path(name), config), Create(topic_path(name), node)])
    except MultiFailed as failure:
        if failure.index != 0 or not isinstance(failure.cause, NodeExists):
            raise await _why_not(registry, name, failure) from failure
        # Configs can outlive their topic, if somebody removed its node by hand.
        await _make_over(registry, name, [SetData(topic_config_path(name), config), Create(topic_path(name), node)])


async def _make_over(registry: Registry, name: str, operations: list[Operation]) -> None:
    try:
        await registry.multi(operations)
    except MultiFailed as failure:
        raise await _why_not(registry, name, failure) from failure


async def _why_not(registry: Registry, name: str, failure: MultiFailed) -> Exception:
    if not isinstance(failure.cause, NodeExists):
        return failure.cause
    if await registry.exists(delete_topic_path(name)) is not None:
        return ApiError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' is marked for deletion.")
    return ApiError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")


async def ask_deletion(registry: Registry, name: str) -> None:
    """Leave the request where the controller looks; it may be there already.

    Raises: ApiError: UNKNOWN_TOPIC_OR_PARTITION.
    """
    if await registry.exists(topic_path(name)) is None:
        raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    try:
        await registry.create(delete_topic_path(name))
    except NodeExists:
        return


async def add_partitions(registry: Registry, planner: Planner, growth: Growth, *, validate_only: bool) -> None:
    """Write the grown assignment, on top of what stands there now.

    Raises: ApiError: the plan's refusals, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION (being deleted).
    """
    if await registry.exists(delete_topic_path(growth.name)) is not None:
        raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, "The topic is queued for deletion.")
    while True:
        try:
            data, stat = await registry.get(topic_path(growth.name))
            grown = planner.grow(growth, TopicNode.decode(data))
            if not validate_only:
                await registry.set(topic_path(growth.name), grown.encode(), stat.version)
        except NoNode:
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{growth.name}' does not exist.") from None
        except BadVersion:
            continue
        return
