"""Which brokers hold which replica of a new partition: Kafka's round robin, with and without racks.

Pure: where the round begins is given, so that the caller (and a test) rolls the dice.
Source: AdminUtils.assignReplicasToBrokers.
"""

from collections.abc import Mapping, Sequence

from broker.cluster.znodes import Assignment
from kproto.errors import ApiError, ErrorCode


def place(
    brokers: Mapping[int, str | None],
    partitions: int,
    replication_factor: int,
    *,
    start_index: int,
    shift: int,
    first_partition: int = 0,
) -> Assignment:
    """Replicas for `partitions` new partitions, numbered from `first_partition`; the first replica is preferred.

    Racks count only if every broker has one: else none does.

    Args: brokers: rack by id of the brokers alive. start_index: which broker leads the partition 0. shift: distance
        of the second replica from the first.
    Raises: ApiError: INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR.
    """
    if partitions <= 0:
        raise ApiError(ErrorCode.INVALID_PARTITIONS, "Number of partitions must be larger than 0.")
    if replication_factor <= 0:
        raise ApiError(ErrorCode.INVALID_REPLICATION_FACTOR, "Replication factor must be larger than 0.")
    if replication_factor > len(brokers):
        raise ApiError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"Replication factor: {replication_factor} larger than available brokers: {len(brokers)}.",
        )
    racks = {broker: rack for broker, rack in brokers.items() if rack is not None}
    ring = rack_alternating(racks) if len(racks) == len(brokers) else sorted(brokers)
    if len(racks) < len(brokers):
        racks = {}
    assignment: Assignment = {}
    for partition in range(first_partition, first_partition + partitions):
        if partition > 0 and partition % len(ring) == 0:
            shift += 1
        leader = (partition + start_index) % len(ring)
        assignment[partition] = (
            _across_racks(ring, racks, leader, shift, replication_factor)
            if racks
            else [ring[leader], *(ring[_nth(leader, shift, n, len(ring))] for n in range(replication_factor - 1))]
        )
    return assignment


def rack_alternating(racks: Mapping[int, str]) -> list[int]:
    """The brokers in such an order that neighbours stand in different racks as long as that is possible."""
    rows = [[broker for broker in sorted(racks) if racks[broker] == rack] for rack in sorted(set(racks.values()))]
    longest = max(map(len, rows), default=0)
    return [row[n] for n in range(longest) for row in rows if n < len(row)]


def _nth(leader: int, shift: int, n: int, brokers: int) -> int:
    """Place in the ring of the n-th replica behind the leader."""
    return (leader + 1 + (shift + n) % (brokers - 1)) % brokers


def _across_racks(
    ring: Sequence[int], racks: Mapping[int, str], leader: int, shift: int, replication_factor: int
) -> list[int]:
    """As many racks as there are, before a rack gets a second replica."""
    rack_count = len(set(racks.values()))
    replicas = [ring[leader]]
    used = {racks[ring[leader]]}
    n = 0
    while len(replicas) < replication_factor:
        broker = ring[_nth(leader, shift * rack_count, n, len(ring))]
        n += 1
        if broker not in replicas and (racks[broker] not in used or len(used) == rack_count):
            replicas.append(broker)
            used.add(racks[broker])
    return replicas
