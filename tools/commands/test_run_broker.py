"""From options of the command to settings, up to the broker's door."""

import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.config.http_listener import http_addresses
from broker.config.load import load
from broker.config.problems import OperatorError
from broker.config.profiles import LAPTOP, MEMORY_ONLY
from broker.config.settings import BrokerSettings
from tools.commands import run_broker
from tools.commands.run_broker import is_taken, listening, own_address, prepare_directories, when_topics_exist
from tools.log_lines import KafkaFormatter
from tools.ready import ReadyInfo
from tools.startup_topics import StartupTopic


def settings_of(overrides: list[str]) -> BrokerSettings:
    return load(overrides=overrides, defaults=LAPTOP).settings


def test_without_options_the_profile_listens() -> None:
    assert listening(None, None, any_port=False, containers=False) == []


@pytest.mark.parametrize(
    ("defaults", "pages", "control"),
    [
        pytest.param(LAPTOP, ("127.0.0.1", 9644), False, id="barnabas"),
        pytest.param(MEMORY_ONLY, ("127.0.0.1", 9644), True, id="dev"),
        pytest.param(None, None, False, id="broker FILE"),
    ],
)
def test_who_has_pages_over_http_and_who_is_steered_by_them(
    defaults: Mapping[str, str] | None, pages: tuple[str, int] | None, control: bool
) -> None:
    settings = load(defaults=defaults).settings
    addresses = http_addresses(settings.barnabas_http_listener)
    assert (next(iter(addresses), None), settings.barnabas_control_api) == (pages, control)


def test_a_port_is_bound_on_both_loopback_addresses() -> None:
    (plan,) = settings_of(listening(None, 5000, any_port=False, containers=False)).listening.listeners
    assert (plan.hosts, plan.port, str(plan.advertised)) == (
        ("127.0.0.1", "::1"),
        5000,
        "PLAINTEXT://localhost:5000",
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::1"])
def test_a_host_tells_each_client_the_local_end_of_its_connection(host: str) -> None:
    (plan,) = settings_of(listening(host, None, any_port=False, containers=False)).listening.listeners
    assert (plan.hosts, plan.port, plan.tells_local_end) == ((host,), 9092, True)


def test_containers_get_a_listener_of_their_own() -> None:
    plain, containers = settings_of(listening(None, None, any_port=False, containers=True)).listening.listeners
    assert str(plain.advertised) == "PLAINTEXT://localhost:9092"
    assert (containers.hosts, str(containers.advertised)) == (
        ("0.0.0.0",),
        "CONTAINERS://host.docker.internal:19092",
    )


def test_any_port_takes_a_free_one_only_if_the_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        assert is_taken("localhost", port)
        (taken,) = listening(None, port, any_port=True, containers=False)
    assert taken == "listeners=PLAINTEXT://localhost:0"
    assert not is_taken("localhost", port)
    (free,) = listening(None, port, any_port=True, containers=False)
    assert free == f"listeners=PLAINTEXT://localhost:{port}"


def test_a_new_data_directory_is_kept_out_of_git(tmp_path: Path) -> None:
    prepare_directories(settings_of([f"log.dirs={tmp_path}/a,{tmp_path}/b/c"]))
    assert (tmp_path / "a" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / "b" / "c" / ".gitignore").exists()


def test_a_directory_that_has_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "meta.properties").write_text("")
    prepare_directories(settings_of([f"log.dirs={tmp_path}"]))
    assert not (tmp_path / ".gitignore").exists()


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="Cannot keep data in"):
        prepare_directories(settings_of([f"log.dirs={tmp_path}/file/data"]))


def test_memory_needs_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare_directories(load(defaults=MEMORY_ONLY).settings)
    assert list(tmp_path.iterdir()) == []


@dataclass
class Place:
    host: str
    port: int


@dataclass
class Ready:
    broker_id: int
    advertised: Sequence[Place]
    web: Sequence[Place] = ()


def test_without_topics_the_broker_is_announced_at_once() -> None:
    announced: list[ReadyInfo] = []
    ready = Ready(0, [Place("localhost", 9092)])
    when_topics_exist(settings_of([]), ready, [], announced.append)
    assert announced == [ready]


def test_with_topics_the_broker_is_announced_after_them_even_if_one_failed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import threading

    asked: list[tuple[str, int]] = []
    announced = threading.Event()

    def refuse(host: str, port: int, topics: Sequence[StartupTopic]) -> None:
        assert not announced.is_set()
        asked.append((host, port))
        raise OperatorError("The topic orders was not created.", "INVALID_REPLICATION_FACTOR", "")

    monkeypatch.setattr(run_broker, "create_topics", refuse)
    ready = Ready(0, [Place("localhost", 5000)])
    when_topics_exist(
        settings_of(["listeners=PLAINTEXT://localhost:0"]), ready, [StartupTopic("orders")], lambda _: announced.set()
    )
    assert announced.wait(10)
    assert asked == [("127.0.0.1", 5000)]
    assert "orders was not created" in caplog.text


@pytest.mark.parametrize(
    ("listeners", "address"),
    [
        ("PLAINTEXT://0.0.0.0:9092", ("127.0.0.1", 9092)),
        ("PLAINTEXT://:9092", ("127.0.0.1", 9092)),
        ("PLAINTEXT://[::]:9092", ("::1", 9092)),
        ("PLAINTEXT://10.0.0.1:0", ("10.0.0.1", 29092)),
    ],
)
def test_the_command_reaches_its_broker_where_it_listens_not_where_others_are_sent(
    listeners: str, address: tuple[str, int]
) -> None:
    overrides = [f"listeners={listeners}", "advertised.listeners=PLAINTEXT://mapped:29092"]
    assert own_address(settings_of(overrides), Ready(0, [Place("mapped", 29092)])) == address


def test_log_lines_have_the_shape_of_kafkas() -> None:
    record = logging.LogRecord(
        "kafka.server.KafkaServer", logging.WARNING, "", 0, "[KafkaServer id=%d] started", (0,), None
    )
    line = KafkaFormatter().format(record)
    assert line.endswith("] WARN [KafkaServer id=0] started (kafka.server.KafkaServer)")
    assert line[0] == "["
    assert line[24] == "]"


def test_the_sample_file_has_no_mistake() -> None:
    sample = Path(__file__).resolve().parents[2] / "config" / "server.properties"
    loaded = load(file=sample)
    assert loaded.settings.broker_id == 0
    assert not any("is not an option" in warning for warning in loaded.warnings)
