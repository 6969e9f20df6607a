"""A broker of its own, registered in a real ZooKeeper, behind a tap; clients run there one after the other."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import trio
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess
from compat_tests.table_clients import Client, Place
from compat_tests.wire_tap import Heard, WireTap
from kproto.api_keys import ApiKey

MARK = "line "
"""All lines begin so; what else a client prints does not."""
RUN_S = 120
"""For one run of a client."""
SILENCE_S = 15
"""For the broker to close the connections of a client that has gone."""


class Run(NamedTuple):
    """What a client printed, and what the tap heard of it meanwhile."""

    lines: list[str]
    errors: str
    heard: list[Heard]

    def of(self, api: ApiKey) -> list[Heard]:
        return [each for each in self.heard if each.api is api]


@dataclass
class Lane:
    """A broker behind a tap; one client at a time runs here, so that what is heard is known to be of it."""

    broker: BrokerProcess
    tap: WireTap
    place: Place

    async def run(self, client: Client, command: list[str], stdin: str = "") -> Run:
        """Until it has ended, and the broker has done all that it asked: not every client waits for that.

        Raises: AssertionError: it ran for too long, or failed, or the tap did not understand it.
        """
        before = len(self.tap.heard)
        printed, errors = await to_its_end(client.name, command, stdin)
        assert await self.tap.silence(SILENCE_S), f"{client.name}: {SILENCE_S} s after its end it is still connected"
        assert self.tap.failures == [], client.name
        lines = [line for line in printed.splitlines() if line.startswith(MARK)]
        return Run(lines, errors, self.tap.heard[before:])


async def to_its_end(who: str, command: list[str], stdin: str, within_s: float = RUN_S) -> tuple[str, str]:
    """What it said on stdout and stderr. Raises: AssertionError with both: it failed, or was killed after that time."""
    with said_file() as printed, said_file() as errors:
        ended = None
        with trio.move_on_after(within_s):
            ended = await trio.run_process(command, stdin=stdin.encode(), stdout=printed, stderr=errors, check=False)
        for file in (printed, errors):
            file.seek(0)
        said = printed.read(), errors.read()
    how = f"still ran after {within_s} s" if ended is None else f"ended with {ended.returncode}"
    assert how == "ended with 0", f"{who} {how}: {' '.join(command)}\n{''.join(said)}"
    return said


def said_file() -> IO[str]:
    """Not a pipe, which would lose what a killed client had said."""
    return tempfile.TemporaryFile("w+", errors="replace")


@asynccontextmanager
async def a_lane(folder: Path, zookeeper: str, topics: list[str]) -> AsyncIterator[Lane]:
    """With these topics, of one partition each. Args: folder: it is made; zookeeper: with a path of the lane's own."""
    tap = WireTap()
    place = Place(f"127.0.0.1:{tap.port}", zookeeper, folder)
    broker = broker_at(place)
    async with trio.open_nursery() as background:
        background.start_soon(tap.run, broker.port)
        try:
            await trio.to_thread.run_sync(broker.start)
            await trio.to_thread.run_sync(create_topics, place, topics)
            yield Lane(broker, tap, place)
        finally:
            broker.stop()
        background.cancel_scope.cancel()


def broker_at(place: Place) -> BrokerProcess:
    """Not started yet; its clients find it there."""
    place.folder.mkdir()
    properties = {
        "broker.id": "0",
        "zookeeper.connect": place.zookeeper,
        "advertised.listeners": f"PLAINTEXT://{place.bootstrap}",
        "offsets.topic.replication.factor": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    return BrokerProcess(place.folder, properties=properties)


def create_topics(place: Place, names: list[str]) -> None:
    """Once that is answered they have leaders."""
    admin = KafkaAdminClient(bootstrap_servers=place.bootstrap)
    admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1) for name in names])
    admin.close()
