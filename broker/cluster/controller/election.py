"""Who shall lead: the rules of Kafka's ZooKeeper-mode controller, as functions of what is known.

Source: PartitionStateMachine, ReplicaStateMachine and Election of Kafka; unclean election is not among them.
"""

from collections.abc import Collection

from broker.cluster.controller.state import Partition
from broker.cluster.znodes import PartitionStateNode

NO_LEADER = -1


def first_leader(partition: Partition, online: list[int], controller_epoch: int) -> PartitionStateNode | None:
    """A new partition: the first replica alive leads, all alive are in sync. None: nobody is there to begin."""
    if not online:
        return None
    return PartitionStateNode(controller_epoch, online[0], 0, list(online))


def elected(
    partition: Partition, online: list[int], controller_epoch: int, returned: Collection[int] = ()
) -> PartitionStateNode | None:
    """The state that a partition should have now; None if it has it, or if a newer controller wrote it.

    The dead leave the in-sync set, but never the last ones: whoever was in sync when all died may lead again.

    Args: online: replicas alive, in order of preference. returned: those that died and came back unseen; they may lead
        only if nobody else can.
    """
    state = partition.state
    if state is None:
        return first_leader(partition, online, controller_epoch)
    if state.controller_epoch > controller_epoch:
        return None
    steady = [each for each in state.isr if each in online and each not in returned]
    if state.leader in steady and len(steady) == len(state.isr):
        return None
    if state.leader in steady:
        return _next(state, controller_epoch, state.leader, steady)
    candidates = steady or [each for each in state.isr if each in online]
    leader = next((each for each in online if each in candidates), NO_LEADER)
    if leader == NO_LEADER:
        return None if state.leader == NO_LEADER else _next(state, controller_epoch, NO_LEADER, state.isr)
    return _next(state, controller_epoch, leader, steady or [leader])


def preferred(partition: Partition, online: list[int], controller_epoch: int) -> PartitionStateNode | None:
    """The first replica of the assignment leads, if it is alive and in sync; None if it does, or cannot."""
    state, wanted = partition.state, partition.replicas[0]
    if state is None or state.leader == wanted or wanted not in online or wanted not in state.isr:
        return None
    return _next(state, controller_epoch, wanted, state.isr)


def _next(state: PartitionStateNode, controller_epoch: int, leader: int, isr: list[int]) -> PartitionStateNode:
    return PartitionStateNode(controller_epoch, leader, state.leader_epoch + 1, list(isr), state.recovery_state)
