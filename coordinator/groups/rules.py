"""What is known of groups before there is one: the numbers that they go by, and where each lives."""

import struct

from kproto.values import frozen


@frozen
class Rules:
    """The numbers of the settings that groups go by."""

    initial_delay_ms: int = 3_000
    """`group.initial.rebalance.delay.ms`"""
    max_size: int = 2**31 - 1
    """`group.max.size`"""
    retention_ms: int = 10_080 * 60_000
    """`offsets.retention.minutes`"""
    expiry_interval_ms: int = 600_000
    """`offsets.retention.check.interval.ms`"""


def partition_of(group_id: str, partitions: int) -> int:
    """The partition of `__consumer_offsets` that a group lives in. Source: String.hashCode and Utils.abs of Kafka."""
    hashed = 0
    units = group_id.encode("utf-16-be", "surrogatepass")
    for unit in struct.unpack(f">{len(units) // 2}H", units):
        hashed = (31 * hashed + unit) & 0xFFFFFFFF
    signed = hashed - (1 << 32) if hashed >> 31 else hashed
    return (0 if signed == -(1 << 31) else abs(signed)) % partitions
