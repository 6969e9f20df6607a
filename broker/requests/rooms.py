"""What handlers reach through their context: one field a room, filled by `broker.py`."""

from dataclasses import field
from typing import TYPE_CHECKING, Any

from broker.clock import Chance, Clock
from broker.metrics import Metrics
from kproto.values import frozen

if TYPE_CHECKING:
    from broker.cluster.authorizer import Authorizer
    from broker.cluster.image import Image
    from broker.config.settings import BrokerSettings
    from broker.partitions.fetch_sessions import FetchSessions
    from broker.partitions.manager import Partitions
    from broker.registry.contract import Registry


@frozen
class Rooms:
    """The broker as its handlers see it."""

    broker_id: int
    settings: "BrokerSettings"
    clock: Clock
    chance: Chance
    image: "Image"
    """What is known of the cluster: brokers, topics, leaders."""
    topics: Any
    """Creates, deletes and grows topics (`broker.cluster`)."""
    configs: Any
    """Options set while running, of topics and of this broker (`broker.cluster`)."""
    config_changes: Any
    """Writes such options (`broker.cluster`)."""
    elections: Any
    """Has preferred replicas lead again (`broker.cluster`)."""
    reassignments: Any
    """Tells which replicas move (`broker.cluster`)."""
    producer_ids: Any
    """Hands out producer ids (`broker.cluster`)."""
    partitions: "Partitions"
    fetch_sessions: "FetchSessions"
    groups: Any
    """The coordinators' runtime."""
    authorizer: "Authorizer"
    registry: "Registry"
    metrics: Metrics = field(default_factory=Metrics)
    """What is counted."""
