"""What the cluster is told of this broker's listeners: each by its name, with the port that was really bound."""

import socket
from collections.abc import Iterable

from broker.config.listeners import ListenerPlan
from broker.server.listener import Listener
from broker.transport.contract import Address


def advertised(plans: Iterable[ListenerPlan], bound: Iterable[Listener]) -> dict[str, Address]:
    """By listener name; a host that no option gives is the canonical name of this machine, as Kafka's."""
    ports: dict[str, int] = {}
    for listener in bound:
        ports.setdefault(listener.name, listener.address.port)
    addresses = {}
    for plan in plans:
        told = plan.advertised
        host = socket.getfqdn() if told is None else told.host
        addresses[plan.name] = Address(host, (told.port if told is not None else 0) or ports[plan.name])
    return addresses
