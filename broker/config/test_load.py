"""From files, the environment and overrides to settings, and what an operator hears about mistakes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from broker.config.load import Loaded, load
from broker.config.problems import OperatorError
from broker.config.profiles import LAPTOP, MEMORY_ONLY


def of(text: str, tmp_path: Path, **more: object) -> Loaded:
    file = tmp_path / "server.properties"
    file.write_text(text)
    return load(file=file, **more)  # type: ignore[arg-type]


def refusal(**texts: str) -> OperatorError:
    """What the operator hears if these options are overridden; `_` stands for a dot."""
    with pytest.raises(OperatorError) as caught:
        load(overrides=[f"{name.replace('_', '.')}={text}" for name, text in texts.items()])
    return caught.value


def test_a_bad_value_names_file_line_and_allowed_range(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        of("# a comment\n\nbroker.id=1\nlog.segment.bytes = \\\n  5\n", tmp_path)
    assert str(tmp_path / "server.properties") + ", line 4: log.segment.bytes is '5'" in caught.value.what
    assert caught.value.why == "It must be a whole number, at least 14."
    assert "1073741824" in caught.value.do_this


def test_a_bad_password_is_not_printed() -> None:
    assert "secret" not in str(refusal(ssl_keystore_type="JKS", log_segment_bytes="x", ssl_key_password="secret"))


def test_the_later_place_wins(tmp_path: Path) -> None:
    file = "num.partitions=2\nnum.partitions=3\n"
    assert of(file, tmp_path).settings.num_partitions == 3
    environment = {"KAFKA_NUM_PARTITIONS": "4"}
    assert of(file, tmp_path, environment=environment).settings.num_partitions == 4
    assert of(file, tmp_path, environment=environment, overrides=["num.partitions=5"]).settings.num_partitions == 5


def test_a_file_that_is_not_there_is_a_mistake_of_the_operator(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="No such file"):
        load(file=tmp_path / "none.properties")


def test_files_of_windows_and_of_java_are_read(tmp_path: Path) -> None:
    file = tmp_path / "server.properties"
    file.write_bytes(b"# d\xe9j\xe0\r\nlog.dirs: C\\:\\\\logs\r\nnum.partitions 7\r\nbroker.rack=\\u0061\r\n")
    settings = load(file=file).settings
    assert (settings.log_dirs, settings.num_partitions, settings.broker_rack) == ("C:\\logs", 7, "a")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Broker.id", "broker.id"),
        ("log_dirs", "log.dirs"),
        ("log.segments.bytes", "log.segment.bytes"),
        ("num.partition", "num.partitions"),
        ("zookeper.connect", "zookeeper.connect"),
    ],
)
def test_an_unknown_name_is_a_warning_with_the_name_that_was_meant(name: str, wanted: str, tmp_path: Path) -> None:
    (warning,) = of(f"{name}=1\n", tmp_path).warnings
    assert f"server.properties, line 1: {name} is not an option. Did you mean {wanted}?" in warning


def test_an_unknown_name_that_is_like_nothing_gets_no_guess() -> None:
    assert load(overrides=["my.own.thing=1"]).warnings == ("--override: my.own.thing is not an option.",)


def test_unknown_names_stay_for_describe_configs() -> None:
    assert load(overrides=["my.own.thing=1"]).settings.texts["my.own.thing"] == "1"


def test_all_options_without_effect_share_one_warning(tmp_path: Path) -> None:
    text = "num.io.threads=8\nnum.network.threads=3\nlistener.name.a.ssl.keystore.type=PEM\nconfluent.license=x\n"
    (warning,) = of(text, tmp_path).warnings
    for name in ("num.io.threads", "num.network.threads", "listener.name.a.ssl.keystore.type", "confluent.license"):
        assert name in warning


def test_options_of_a_tls_listener_have_an_effect_and_those_of_others_have_none() -> None:
    listeners = "listeners=PLAINTEXT://:9092,SSL://:9093"
    options = ("type=PEM", "location=/x")
    texts = [f"listener.name.{name}.ssl.keystore.{each}" for name in ("ssl", "plaintext") for each in options]
    (warning,) = load(overrides=[listeners, *texts]).warnings
    assert "listener.name.plaintext.ssl.keystore.location" in warning
    assert "listener.name.ssl." not in warning


def test_brokers_may_use_a_tls_listener_among_themselves() -> None:
    """Those of one process ask each other without bytes; the option only has to name a listener that is there."""
    texts = ["listeners=SSL://:9093", "security.inter.broker.protocol=SSL"]
    assert load(overrides=texts).settings.listening.inter_broker == "SSL"
    assert "security.inter.broker.protocol to its protocol" in refusal(listeners="SSL://:9093").do_this


@pytest.mark.parametrize(
    ("old", "new"),
    [("brokerid", "broker.id"), ("log.file.size", "log.segment.bytes"), ("zk.connect", "zookeeper.connect")],
)
def test_a_name_of_2011_stops_the_start_and_names_its_successor(old: str, new: str) -> None:
    with pytest.raises(OperatorError, match=rf"{old} is a name of Kafka 0\.7") as caught:
        load(overrides=[f"{old}=1"])
    assert new in caught.value.do_this


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        ({"authorizer_class_name": "kafka.security.authorizer.AclAuthorizer"}, "authorizer.class.name"),
        ({"zookeeper_set_acl": "true"}, "zookeeper.set.acl"),
        ({"zookeeper_ssl_client_enable": "true"}, "zookeeper.ssl.client.enable"),
        ({"security_inter_broker_protocol": "SASL_SSL"}, "security.inter.broker.protocol"),
        ({"listeners": "SASL_SSL://:9093"}, "SASL_SSL"),
        ({"listeners": "PLAINTEXT://:9092,SASL_PLAINTEXT://:9093"}, "SASL_PLAINTEXT"),
        ({"listeners": "OUT://:9092", "listener_security_protocol_map": "OUT:SASL_SSL"}, "SASL_SSL"),
    ],
)
def test_a_promise_of_protection_that_is_not_built_stops_the_start(texts: dict[str, str], named: str) -> None:
    assert named in refusal(**texts).what


def test_no_protection_asked_for_is_no_promise_broken() -> None:
    assert load(overrides=["authorizer.class.name=", "zookeeper.set.acl=false"]).settings.zookeeper_set_acl is False


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        ({"group_min_session_timeout_ms": "9000", "group_max_session_timeout_ms": "8000"}, "group.min.session"),
        ({"log_dirs": ""}, "log.dirs"),
        ({"log_dirs": " , "}, "log.dirs"),
        ({"log_dirs": "/a,/a"}, "twice"),
        ({"broker_id": "-2"}, "broker.id"),
        ({"broker_id": "-1", "broker_id_generation_enable": "false"}, "broker.id"),
        ({"broker_id": "1001"}, "broker.id"),
        ({"broker_id": "1", "node_id": "2"}, "differ"),
        ({"log_retention_hours": "0"}, "log.retention.hours"),
        ({"log_retention_ms": "-2"}, "log.retention.ms"),
        ({"queued_max_request_bytes": "1000"}, "queued.max.request.bytes"),
        ({"max_connections_per_ip": "0"}, "max.connections.per.ip"),
        ({"replica_fetch_wait_max_ms": "40000"}, "replica.fetch.wait.max.ms"),
        ({"offsets_commit_required_acks": "4"}, "offsets.commit.required.acks"),
        ({"log_cleaner_dedupe_buffer_size": "1048576"}, "log.cleaner.dedupe"),
        ({"log_cleaner_threads": "0"}, "log.cleaner.threads"),
        ({"process_roles": "controller"}, "process.roles"),
        (
            {"inter_broker_listener_name": "PLAINTEXT", "security_inter_broker_protocol": "PLAINTEXT"},
            "inter.broker.listener.name and security.inter.broker.protocol",
        ),
    ],
)
def test_options_that_contradict_one_another_stop_the_start(texts: dict[str, str], named: str) -> None:
    problem = refusal(**texts)
    assert named in problem.what
    assert problem.why
    assert problem.do_this


def test_a_file_of_kafkas_own_quorum_starts_as_a_single_process_and_says_so(tmp_path: Path) -> None:
    text = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
"""
    loaded = of(text, tmp_path)
    assert loaded.settings.broker_id == 1
    assert [plan.name for plan in loaded.settings.listening.listeners] == ["PLAINTEXT"]
    assert any("single process" in warning for warning in loaded.warnings)


def test_a_bare_start_has_the_values_of_kafkas_sample_file() -> None:
    settings = load(defaults=LAPTOP).settings
    assert settings.broker_id == 0
    assert settings.directories == ("./barnabas-data",)
    assert settings.group_initial_rebalance_delay_ms == 0
    assert settings.offsets_topic_replication_factor == settings.transaction_state_log_replication_factor == 1
    assert settings.transaction_state_log_min_isr == 1
    assert settings.listening.listeners[0].hosts == ("127.0.0.1", "::1")
    assert settings.texts == {}
    assert load(defaults=MEMORY_ONLY).settings.barnabas_storage == "memory"


ENVIRONMENTS: list[tuple[Mapping[str, str], str, object]] = [
    ({"KAFKA_LOG_RETENTION_MS": "5"}, "log_retention_ms", 5),
    ({"KAFKA_CFG_NUM_PARTITIONS": "5"}, "num_partitions", 5),
    ({"KAFKA_BROKER_ID": "7"}, "broker_id", 7),
    ({"KAFKA_NODE_ID": "7"}, "broker_id", 7),
    ({"KAFKA_LOG_DIR": "/d"}, "directories", ("/d",)),
    ({"CLUSTER_ID": "MkU3OEVBNTcwNTJENDM2Qk"}, "barnabas_cluster_id", "MkU3OEVBNTcwNTJENDM2Qk"),
    ({"KAFKA_ZOOKEEPER_CLIENTCNXNSOCKET": "x"}, "zookeeper_clientCnxnSocket", "x"),
    ({"KAFKA_PORT": "tcp://10.0.0.7:9092", "KAFKA_SERVICE_HOST": "10.0.0.7"}, "port", 9092),
    ({"KAFKA_PORT_9092_TCP_ADDR": "10.0.0.7", "KAFKA_SERVICE_PORT": "9092"}, "port", 9092),
]


@pytest.mark.parametrize(("environment", "attribute", "value"), ENVIRONMENTS)
def test_options_are_taken_from_the_environment(environment: Mapping[str, str], attribute: str, value: object) -> None:
    loaded = load(environment={**environment, "PATH": "/bin"}, defaults=LAPTOP)
    assert getattr(loaded.settings, attribute) == value
    assert not any("not an option" in warning for warning in loaded.warnings)


@pytest.mark.parametrize(
    "variable", ["KAFKA_HEAP_OPTS", "KAFKA_VERSION", "KAFKA_JMX_PORT", "KAFKA_CREATE_TOPICS", "HOME"]
)
def test_variables_that_are_no_options_are_passed_over(variable: str) -> None:
    loaded = load(environment={variable: "x"})
    assert (dict(loaded.settings.texts), loaded.warnings) == ({}, ())


def test_a_misspelt_variable_names_itself() -> None:
    (warning,) = load(environment={"KAFKA_ADVERTISED_LISTENER": "PLAINTEXT://h:1"}).warnings
    assert "environment variable KAFKA_ADVERTISED_LISTENER" in warning
    assert "Did you mean advertised.listeners?" in warning


def test_a_bad_variable_names_itself() -> None:
    with pytest.raises(OperatorError, match=r"environment variable KAFKA_NUM_PARTITIONS: num.partitions is 'many'"):
        load(environment={"KAFKA_NUM_PARTITIONS": "many"})


def test_listeners_are_derived_from_advertised_listeners_as_the_images_do() -> None:
    told = "PLAINTEXT://broker:19092,LOCAL://localhost:9092"
    mapped = "PLAINTEXT:PLAINTEXT,LOCAL:PLAINTEXT"
    environment = {"KAFKA_ADVERTISED_LISTENERS": told, "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": mapped}
    plans = load(environment=environment, defaults=LAPTOP).settings.listening.listeners
    assert [(plan.hosts, plan.port, str(plan.advertised)) for plan in plans] == [
        (("0.0.0.0",), 19092, "PLAINTEXT://broker:19092"),
        (("0.0.0.0",), 9092, "LOCAL://localhost:9092"),
    ]


@pytest.mark.parametrize("text", ["log.dirs", "=1", ""])
def test_an_override_is_written_name_equals_value(text: str) -> None:
    with pytest.raises(OperatorError, match="--override"):
        load(overrides=[text])
