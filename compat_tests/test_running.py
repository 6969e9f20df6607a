"""How a broker comes up and goes: what the bare command says and leaves, its options, and signals at any moment."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from compat_tests.broker_process import BrokerProcess, free_port
from compat_tests.command import ROOT, Started, barnabas, environment
from compat_tests.typed_client import Closed, TypedClient
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol

READY = "Ctrl-C stops"


def port_of(said: str) -> int:
    return int(said.split("Kafka at localhost:")[1].split(" ")[0])


# --- coming up ---


def test_a_bare_barnabas_says_where_it_is_and_keeps_its_data_out_of_git(tmp_path: Path) -> None:
    """Port and folder are the defaults; the port may be taken on this machine, so another is asked for."""
    with Started("--any-port", folder=tmp_path) as broker:
        said = broker.until("consume hello")
        first, tries = said.splitlines()
        assert first.startswith("Barnabas 0.1 · Kafka at localhost:")
        assert first.endswith(" · data in ./barnabas-data · Ctrl-C stops")
        assert tries.startswith("  try:  barnabas produce hello")
        broker.send(signal.SIGINT)
        assert broker.ended() == 0
    assert (tmp_path / "barnabas-data" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / "barnabas-data" / "meta.properties").exists()
    assert len(broker.said.splitlines()) == 2


def test_what_the_banner_says_to_try_works(tmp_path: Path) -> None:
    """The very two lines, with a value for the first."""
    with Started("--port", str(free_port()), folder=tmp_path) as broker:
        said = broker.until("consume hello")
        produce, consume = said.split("try:  ")[1].split("     ")
        sent = barnabas(*produce.split()[1:], folder=tmp_path, stdin="a\nb\n")
        assert (sent.returncode, sent.stderr) == (0, "")
        read = barnabas(*consume.split()[1:], "-e", folder=tmp_path)
        assert (read.returncode, read.stdout) == (0, "a\nb\n")


def test_dev_keeps_nothing_and_waits_for_no_group_member(tmp_path: Path) -> None:
    with Started("dev", "--port", "0", folder=tmp_path) as broker:
        said = broker.until(READY)
        assert "data in memory only" in said
        bootstrap = f"localhost:{port_of(said)}"
        producer = KafkaProducer(bootstrap_servers=bootstrap)
        producer.send("t", b"x").get(10)
        producer.close()
        began = time.monotonic()
        consumer = KafkaConsumer("t", bootstrap_servers=bootstrap, group_id="g", auto_offset_reset="earliest")
        assert next(consumer).value == b"x"
        consumer.close()
        assert time.monotonic() - began < 3
    assert list(tmp_path.iterdir()) == []


def test_topics_are_there_when_the_banner_is(tmp_path: Path) -> None:
    with Started("--port", "0", "--topics", "orders:3,events:1:compact", folder=tmp_path) as broker:
        where = ["--bootstrap-server", f"localhost:{port_of(broker.until(READY))}"]
        described = barnabas("topics", "describe", "--output", "json", *where, folder=tmp_path)
    topics = {row["topic"]: row for row in map(json.loads, described.stdout.splitlines())}
    assert len(topics["orders"]["partitions"]) == 3
    assert len(topics["events"]["partitions"]) == 1
    assert topics["events"]["configs"]["cleanup.policy"] == "compact"


def test_variables_of_a_compose_file_count(tmp_path: Path) -> None:
    """As the images of apache/kafka and confluentinc/cp-kafka read them."""
    port = free_port()
    variables = {
        "CLUSTER_ID": "MkU3OEVBNTcwNTJENDM2Qk",
        "KAFKA_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_NUM_PARTITIONS": "4",
        "KAFKA_CREATE_TOPICS": "made:2:1",
    }
    with Started("dev", folder=tmp_path, variables=variables) as broker:
        assert f"Kafka at 127.0.0.1:{port}" in broker.until(READY)
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}")
        assert admin.describe_cluster()["cluster_id"] == variables["CLUSTER_ID"]
        [made] = admin.describe_topics(["made"])
        assert len(made["partitions"]) == 2
        admin.create_topics({"other": {}})
        [other] = admin.describe_topics(["other"])
        assert len(other["partitions"]) == 4
        admin.close()


def test_with_a_host_clients_are_told_the_address_they_came_to(tmp_path: Path) -> None:
    """Bound to every address, 127.0.0.1 is the local end of this test's connections."""
    with Started("--host", "0.0.0.0", "--port", str(port := free_port()), folder=tmp_path) as broker:
        broker.until(READY)
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}")
        assert [each["host"] for each in admin.describe_cluster()["brokers"]] == ["127.0.0.1"]
        admin.close()


def test_containers_have_a_line_of_their_own(tmp_path: Path) -> None:
    with Started("dev", "--port", "0", "--containers", folder=tmp_path) as broker:
        assert broker.until("try:").splitlines()[1] == "  containers: host.docker.internal:19092"


def test_a_broker_with_a_file_logs_in_kafkas_words(tmp_path: Path) -> None:
    """Scripts and container tools wait for these."""
    process = BrokerProcess(tmp_path, properties={"broker.id": "7"})
    file = tmp_path / "server.properties"
    with Started("broker", str(file), folder=tmp_path) as broker:
        said = broker.until("RUNNING")
    assert process.port
    assert "] INFO [KafkaServer id=7] started (kafka.server.KafkaServer)" in said
    assert "] INFO [KafkaRaftServer nodeId=7] Kafka Server started (kafka.server.KafkaRaftServer)" in said
    assert "] INFO [BrokerServer id=7] Transitioning from RECOVERY to RUNNING (kafka.server.BrokerServer)" in said
    assert "Barnabas" not in said


def test_the_broker_runs_without_the_command_and_warns_all_the_same(tmp_path: Path) -> None:
    """`python -m broker FILE`, from a checkout."""
    process = BrokerProcess(tmp_path, properties={"broker.id": "7", "log.retentoin.hours": "5"})
    with Started(str(tmp_path / "server.properties"), folder=tmp_path, module="broker") as broker:
        said = broker.until(process.bootstrap)
        assert "log.retentoin.hours is not an option. Did you mean log.retention.hours?" in said
        broker.send(signal.SIGTERM)
        assert broker.ended() == 0


def test_a_log_that_nobody_reads_any_more_does_not_disturb_the_broker(tmp_path: Path) -> None:
    """`barnabas broker FILE | head -1`."""
    process = BrokerProcess(tmp_path, properties={"broker.id": "7"})
    errors = tmp_path / "errors"
    with errors.open("wb") as stderr:
        broker = subprocess.Popen(
            [sys.executable, "-m", "barnabas", "broker", str(tmp_path / "server.properties")],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        assert broker.stdout is not None
        broker.stdout.readline()
        broker.stdout.close()
        admin = KafkaAdminClient(bootstrap_servers=process.bootstrap)
        assert [each["broker_id"] for each in admin.describe_cluster()["brokers"]] == [7]
        admin.close()
        broker.send_signal(signal.SIGTERM)
        assert broker.wait(10) == 0
    finally:
        broker.kill()
        broker.wait()
    assert errors.read_text() == ""


# --- going ---


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_broker_stops_within_two_seconds_and_cleanly(tmp_path: Path, order: signal.Signals) -> None:
    with Started("--port", "0", folder=tmp_path) as broker:
        broker.until("consume hello")
        began = time.monotonic()
        broker.send(order)
        assert broker.ended() == 0
        assert time.monotonic() - began < 2
    assert len(broker.said.splitlines()) == 2  # the banner, and nothing at the end
    assert (tmp_path / "barnabas-data" / ".kafka_cleanshutdown").exists()


def test_a_member_that_waits_for_others_does_not_hold_up_a_stop(own_broker: BrokerProcess) -> None:
    """Its JoinGroup waits for a member that will not come back; the connection just ends."""
    with TypedClient(own_broker.port) as coordinator, TypedClient(own_broker.port) as waiting:
        coordinator.ask(FindCoordinatorRequest(key="g"), 2)
        first = JoinGroupRequest(
            group_id="g",
            session_timeout_ms=300_000,
            rebalance_timeout_ms=300_000,
            protocol_type="consumer",
            protocols=[JoinGroupRequestProtocol(name="range", metadata=b"")],
        )
        while coordinator.ask(first, 2).error_code in (14, 15, 16):
            time.sleep(0.05)
        waiting.send(first, 2)  # a second member: the first would have to join again
        with pytest.raises(TimeoutError):
            waiting.answer(within_s=0.5)
        began = time.monotonic()
        assert own_broker.stop() == 0
        assert time.monotonic() - began < 2
        with pytest.raises(Closed):
            waiting.answer()


IN_SHORT = [(50, signal.SIGINT), (150, signal.SIGTERM), (300, signal.SIGINT), (450, signal.SIGTERM)]
OTHERS = [(50, signal.SIGTERM), (150, signal.SIGINT), (300, signal.SIGTERM), (450, signal.SIGINT)]


@pytest.mark.parametrize(
    ("after_ms", "order"), [*IN_SHORT, *(pytest.param(*each, marks=pytest.mark.campaign) for each in OTHERS)]
)
def test_a_signal_ends_a_start_and_the_next_start_finds_all_in_order(
    tmp_path: Path, order: signal.Signals, after_ms: int
) -> None:
    """Whether the interpreter, our modules or the broker are being loaded."""
    with Started("--port", "0", folder=tmp_path) as broker:
        time.sleep(after_ms / 1000)
        code = ended_by(order, broker)
    if code == 1:  # the interpreter was interrupted while it loaded itself, before it ran a line of ours
        assert "KeyboardInterrupt" in broker.said
    else:  # before the broker's loop runs the system ends it, after that the broker
        assert code in (0, -order), broker.said
    for room in ("broker", "tools"):
        assert str(ROOT / room) not in broker.said, "a traceback through our modules"
    with Started("--port", "0", folder=tmp_path) as again:
        again.until(READY)
        again.send(signal.SIGTERM)
        assert again.ended() == 0


def ended_by(order: signal.Signals, broker: Started) -> int:
    """The exit code, within two seconds. An interpreter that is being loaded may lose a Ctrl-C, and says so: again."""
    broker.send(order)
    try:
        return broker.ended(within_s=2)
    except subprocess.TimeoutExpired:
        assert "Exception ignored in" in broker.said, broker.said
    broker.send(order)
    return broker.ended(within_s=2)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "198.51.100.7:2181"], ids=["refused", "silent"])
def test_a_signal_ends_a_start_that_waits_for_zookeeper(tmp_path: Path, address: str) -> None:
    BrokerProcess(tmp_path, properties={"broker.id": "7", "zookeeper.connect": address})
    with Started("broker", str(tmp_path / "server.properties"), folder=tmp_path) as broker:
        broker.until("connecting to")
        began = time.monotonic()
        broker.send(signal.SIGINT)
        assert broker.ended() == 0
        assert time.monotonic() - began < 2
    assert "Traceback" not in broker.said
