"""What several answers tell of brokers and rights: who can be reached by this client, and what it may do."""

from broker.cluster.authorizer import Resource
from broker.requests.context import Context
from broker.transport.contract import Address
from kproto.errors import ApiError

NOT_ASKED = -(2**31)
"""Authorized operations that nobody asked for."""


def reachable(ctx: Context) -> dict[int, Address]:
    """The brokers alive that have the listener this client came in by, and where it finds them."""
    addresses = {}
    for broker in ctx.rooms.image.brokers.values():
        try:
            addresses[broker.id] = ctx.endpoint(broker)
        except ApiError:
            continue
    return addresses


def operations(ctx: Context, resource: Resource) -> int:
    """A bit per operation that this client may do, at the place of the operation's code.  Source: KIP-430."""
    return sum(1 << each for each in resource.type.operations if ctx.allowed(each, resource))
