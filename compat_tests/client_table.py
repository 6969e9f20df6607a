"""Which client was sent, stored and read as what; `client_page` tells it.

Brokers registered in a real ZooKeeper, since clients of 0.8 look there; a tap on the wire notes what goes by. For each
codec a topic, to which every client that knows the codec writes in turn; then every client that knows it reads all of
the topic. And a topic for each client that has groups: its group reads one half, and later the other. These topics have
nothing to do with each other, so they are shared out between two lanes, each with a broker and a tap of its own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio

from compat_tests.client_lane import MARK, Lane, a_lane
from compat_tests.jars import ZooKeeper
from compat_tests.table_clients import ALL_CODECS, Client, Kcat, every_client
from compat_tests.wire_tap import Formats, Heard
from kproto.api_keys import ApiKey
from kproto.records.batch import split

LINES = 5
"""That each client writes in each codec."""
LENGTH = 240
"""Of a line: compressed even one alone is shorter, else some clients would send it as it is."""

LANES = 2


@dataclass
class Written:
    version: int
    sent: Formats
    stored: Formats


@dataclass
class Read:
    lines: list[str]
    versions: set[int]
    formats: set[int]
    errors: str


@dataclass
class Table:
    """By client's name, and codec; `wrote`: all lines of a codec, in order."""

    clients: list[Client]
    codecs: tuple[str, ...]
    wrote: dict[str, list[str]] = field(default_factory=dict)
    written: dict[tuple[str, str], Written] = field(default_factory=dict)
    read: dict[tuple[str, str], Read] = field(default_factory=dict)
    halves: dict[str, list[list[str]]] = field(default_factory=dict)
    spoken: dict[str, list[Heard]] = field(default_factory=dict)
    """To the group coordinator."""


Job = Callable[[Lane], Awaitable[None]]


async def make_table(folder: Path, *, full: bool = True) -> Table:
    """Run all clients in all they can; or every release of them once, in the two codecs that all of them know.

    Nothing is judged here but that each client comes to its end; when one does not, nothing else is run.
    Raises: ExceptionGroup with the AssertionError of `Lane.run`.
    """
    clients = await trio.to_thread.run_sync(partial(every_client, folder, every_pose=full))
    table = Table(clients, ALL_CODECS if full else ALL_CODECS[:2])
    members = [client for client in clients if client.groups]
    topics = [*table.codecs, *(group_of(client) for client in members)]
    jobs: list[Job] = [partial(one_codec, table, codec) for codec in table.codecs]
    left = iter(jobs + [partial(one_group, table, client) for client in members])

    async def work(name: str) -> None:
        async with a_lane(folder / name, f"{zookeeper.address}/{name}", topics) as lane:
            for job in left:
                await job(lane)

    with ZooKeeper(folder) as zookeeper:
        async with trio.open_nursery() as lanes:
            for number in range(LANES):
                lanes.start_soon(work, f"lane-{number}")
    return table


def group_of(client: Client) -> str:
    """A name for its group, and the group's topic."""
    return "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in client.name)


async def one_codec(table: Table, codec: str, lane: Lane) -> None:
    table.wrote[codec] = []
    for client in table.clients:
        if codec in client.writes:
            lines = [f"{MARK}{n} in {codec} by {client.name} ".ljust(LENGTH, ".") for n in range(LINES)]
            table.written[client.name, codec] = await written(client, codec, lines, lane)
            table.wrote[codec] += lines
    for client in table.clients:
        if codec in client.reads:
            run = await lane.run(client, client.to_read(lane.place, codec, len(table.wrote[codec])))
            fetched = run.of(ApiKey.FETCH)
            formats = {magic for each in fetched for magic, _ in each.formats}
            versions = {each.version for each in fetched}
            table.read[client.name, codec] = Read(run.lines, versions, formats, run.errors)


async def written(client: Client, codec: str, lines: list[str], lane: Lane) -> Written:
    before = stored_bytes(lane, codec)
    run = await lane.run(client, client.to_write(lane.place, codec, codec), "".join(f"{line}\n" for line in lines))
    sent = run.of(ApiKey.PRODUCE)
    assert sent, f"{client.name} ended well and sent nothing in {codec}:\n{run.errors}"
    batches = [header for header, _ in split(memoryview(stored_bytes(lane, codec)[len(before) :]))]
    stored = frozenset((header.magic, header.codec) for header in batches)
    formats: Formats = frozenset().union(*(each.formats for each in sent))
    return Written(max(each.version for each in sent), formats, stored)


def stored_bytes(lane: Lane, topic: str) -> bytes:
    """The file is made with the first batch."""
    log = lane.broker.data / f"{topic}-0" / f"{0:020}.log"
    return log.read_bytes() if log.exists() else b""


async def one_group(table: Table, client: Client, lane: Lane) -> None:
    """Two members, one after the other, while kcat writes the topic."""
    group, writer = group_of(client), Kcat()
    table.halves[client.name], table.spoken[client.name] = [], []
    for half in range(2):
        lines = "".join(f"{MARK}{LINES * half + n}\n" for n in range(LINES))
        await lane.run(writer, writer.to_write(lane.place, group, "none"), lines)
        run = await lane.run(client, client.to_read(lane.place, group, LINES, group, goes_on=half == 1))
        table.halves[client.name].append(run.lines)
        table.spoken[client.name] += run.heard
