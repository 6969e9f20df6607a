"""Every option of Kafka is known, with its type, default and update mode."""

from importlib.resources import files

import pytest

from broker.config.keys import AT_START, CLUSTER, PER_BROKER, BadValue, Key
from broker.config.kinds import DOUBLE
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings, UnknownTopicOption

ROWS = [
    line.split("\t")
    for line in files("broker.config").joinpath("option_names.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
UPDATES = {"at-start": AT_START, "per-broker": PER_BROKER, "cluster": CLUSTER}
OUR_DEFAULTS = {"queued.max.request.bytes": str(512 * 1024 * 1024)}
"""Where we differ from Kafka, on purpose: its request budget is unlimited."""
BAD_TEXTS = {"int": "ten", "long": "1e9", "short": "40000", "boolean": "yes", "double": "much"}


def keys_of(group: str) -> dict[str, Key[object]]:
    return BrokerSettings.KEYS if group == "broker" else TopicSettings.KEYS


@pytest.mark.parametrize(("group", "name", "kind", "default", "update"), ROWS, ids=[row[1] for row in ROWS])
def test_every_name_has_its_type_default_and_update_mode(
    group: str, name: str, kind: str, default: str, update: str
) -> None:
    key = keys_of(group)[name]
    assert key.attribute == name.replace(".", "_")
    assert key.kind.name == kind
    assert key.update is UPDATES[update]
    if key.broker_key is None:
        shown = key.show(key.default)
    else:
        shown = key.show(getattr(BrokerSettings(), key.broker_key.attribute))
    assert ("null" if shown is None else shown) == OUR_DEFAULTS.get(name, default)
    assert len(key.doc) > 20


@pytest.mark.parametrize(("group", "name", "kind"), [row[:3] for row in ROWS if row[2] in BAD_TEXTS])
def test_every_typed_name_refuses_a_text_of_another_type(group: str, name: str, kind: str) -> None:
    with pytest.raises(BadValue, match=name) as refusal:
        keys_of(group)[name].parse(BAD_TEXTS[kind])
    assert refusal.value.allowed


def test_every_default_passes_its_own_check() -> None:
    for key in [*BrokerSettings.KEYS.values(), *TopicSettings.KEYS.values()]:
        if key.check is not None and key.default is not None and key.broker_key is None:
            assert key.check.holds(key.default), key.name


def test_the_table_has_every_option_and_no_other() -> None:
    named = {row[1] for row in ROWS if row[0] == "broker"}
    ours = {
        "barnabas.advertise.local.address",
        "barnabas.cluster.id",
        "barnabas.control.api",
        "barnabas.metrics.partitions",
        "barnabas.scrub.bytes.per.second",
        "barnabas.storage",
    }
    assert set(BrokerSettings.KEYS) == named | ours
    assert set(TopicSettings.KEYS) == {row[1] for row in ROWS if row[0] == "topic"}


def test_attributes_are_where_their_names_say() -> None:
    for options in (BrokerSettings, TopicSettings):
        for key in options.KEYS.values():
            assert getattr(options, key.attribute) is key


@pytest.mark.parametrize(("text", "value"), [("true", True), ("TRUE", True), (" False ", False), ("false", False)])
def test_booleans_are_read_in_any_case(text: str, value: bool) -> None:
    assert BrokerSettings({"delete.topic.enable": text}).delete_topic_enable is value


def test_lists_are_split_at_commas_and_trimmed() -> None:
    assert BrokerSettings({"log.cleanup.policy": "compact, delete"}).log_cleanup_policy == ("compact", "delete")
    assert BrokerSettings({"metric.reporters": ""}).metric_reporters == ()


@pytest.mark.parametrize(
    ("texts", "retention_ms"),
    [
        ({}, 7 * 24 * 3_600_000),
        ({"log.retention.hours": "2"}, 7_200_000),
        ({"log.retention.hours": "-1"}, -1),
        ({"log.retention.hours": "2", "log.retention.minutes": "3"}, 180_000),
        ({"log.retention.minutes": "3", "log.retention.ms": "5"}, 5),
        ({"log.retention.minutes": "3", "log.retention.ms": "-1"}, -1),
    ],
)
def test_milliseconds_win_over_minutes_and_minutes_over_hours(texts: dict[str, str], retention_ms: int) -> None:
    settings = BrokerSettings(texts)
    assert settings.log_retention_ms == retention_ms
    assert settings.topic({}).retention_ms == retention_ms


def test_zookeeper_gets_the_session_timeout_to_connect_while_nothing_else_is_said() -> None:
    assert BrokerSettings().zookeeper_connection_timeout_ms == 18_000
    assert BrokerSettings({"zookeeper.session.timeout.ms": "5000"}).zookeeper_connection_timeout_ms == 5000


def test_node_id_is_another_name_of_broker_id() -> None:
    assert BrokerSettings({"node.id": "4"}).broker_id == 4
    assert BrokerSettings({"node.id": "4"}, defaults={"broker.id": "0"}).broker_id == 4
    assert BrokerSettings({"broker.id": "4"}).node_id == 4
    assert BrokerSettings().broker_id == -1


def test_a_number_of_one_name_is_told_under_both() -> None:
    assert BrokerSettings({"node.id": "4"}).raw["broker.id"] == 4
    assert BrokerSettings({"broker.id": "4"}).texts["node.id"] == "4"
    assert BrokerSettings(defaults={"broker.id": "0"}).raw["node.id"] == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.5", "0.5"),
        ("1", "1.0"),
        ("1e8", "1.0E8"),
        ("12345678", "1.2345678E7"),
        ("9999999", "9999999.0"),
        ("0.001", "0.001"),
        ("0.0001", "1.0E-4"),
        ("-2.5e-9", "-2.5E-9"),
        ("1.7976931348623157e308", "1.7976931348623157E308"),
    ],
)
def test_a_double_is_shown_as_java_shows_it(text: str, shown: str) -> None:
    assert DOUBLE.show(DOUBLE.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "nan", "inf", "1_0", "1e999", "٣"])
def test_what_java_would_not_read_as_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        DOUBLE.parse(text)


def test_log_dirs_win_over_log_dir() -> None:
    assert BrokerSettings().directories == ("/tmp/kafka-logs",)
    assert BrokerSettings({"log.dir": "/a"}).directories == ("/a",)
    assert BrokerSettings({"log.dir": "/a", "log.dirs": "/b, /c"}).directories == ("/b", "/c")


def test_a_topic_option_wins_over_the_broker_and_the_broker_over_the_default() -> None:
    settings = BrokerSettings({"log.segment.bytes": "1000", "log.roll.hours": "1"})
    assert settings.topic({}).segment_bytes == 1000
    assert settings.topic({}).segment_ms == 3_600_000
    assert settings.topic({"segment.bytes": "2000", "segment.ms": "9"}).segment_bytes == 2000
    assert settings.topic({}).max_message_bytes == 1_048_588


def test_a_bad_override_from_a_foreign_tool_is_passed_over_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    topic = BrokerSettings().topic({"segment.bytes": "big", "no.such": "1", "retention.ms": "5"})
    assert (topic.segment_bytes, topic.retention_ms) == (1024**3, 5)
    assert "segment.bytes is 'big'" in caplog.text


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"retention.ms": "-2"}, "retention.ms"),
        ({"cleanup.policy": "burn"}, "cleanup.policy"),
        ({"segment.ms": None}, "null"),
    ],
)
def test_a_bad_override_of_a_client_is_refused(overrides: dict[str, str | None], named: str) -> None:
    with pytest.raises(BadValue, match=named):
        TopicSettings.check(overrides)


def test_an_unknown_topic_option_of_a_client_is_refused_in_kafkas_words() -> None:
    with pytest.raises(UnknownTopicOption, match=r"Unknown topic config name: retention\.mss"):
        TopicSettings.check({"retention.mss": "1"})


def test_the_older_timestamp_limit_holds_where_the_newer_ones_say_nothing() -> None:
    topic = BrokerSettings().topic({"message.timestamp.difference.max.ms": "10"})
    assert (topic.message_timestamp_before_max_ms, topic.message_timestamp_after_max_ms) == (10, 10)
    newer = BrokerSettings().topic(
        {"message.timestamp.difference.max.ms": "10", "message.timestamp.after.max.ms": "20"}
    )
    assert newer.message_timestamp_after_max_ms == 20


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(AttributeError, match="read only"):
        BrokerSettings().log_segment_bytes = 5


def test_a_password_is_never_shown() -> None:
    settings = BrokerSettings({"ssl.key.password": "hunter2"})
    assert settings.ssl_key_password == "hunter2"
    assert "hunter2" not in repr(settings.ssl_key_password)
    assert BrokerSettings.ssl_key_password.show(settings.ssl_key_password) == "[hidden]"
