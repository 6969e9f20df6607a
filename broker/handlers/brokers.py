"""What several answers tell of brokers and rights: who can be reached by this client, and what it may do."""

from broker.cluster.authorizer import Resource
from broker.purgatory import Waiter
from broker.requests.context import Context
from broker.transport.contract import Address
from kproto.errors import ApiError

NOT_ASKED = -(2**31)
"""Authorized operations that nobody asked for."""
UNTOLD_MS = 5_000
"""How long a client waits for a broker that has just started to be told of the cluster."""


async def until_told(ctx: Context) -> None:
    """Between its start and the controller's first word a broker knows of no broker, not even of itself.

    An empty list would be an answer, and a wrong one: librdkafka drops every broker that is not on it, its group's
    coordinator too, and needs seconds to come back.
    """
    if not ctx.rooms.image.brokers:
        told = Waiter()
        told.watch([ctx.rooms.image.changed])
        await ctx.pause(told, UNTOLD_MS)


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
