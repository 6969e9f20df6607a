"""Until brokers replicate each other, a cluster is one broker: a second one must not pretend."""

from broker.cluster.znodes import BROKER_IDS
from broker.config.problems import OperatorError
from broker.registry.contract import NoNode, Registry


async def refuse_other_brokers(registry: Registry, broker_id: int) -> None:
    """Asked before this broker registers. Raises: OperatorError: another broker is alive in this registry."""
    try:
        names = await registry.children(BROKER_IDS)
    except NoNode:
        return
    others = sorted(name for name in names if name != str(broker_id))
    if others:
        raise OperatorError(
            f"Broker {broker_id} does not start: the registry shows other brokers alive: {', '.join(others)}.",
            "This version does not replicate between brokers yet, so the cluster can only be this one.",
            "Stop the other brokers, or give this one a registry of its own (another chroot in zookeeper.connect).",
        )
