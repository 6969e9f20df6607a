"""One broker for all tests of a file, names of its own for each test; a fresh broker where a test kills it."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from compat_tests.bad_frames import AT_LEAST, is_whole, noted
from compat_tests.broker_process import BrokerProcess
from compat_tests.frames import request_frame
from compat_tests.typed_client import TypedClient
from compat_tests.wire import RawClient, outcome
from kproto.messages.api_versions import ApiVersionsRequest

MIB = 1024 * 1024
_numbers = itertools.count()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Shared by the tests of a module: they leave it running."""
    process = BrokerProcess(tmp_path_factory.mktemp("broker")).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def client(broker: BrokerProcess) -> Iterator[TypedClient]:
    """One connection for all tests of a module: a polite no does not close it."""
    with TypedClient(broker.port) as client:
        yield client


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """One test's own, to be killed and started at will."""
    process = BrokerProcess(tmp_path).start()
    yield process
    process.stop()


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return f"{request.node.originalname}-{next(_numbers)}".replace("_", "-")[:200]


@pytest.fixture(scope="module")
def frames_sent(request: pytest.FixtureRequest) -> Iterator[set[int]]:
    """Hashes of the different ones, of a file of bad input; at its end there must be enough."""
    sent: set[int] = set()
    yield sent
    if is_whole(request.config):
        assert len(sent) >= AT_LEAST[request.path.stem], f"{len(sent)} different frames"


@pytest.fixture(autouse=True)
def bad_frames_are_counted(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[None]:
    """In the files of bad input only."""
    if not request.path.stem.startswith("test_bad_"):
        yield
        return
    frames: set[int] = request.getfixturevalue("frames_sent")
    before = len(frames)
    with noted(frames):
        yield
    record_property(f"counted different frames of {request.path.stem}", len(frames) - before)


@pytest.fixture
def nobody_else_is_disturbed(broker: BrokerProcess) -> Iterator[None]:
    """A connection that was there before a bad one is served after it."""
    with RawClient(broker.port) as bystander:
        yield
        bystander.send(request_frame(ApiVersionsRequest(), 0))
        assert bystander.answer() is not None


@pytest.fixture(scope="module")
def memory_stays_bounded(broker: BrokerProcess) -> Iterator[None]:
    """Over all cases of a file: thousands of hostile connections, and in one of them a few announced gigabytes."""
    process = psutil.Process(broker.pid)
    outcome(broker.port, request_frame(ApiVersionsRequest(), 0))
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss - before < 64 * MIB
    assert process.num_fds() < 200
