"""Names of topics, groups and directories that nobody can have: over a real socket, at every version, with their code.

Nothing of such a name reaches a path.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat_tests.bad_names import CASES
from compat_tests.broker_process import BrokerProcess
from compat_tests.test_bad_admin_requests import OPTIONS, check, prepare, served, versions_of
from compat_tests.typed_client import TypedClient
from kproto.api_keys import ApiKey


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=OPTIONS).start()
    prepare(process.port)
    yield process
    process.stop()


def folders(broker: BrokerProcess) -> set[Path]:
    return {path for path in broker.folder.parent.rglob("*") if path.is_dir()}


@pytest.mark.parametrize("key", sorted({case.key for case in CASES}), ids=lambda key: ApiKey(key).kafka_name)
def test_each_is_answered_with_its_code_at_every_version(broker: BrokerProcess, key: ApiKey) -> None:
    """On one connection, which goes on; directories stay as they were."""
    before = folders(broker)
    with TypedClient(broker.port) as client:
        for case in CASES:
            if case.key is key:
                for version in versions_of(case, served()):
                    check(client, case, version)
        assert client.end_offset("aged") == 3
    assert folders(broker) == before
