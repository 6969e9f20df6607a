"""Every client reads what every other one wrote; docs/clients.md tells how it was sent, stored and given back.

In `none` and `gzip` each release of each client; with `--full` in all codecs, and old clients of Python in all poses.
"""

from collections.abc import Collection
from pathlib import Path

import pytest
import trio

from compat_tests.client_lane import MARK
from compat_tests.client_page import rows_of
from compat_tests.client_table import LINES, Table, make_table
from compat_tests.table_clients import ALL_CODECS
from compat_tests.tools_at_hand import needs

pytestmark = pytest.mark.campaign

PAGE = Path(__file__).parent.parent / "docs" / "clients.md"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Table:
    needs("java")
    needs("kcat")
    folder = tmp_path_factory.mktemp("clients")
    return trio.run(lambda: make_table(folder, full=pytestconfig.getoption("--full")))


def test_every_client_sent_its_codec_and_it_is_stored_so_in_format_v2(table: Table) -> None:
    """`sent` is what went by on the wire, `stored` what the log file has."""
    for client in table.clients:
        for codec in set(client.writes) & set(table.codecs):
            written = table.written[client.name, codec]
            assert {sent.name.lower() for _, sent in written.sent} == {codec}, client.name
            assert {(magic, stored.name.lower()) for magic, stored in written.stored} == {(2, codec)}, client.name


def test_every_client_reads_what_every_client_wrote(table: Table) -> None:
    writers = [client for client in table.clients if client.writes]
    assert len(table.wrote["none"]) == LINES * len(writers)
    for client in table.clients:
        for codec in set(client.reads) & set(table.codecs):
            read = table.read[client.name, codec]
            assert read.lines == table.wrote[codec], f"{client.name}, {codec}: {read.errors}"


def test_old_formats_go_to_old_clients_only(table: Table) -> None:
    """Fetch 0 and 1 bring format v0, 2 and 3 bring v1, later ones what is stored."""
    for (name, codec), read in table.read.items():
        expected = {0 if version < 2 else 1 if version < 4 else 2 for version in read.versions}
        assert read.formats == expected, f"{name}, {codec}"


def test_a_second_member_goes_on_where_the_first_one_committed(table: Table) -> None:
    first, second = ([f"{MARK}{n}" for n in range(start, start + LINES)] for start in (0, LINES))
    for name, halves in table.halves.items():
        assert halves == [first, second], name


def test_the_page_tells_of_every_client_that_never_changes_what_was_seen_now(table: Table) -> None:
    """Clients that are upgraded from time to time may send newer requests than the page says."""
    told = {only_in(table.codecs, line) for line in PAGE.read_text().splitlines()}
    for client in table.clients:
        if client.pinned:
            assert set(rows_of(table, client)) <= told


def only_in(codecs: Collection[str], row: str) -> str:
    """A row of the page, with empty places for the other codecs."""
    cells = row.split("|")
    for place, codec in enumerate(ALL_CODECS, start=3):
        if codec not in codecs and place < len(cells) - 1:
            cells[place] = "  "
    return "|".join(cells)
