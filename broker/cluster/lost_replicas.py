"""What the data directories hold, compared with what the registry says they should; asked before a broker registers.

A broker whose directories are gone would lead its partitions from empty, and nobody would ever know what was lost.
"""

import logging
from collections.abc import Collection

from broker.cluster.gather import gathered
from broker.cluster.own_node import id_is_taken
from broker.cluster.znodes import (
    DELETE_TOPICS,
    TOPICS,
    MalformedNode,
    PartitionStateNode,
    broker_path,
    partition_state_path,
    partitions_path,
)
from broker.config.problems import OperatorError
from broker.registry.contract import NoNode, Registry

log = logging.getLogger("barnabas.registration")

SHOWN = 5


async def refuse_lost_replicas(registry: Registry, broker_id: int, directory: str) -> None:
    """Asked when nothing at all is stored here.

    Raises: OperatorError: this broker is in sync for some partition; or it is another one that lives, with our id.
    """

    async def held(topic: str) -> bool:
        for index in await _children(registry, partitions_path(topic)):
            try:
                data, _ = await registry.get(partition_state_path(topic, int(index)))
                if broker_id in PartitionStateNode.decode(data).isr:
                    return True
            except (NoNode, MalformedNode, ValueError):
                continue
        return False

    topics = await _children(registry, TOPICS)
    lost = [topic for topic, is_held in zip(topics, await gathered(held, topics), strict=True) if is_held]
    if lost:
        await _refuse_a_taken_id(registry, broker_id)
        raise OperatorError(
            f"Broker {broker_id} does not start: its data directories are empty, but it has replicas of {_some(lost)}.",
            f"The registry counts them as in sync here. The directories ({directory}) were lost, or are not mounted,"
            " and no other broker has a copy.",
            "Mount or restore them. If the records are gone for good, and the topics shall begin empty, write the lines"
            f" version=0 and broker.id={broker_id} into meta.properties there.",
        )


async def _refuse_a_taken_id(registry: Registry, broker_id: int) -> None:
    try:
        data, stat = await registry.get(broker_path(broker_id))
    except NoNode:
        return
    raise id_is_taken(broker_id, stat.ephemeral_owner, data)


async def tell_strays(registry: Registry, logs: Collection[str]) -> None:
    """One line on logs of topics that nobody knows; they stay as they are. `logs`: names with the partition."""
    known = {*await _children(registry, TOPICS), *await _children(registry, DELETE_TOPICS)}
    strays = sorted(name for name in logs if name.rpartition("-")[0] not in known)
    if strays:
        log.warning("Stored, but of no topic of this cluster; their files stay as they are: %s", _some(strays))


async def _children(registry: Registry, path: str) -> list[str]:
    try:
        return list(await registry.children(path))
    except NoNode:
        return []


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(sorted(names)[:SHOWN]) + (f" and {more} more" if more > 0 else "")
