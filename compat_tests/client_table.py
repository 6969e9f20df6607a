"""Which client was sent, stored and read as what: `python -m compat_tests.client_table` prints docs/clients.md.

One broker, registered in a real ZooKeeper since clients of 0.8 look there; a tap on the wire notes what goes by. For
each codec a topic, to which every client that knows the codec writes in turn; then every client that knows it reads
all of the topic. And a topic for each client that has groups: its group reads one half, and later the other.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import ZooKeeper
from compat_tests.table_clients import ALL_CODECS, MARK, Client, Place, every_client
from compat_tests.wire_tap import Formats, Heard, WireTap
from kproto.api_keys import ApiKey
from kproto.records.batch import split

LINES = 5
"""That each client writes in each codec."""

GROUP_APIS = (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP, ApiKey.OFFSET_FETCH, ApiKey.OFFSET_COMMIT)
HEAD = f"""# Clients

What unmodified clients sent, what Barnabas stored, and what they read, as the tests saw it on the wire and on the disk.
Made by `python -m compat_tests.client_table > docs/clients.md`, which wants java 17, mvn and kcat. With
`-m campaign --full` the tests hold the rows of clients that never change to what is told here, and all clients to
reading what all others wrote.

*v0* and *v1* are the message sets of Kafka before 0.11, *v2* its batches since. Nothing but v2 is ever written to disk.

## Written

{LINES} lines from each client in each codec: the format in which they were sent → the one in which they were stored, in
the same codec. An empty place: the client does not know the codec.
"""
READ = """
## Read

All lines that all clients above wrote in that codec: the formats in which the client was given them.
"""
GROUPS = """
## Groups

Two members of a group, one after the other: the second got what was written after the first had gone, and nothing else.
Heartbeats are left out: whether there is time for one is chance. Clients of 0.8 commit to ZooKeeper by themselves.
"""


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


@dataclass
class Table:
    """By client's name, and codec; `wrote`: all lines of a codec, in order."""

    clients: list[Client]
    wrote: dict[str, list[str]] = field(default_factory=dict)
    written: dict[tuple[str, str], Written] = field(default_factory=dict)
    read: dict[tuple[str, str], Read] = field(default_factory=dict)
    halves: dict[str, list[list[str]]] = field(default_factory=dict)
    spoken: dict[str, list[Heard]] = field(default_factory=dict)
    """To the group coordinator."""


MIDDLE_ONES = ("kafka-python 1.4.7, api", "kafka-python 2.0.2", "kafka-python 2.2")
"""Between the oldest and the newest, in a dozen poses."""


def make_table(folder: Path, *, full: bool = True) -> Table:
    """Run all clients, or those that are not in the middle; nothing is judged here.

    Raises: AssertionError: the tap did not understand what it heard.
    """
    with broker_behind_a_tap(folder) as (broker, tap, place):
        clients = [client for client in every_client(folder) if full or not client.name.startswith(MIDDLE_ONES)]
        table = Table(clients)
        names = [client.name for client in table.clients if client.groups]
        create_topics(place, [*ALL_CODECS, *(group_of(name) for name in names)])
        for codec in ALL_CODECS:
            write_all(table, codec, broker, tap, place)
        for codec in ALL_CODECS:
            read_all(table, codec, tap, place)
        for client in table.clients:
            if client.groups:
                read_in_a_group(table, client, tap, place)
        assert tap.failures == []
    return table


@contextmanager
def broker_behind_a_tap(folder: Path) -> Iterator[tuple[BrokerProcess, WireTap, Place]]:
    with ZooKeeper(folder) as zookeeper, WireTap() as tap:
        bootstrap = f"127.0.0.1:{tap.port}"
        properties = {
            "broker.id": "0",
            "zookeeper.connect": zookeeper.address,
            "advertised.listeners": f"PLAINTEXT://{bootstrap}",
            "offsets.topic.replication.factor": "1",
        }
        broker = BrokerProcess(folder, properties=properties)
        broker.start()
        tap.connect_to(broker.port)
        try:
            yield broker, tap, Place(bootstrap, zookeeper.address, folder)
        finally:
            broker.stop()


def create_topics(place: Place, names: list[str]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=place.bootstrap)
    admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1) for name in names])
    admin.close()


def group_of(name: str) -> str:
    """A name for its group, and the group's topic."""
    return "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in name)


def write_all(table: Table, codec: str, broker: BrokerProcess, tap: WireTap, place: Place) -> None:
    log = broker.data / f"{codec}-0" / f"{0:020}.log"
    table.wrote[codec] = []
    for client in table.clients:
        if codec in client.writes:
            lines = [f"{MARK}{n} in {codec} by {client.name}" for n in range(LINES)]
            heard, position = len(tap.heard), log.stat().st_size if log.exists() else 0
            client.write(place, codec, codec, lines)
            table.wrote[codec] += lines
            sent = [each for each in tap.heard[heard:] if each.api is ApiKey.PRODUCE]
            batches = [header for header, _ in split(memoryview(log.read_bytes()[position:]))]
            stored = frozenset((header.magic, header.codec) for header in batches)
            formats: Formats = frozenset().union(*(each.formats for each in sent))
            table.written[client.name, codec] = Written(
                max((each.version for each in sent), default=-1), formats, stored
            )


def read_all(table: Table, codec: str, tap: WireTap, place: Place) -> None:
    for client in table.clients:
        if codec in client.reads:
            heard = len(tap.heard)
            lines = client.read(place, codec, len(table.wrote[codec]))
            fetched = [each for each in tap.heard[heard:] if each.api is ApiKey.FETCH]
            formats = {magic for each in fetched for magic, _ in each.formats}
            table.read[client.name, codec] = Read(lines, {each.version for each in fetched}, formats)


def read_in_a_group(table: Table, client: Client, tap: WireTap, place: Place) -> None:
    writer = next(each for each in table.clients if each.name == "kcat")
    group, heard = group_of(client.name), len(tap.heard)
    table.halves[client.name] = []
    for half in range(2):
        writer.write(place, group, "none", [f"{MARK}{LINES * half + n}" for n in range(LINES)])
        table.halves[client.name].append(client.read(place, group, LINES, group, goes_on=half == 1))
    table.spoken[client.name] = tap.heard[heard:]


# --- as text ---


def magics(formats: Formats) -> str:
    return ", ".join(f"v{magic}" for magic in sorted({magic for magic, _ in formats}))


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def written_row(table: Table, client: Client) -> str:
    found = [table.written.get((client.name, codec)) for codec in ALL_CODECS]
    version = max(each.version for each in found if each is not None)
    cells = ["" if each is None else f"{magics(each.sent)} → {magics(each.stored)}" for each in found]
    return row(client.name, f"Produce {version}", *cells)


def read_row(table: Table, client: Client) -> str:
    found = [table.read.get((client.name, codec)) for codec in ALL_CODECS]
    versions = sorted({version for each in found if each is not None for version in each.versions})
    cells = ["" if each is None else ", ".join(f"v{magic}" for magic in sorted(each.formats)) for each in found]
    return row(client.name, f"Fetch {', '.join(map(str, versions))}", *cells)


def group_row(table: Table, client: Client) -> str:
    spoken = {(each.api, each.version) for each in table.spoken[client.name]}
    told = [f"{api.kafka_name} {version}" for api in GROUP_APIS for key, version in sorted(spoken) if key is api]
    return row(client.name, ", ".join(told) or "–")


def rows_of(table: Table, client: Client) -> list[str]:
    """What is told of a client."""
    rows = [written_row(table, client)] if client.writes else []
    rows += [read_row(table, client)] if client.reads else []
    return rows + ([group_row(table, client)] if client.groups else [])


def page(table: Table) -> str:
    head = [row("client", "request", *ALL_CODECS), row(*["---"] * (2 + len(ALL_CODECS)))]
    written = [written_row(table, client) for client in table.clients if client.writes]
    read = [read_row(table, client) for client in table.clients if client.reads]
    groups = [group_row(table, client) for client in table.clients if client.groups]
    parts = [HEAD, *head, *written, READ, *head, *read, GROUPS, row("client", "requests"), row("---", "---"), *groups]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(page(make_table(Path(folder))), end="")
