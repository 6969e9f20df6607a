"""The table of clients as text: `python -m compat_tests.client_page` prints docs/clients.md, after some minutes."""

import tempfile
from pathlib import Path

import trio

from compat_tests.client_table import LINES, Table, make_table
from compat_tests.table_clients import ALL_CODECS, Client
from compat_tests.wire_tap import Formats
from kproto.api_keys import ApiKey

GROUP_APIS = (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP, ApiKey.OFFSET_FETCH, ApiKey.OFFSET_COMMIT)
HEAD = f"""# Clients

What unmodified clients sent, what Barnabas stored, and what they read, as the tests saw it on the wire and on the disk.
Made by `python -m compat_tests.client_page > docs/clients.md`, which wants java 17, mvn, kcat, node, npm and go.
The campaign holds every release of each client to what is told here, in `none` and `gzip`, and to reading what all
others wrote; with `--full` it runs the whole table.

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
Groups of the clients of Node and Go are in [another test](../compat_tests/test_other_languages.py).
"""


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
        print(page(trio.run(make_table, Path(folder))), end="")
