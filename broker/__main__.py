"""Run one broker until a signal: `python -m broker server.properties`, or `run` from the command line."""

import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import trio

from broker.broker import Broker, Ready
from broker.config.load import load
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.foundations import foundations
from broker.world import World, real_world

CLEAN, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def run(settings: BrokerSettings, *, announce: Callable[[Ready], None]) -> int:
    """Serve until SIGINT or SIGTERM.

    Args: announce: called once, when the broker is registered and serves.
    Returns: the exit code.
    Raises: OperatorError: an option, a port, a directory or the registry is not as it must be.
    """
    world = real_world(settings)
    try:
        return trio.run(until_signal, settings, world, announce)
    except BaseExceptionGroup as group:
        mistakes = group.subgroup(OperatorError)
        if mistakes is None:
            raise
        raise first_in(mistakes) from None


async def until_signal(settings: BrokerSettings, world: World, announce: Callable[[Ready], None]) -> int:
    """The first signal cancels a start that has not ended; after that it is a clean stop. The second ends it all.

    With TLS listeners SIGHUP reads keys and certificates again; without any it ends the process, as ever.
    """
    heard = [signal.SIGINT, signal.SIGTERM] + [signal.SIGHUP] * len(world.tls)
    with trio.open_signal_receiver(*heard) as signals:
        async with trio.open_nursery() as everything:
            orders = Orders(everything.cancel_scope.cancel)
            everything.start_soon(orders.obey, signals)
            async with foundations(settings, world) as ground:
                broker = Broker(settings, world, ground)
                async with trio.open_nursery() as serving:
                    ready = await serving.start(broker.run)
                    orders.first, orders.reload = broker.closing.set, broker.reload
                    gc.freeze()  # what is here now stays: a full collection, now or later, would only stop the loop
                    announce(ready)
            everything.cancel_scope.cancel()
    return CLEAN


class Orders:
    """What signals mean: `first` once, then the end of the process; SIGHUP `reload`, once there is something to."""

    def __init__(self, first: Callable[[], object]) -> None:
        self.first = first
        self.reload: Callable[[], None] = lambda: None

    async def obey(self, signals: AsyncIterator[int]) -> None:
        stopping = False
        async for number in signals:
            if number == signal.SIGHUP:
                self.reload()
            elif stopping:
                os._exit(INTERRUPTED)
            else:
                stopping = True
                self.first()


def first_in(group: BaseExceptionGroup[OperatorError]) -> OperatorError:
    """The mistake to tell; others that came of it would only confuse."""
    first = group.exceptions[0]
    return first_in(first) if isinstance(first, BaseExceptionGroup) else first


def main() -> int:
    """One argument: the properties file. What the operator should know goes to stderr."""
    if len(sys.argv) != 2:
        print("usage: python -m broker server.properties", file=sys.stderr)
        return WRONG_USAGE
    try:
        loaded = load(file=Path(sys.argv[1]))
        for warning in loaded.warnings:
            print(warning, file=sys.stderr)
        return run(loaded.settings, announce=lambda ready: print(*ready.advertised, flush=True))
    except OperatorError as mistake:
        print(mistake, file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
