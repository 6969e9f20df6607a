"""Values that a bare `barnabas` has in place of Kafka's defaults: one laptop, one broker, nothing to wait for."""

from collections.abc import Mapping
from types import MappingProxyType

SINGLE_BROKER: Mapping[str, str] = MappingProxyType(
    {
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }
)
"""What Kafka's own sample server.properties sets."""

LAPTOP: Mapping[str, str] = MappingProxyType(
    {
        **SINGLE_BROKER,
        "broker.id": "0",
        "barnabas.http.listener": "127.0.0.1:9644,127.0.0.1:0",
        "listeners": "PLAINTEXT://localhost:9092",
        "log.dir": "./barnabas-data",
    }
)

MEMORY_ONLY: Mapping[str, str] = MappingProxyType(
    {**LAPTOP, "barnabas.storage": "memory", "barnabas.control.api": "true"}
)
