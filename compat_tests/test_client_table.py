"""Every client reads what every other one wrote; docs/clients.md tells how it was sent, stored and given back."""

from pathlib import Path

import pytest

from compat_tests.client_table import LINES, Table, make_table, rows_of
from compat_tests.table_clients import ALL_CODECS, MARK
from compat_tests.tools_at_hand import needs

pytestmark = [pytest.mark.campaign, pytest.mark.full]

PAGE = Path(__file__).parent.parent / "docs" / "clients.md"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Table:
    needs("java")
    needs("kcat")
    return make_table(tmp_path_factory.mktemp("clients"), full=pytestconfig.getoption("--full"))


def test_every_client_sent_its_codec_and_it_is_stored_so_in_format_v2(table: Table) -> None:
    """`sent` is what went by on the wire, `stored` what the log file has."""
    for client in table.clients:
        for codec in client.writes:
            written = table.written[client.name, codec]
            assert {sent.name.lower() for _, sent in written.sent} == {codec}, client.name
            assert {(magic, stored.name.lower()) for magic, stored in written.stored} == {(2, codec)}, client.name


def test_every_client_reads_what_every_client_wrote(table: Table) -> None:
    writers = [client for client in table.clients if client.writes]
    assert len(table.wrote["none"]) == LINES * len(writers)
    for codec in ALL_CODECS:
        for client in table.clients:
            if codec in client.reads:
                assert table.read[client.name, codec].lines == table.wrote[codec], f"{client.name}, {codec}"


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
    told = PAGE.read_text().splitlines()
    for client in table.clients:
        if client.pinned:
            assert [row for row in rows_of(table, client) if row not in told] == []
