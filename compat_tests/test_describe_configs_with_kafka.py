"""DescribeConfigs beside Apache Kafka 3.9.2 (ZooKeeper mode): the same questions to both, every difference explained.

Two runs of each broker, one with a plain file and one that sets many options. Each is asked for its own options, the
values of the whole cluster, a topic without and one with options of its own, and its loggers, at every version; then
again after options were set while it runs. Kafka's answer is taken live. An entry is compared field by field; synonyms
with their values, sources and order. The order of entries is not compared: Kafka's is that of a hash table.
Of the documentation only whether there is one: our sentences are our own.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from compat_tests.apache_kafka import ApacheKafka
from compat_tests.broker_process import BrokerProcess
from compat_tests.jars import ZooKeeper
from compat_tests.typed_client import TypedClient
from kproto.messages import incremental_alter_configs as single
from kproto.messages.create_topics import CreatableTopic, CreatableTopicConfig, CreateTopicsRequest
from kproto.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource

pytestmark = pytest.mark.campaign

TOPIC, BROKER, LOGGER = 2, 4, 8
VERSIONS = range(5)
DYNAMIC_BROKER = 2
PLAIN = {"offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1"}
WITH_OPTIONS = {
    **PLAIN,
    "broker.rack": "r1",
    "compression.type": "gzip",
    "leader.replication.throttled.rate": "77",
    "listener.name.internal.plain.sasl.jaas.config": "somebody",
    "listener.name.internal.ssl.key.password": "hidden",
    "listener.name.internal.ssl.keystore.type": "JKS",
    "listener.name.internal.no.such": "1",
    "log.cleaner.threads": "2",
    "log.cleanup.policy": "compact,delete",
    "log.flush.interval.ms": "5000",
    "log.message.timestamp.type": "LogAppendTime",
    "log.retention.hours": "24",
    "log.retention.minutes": "600",
    "log.roll.hours": "2",
    "log.roll.jitter.hours": "1",
    "message.max.bytes": "900000",
    "min.insync.replicas": "1",
    "my.own.option": "whatever",
    "num.network.threads": "4",
    "ssl.key.password": "hidden",
    "ssl.keystore.location": "/x",
    "unclean.leader.election.enable": "true",
}
OF_CLUSTER = {
    "background.threads": "11",
    "log.flush.interval.ms": "4000",
    "log.retention.ms": "7777777",
    "log.roll.jitter.ms": "77",
    "log.roll.ms": "60000",
    "message.max.bytes": "888888",
    "min.insync.replicas": "1",
    "num.io.threads": "9",
}
OF_BROKER = {
    "leader.replication.throttled.rate": "100",
    "log.cleaner.backoff.ms": "16000",
    "log.cleaner.io.max.bytes.per.second": "1e8",
    "log.retention.ms": "6666666",
    "log.segment.bytes": "2000000",
    "num.io.threads": "10",
}
OF_TOPIC = {
    "cleanup.policy": "compact",
    "compression.type": "lz4",
    "flush.ms": "9",
    "leader.replication.throttled.replicas": "0:0",
    "max.message.bytes": "1000",
    "message.timestamp.type": "CreateTime",
    "min.cleanable.dirty.ratio": "0.25",
    "retention.ms": "1000000",
    "segment.ms": "55555",
}
RESOURCES = [(BROKER, "0"), (BROKER, ""), (TOPIC, "plain"), (TOPIC, "own"), (LOGGER, "0")]
REFUSED = [
    (TOPIC, "missing"),
    (TOPIC, ""),
    (TOPIC, "a b"),
    (BROKER, "1"),
    (BROKER, "x"),
    (LOGGER, ""),
    (LOGGER, "1"),
    (LOGGER, "x"),
    (99, "0"),
]

OTHER_WORDS = {(99, "0"): "Kafka only says that the request is malformed; we name the type that there is not."}
"""Refusals with Kafka's code and words of our own."""

EACH_ITS_OWN = "Each broker has its own address, directory and path in ZooKeeper."
FORGETS_THE_FILE = (
    "With the milliseconds set while running, Kafka shows the default of the coarser names as their value, and in the "
    "same row the file's as its source. We show what the file says."
)
BUDGET = "Kafka's memory for requests is unlimited; ours is not."
DIFFERENT: dict[tuple[int, str, str], str] = {
    (BROKER, "listeners", "value"): EACH_ITS_OWN,
    (BROKER, "listeners", "synonyms"): EACH_ITS_OWN,
    (BROKER, "log.dirs", "value"): EACH_ITS_OWN,
    (BROKER, "log.dirs", "synonyms"): EACH_ITS_OWN,
    (BROKER, "zookeeper.connect", "value"): EACH_ITS_OWN,
    (BROKER, "zookeeper.connect", "synonyms"): EACH_ITS_OWN,
    (BROKER, "queued.max.request.bytes", "value"): BUDGET,
    (BROKER, "queued.max.request.bytes", "synonyms"): BUDGET,
    (BROKER, "log.retention.hours", "value"): FORGETS_THE_FILE,
    (BROKER, "log.retention.minutes", "value"): FORGETS_THE_FILE,
    (BROKER, "log.roll.hours", "value"): FORGETS_THE_FILE,
    (BROKER, "log.roll.jitter.hours", "value"): FORGETS_THE_FILE,
}
"""Resource type, name, field: why ours is another."""

IS_DEFAULT = (
    "Version 0 has one field for where a value comes from, is_default. Kafka 1.0 fills it; 3.9 leaves it false always. "
    "We fill it: clients of 1.0 show it."
)

NEWER = "Only Kafka 4 has it; its files start here too."
OLDER = "Kafka had it once; files of then start here, and it shows what they set."
OURS = "barnabas."
"""Names of our own begin so."""
IN_A_FILE_ONLY = "Kafka's authorizer has it: Kafka shows it, as a secret, only where a file sets it."
INTERNAL = "Kafka 3.9 hides it, 4.0 shows it."
ONLY_HERE: dict[int, dict[str, str]] = {
    TOPIC: {
        NEWER: "errors.deadletterqueue.group.enable max.decompressed.message.bytes remote.copy.lag.bytes "
        "remote.copy.lag.ms"
    },
    BROKER: {
        IN_A_FILE_ONLY: "allow.everyone.if.no.acl.found super.users",
        INTERNAL: "group.consumer.migration.policy",
        OLDER: "advertised.host.name advertised.port controller.message.queue.size host.name port "
        "quota.consumer.default quota.producer.default replica.lag.max.messages zookeeper.sync.time.ms",
        NEWER: "add.partitions.to.txn.retry.backoff.max.ms add.partitions.to.txn.retry.backoff.ms config.providers "
        "controller.quorum.auto.join.enable controller.quorum.fetch.max.bytes "
        "controller.quorum.fetch.snapshot.max.bytes cordoned.log.dirs "
        "errors.deadletterqueue.auto.create.topics.enable errors.deadletterqueue.topic.name.prefix "
        "follower.fetch.last.tiered.offset.enable group.consumer.assignment.interval.ms "
        "group.consumer.max.assignment.interval.ms group.consumer.min.assignment.interval.ms "
        "group.coordinator.background.threads group.coordinator.cached.buffer.max.bytes "
        "group.share.assignment.interval.ms group.share.assignors group.share.max.assignment.interval.ms "
        "group.share.max.delivery.count.limit group.share.max.partition.max.record.locks "
        "group.share.max.share.sessions group.share.min.assignment.interval.ms "
        "group.share.min.delivery.count.limit group.share.min.partition.max.record.locks "
        "group.streams.assignment.interval.ms group.streams.assignors group.streams.heartbeat.interval.ms "
        "group.streams.initial.rebalance.delay.ms group.streams.max.assignment.interval.ms "
        "group.streams.max.heartbeat.interval.ms group.streams.max.session.timeout.ms group.streams.max.size "
        "group.streams.max.standby.replicas group.streams.min.assignment.interval.ms "
        "group.streams.min.heartbeat.interval.ms group.streams.min.session.timeout.ms "
        "group.streams.num.standby.replicas group.streams.rack.aware.assignment.tags "
        "group.streams.session.timeout.ms group.streams.topology.description.plugin.class "
        "log.remote.copy.lag.bytes log.remote.copy.lag.ms max.decompressed.message.bytes "
        "remote.list.offsets.request.timeout.ms remote.log.manager.follower.thread.pool.size "
        "sasl.oauthbearer.allow.unverified.audience sasl.oauthbearer.allow.unverified.issuer "
        "sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud "
        "sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss "
        "sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds "
        "sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file "
        "sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase "
        "sasl.oauthbearer.assertion.template.file sasl.oauthbearer.client.credentials.client.id "
        "sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.jwt.retriever.class "
        "sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.scope share.coordinator.append.linger.ms "
        "share.coordinator.cached.buffer.max.bytes share.coordinator.load.buffer.size "
        "share.coordinator.snapshot.update.records.per.snapshot share.coordinator.state.topic.compression.codec "
        "share.coordinator.state.topic.min.isr share.coordinator.state.topic.num.partitions "
        "share.coordinator.state.topic.replication.factor share.coordinator.state.topic.segment.bytes "
        "share.coordinator.threads share.coordinator.write.timeout.ms "
        "share.fetch.purgatory.purge.interval.requests transaction.two.phase.commit.enable",
    },
}
"""What only we tell, by resource type and reason."""


@dataclass(frozen=True)
class Entry:
    """A row of the answer; `documentation`: whether there is one."""

    value: str | None
    read_only: bool
    is_default: bool
    config_source: int
    is_sensitive: bool
    config_type: int
    synonyms: tuple[tuple[str, str | None, int], ...]
    documentation: bool


Question = tuple[str, int, int, str]
"""Whether before or after options were set while running, version, resource."""
Answers = dict[Question, dict[str, Entry]]


class Asked:
    """All that one broker answered."""

    def __init__(self, port: int) -> None:
        self._client = TypedClient(port)
        create_topics(self._client)
        self.answers: Answers = {}
        self._describe("as started")
        self.texts = {row.name: row.documentation for row in self._ask(4, BROKER, "0").configs}
        self.bare = {
            row.name: (row.synonyms, row.documentation) for row in self._ask(4, BROKER, "0", more=False).configs
        }
        self.some = {row.name for row in self._ask(4, BROKER, "0", keys=["no.such", "port", "log.dirs"]).configs}
        self.refusals = {each: self._refusal(*each) for each in REFUSED}
        for name, values in (("", OF_CLUSTER), ("0", OF_BROKER)):
            self._set(name, values)
        self._describe("set while running")

    def _describe(self, when: str) -> None:
        for version in VERSIONS:
            for kind, name in RESOURCES:
                result = self._ask(version, kind, name)
                assert result.error_code == 0
                self.answers[when, version, kind, name] = {row.name: entry_of(row) for row in result.configs}

    def _ask(self, version: int, kind: int, name: str, *, more: bool = True, keys: list[str] | None = None) -> Any:
        asked = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=keys)
        question = DescribeConfigsRequest(resources=[asked], include_synonyms=more, include_documentation=more)
        (result,) = self._client.ask(question, version).results
        return result

    def _refusal(self, kind: int, name: str) -> tuple[int, str | None]:
        result = self._ask(4, kind, name)
        return result.error_code, result.error_message

    def _set(self, name: str, values: Mapping[str, str]) -> None:
        edits = [single.AlterableConfig(name=each, config_operation=0, value=value) for each, value in values.items()]
        resource = single.AlterConfigsResource(resource_type=BROKER, resource_name=name, configs=edits)
        (row,) = self._client.ask(single.IncrementalAlterConfigsRequest(resources=[resource]), 1).responses
        assert (row.error_code, row.error_message) == (0, None)
        for _ in range(100):  # Kafka answers before it has heard of it itself
            told = {row.name for row in self._ask(4, BROKER, name).configs if row.config_source in (2, 3)}
            if values.keys() <= told:
                return
            time.sleep(0.1)
        raise AssertionError(f"still not told: {values.keys() - told}")


def entry_of(row: Any) -> Entry:
    synonyms = tuple((each.name, each.value, each.source) for each in row.synonyms)
    return Entry(
        row.value,
        row.read_only,
        row.is_default,
        row.config_source,
        row.is_sensitive,
        row.config_type,
        synonyms,
        bool(row.documentation),
    )


def create_topics(client: TypedClient) -> None:
    """One without options and one with some; until the controller has heard of its broker."""
    own = [CreatableTopicConfig(name=name, value=value) for name, value in OF_TOPIC.items()]
    topics = [
        CreatableTopic(name=name, num_partitions=1, replication_factor=1, configs=configs)
        for name, configs in (("plain", []), ("own", own))
    ]
    for _ in range(100):
        answer = client.ask(CreateTopicsRequest(topics=topics, timeout_ms=10_000), 5)
        if {row.error_code for row in answer.topics} == {0}:
            return
        time.sleep(0.1)
    raise AssertionError(answer)


@dataclass
class Pair:
    kafka: Asked
    ours: Asked


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    with ZooKeeper(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server


@pytest.fixture(scope="module", params=[PLAIN, WITH_OPTIONS], ids=["plain file", "options in the file"])
def pair(
    request: pytest.FixtureRequest, zookeeper: ZooKeeper, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    path = f"{zookeeper.address}/run{len(request.param)}"
    with ApacheKafka(tmp_path_factory.mktemp("kafka"), f"{path}-kafka", request.param) as original:
        kafka = Asked(original.port)
    options = {"broker.id": "0", "zookeeper.connect": f"{path}-ours", **request.param}
    process = BrokerProcess(tmp_path_factory.mktemp("broker"), properties=options).start()
    try:
        yield Pair(kafka, Asked(process.port))
    finally:
        process.stop()


def differences(pair: Pair) -> Iterator[tuple[Question, str, str, object, object]]:
    for question, kafkas in pair.kafka.answers.items():
        ours = pair.ours.answers[question]
        for name in kafkas.keys() & ours.keys():
            for field in Entry.__dataclass_fields__:
                original, copy = getattr(kafkas[name], field), getattr(ours[name], field)
                if original != copy:
                    yield question, name, field, original, copy


def test_every_entry_is_told_as_kafka_tells_it_but_for_the_differences_named_here(pair: Pair) -> None:
    found = list(differences(pair))
    unexplained = [
        each for each in found if each[2] != "is_default" and (each[0][2], each[1], each[2]) not in DIFFERENT
    ]
    assert unexplained == []
    defaults = [each for each in found if each[2] == "is_default"]
    assert {(question[1], original) for question, _, _, original, _ in defaults} == {(0, False)}, IS_DEFAULT


def test_no_difference_is_named_that_is_gone(pair: Pair) -> None:
    found = {(question[2], name, field) for question, name, field, _, _ in differences(pair)}
    gone = {each for each, why in DIFFERENT.items() if why is not FORGETS_THE_FILE} - found
    assert gone == set()
    if any(name == "my.own.option" for _, answer in pair.ours.answers.items() for name in answer):
        assert {each for each, why in DIFFERENT.items() if why is FORGETS_THE_FILE} <= found


def test_every_name_that_kafka_tells_is_told_and_every_other_one_explained(pair: Pair) -> None:
    for question, kafkas in pair.kafka.answers.items():
        kind = question[2]
        if kind == LOGGER:  # Java's classes and our rooms
            continue
        more = {name for name in pair.ours.answers[question].keys() - kafkas.keys() if not name.startswith(OURS)}
        explained = {name for names in ONLY_HERE[kind].values() for name in names.split()}
        assert kafkas.keys() - pair.ours.answers[question].keys() == set()
        assert more == (explained if question[3] else set())


def test_every_option_of_ours_has_type_and_documentation(pair: Pair) -> None:
    for kind, name, keys in ((BROKER, "0", BrokerSettings.KEYS), (TOPIC, "plain", TopicSettings.KEYS)):
        told = pair.ours.answers["as started", 4, kind, name]
        shown = {each for each, key in keys.items() if not key.hidden}
        assert shown <= told.keys()
        assert [each for each in shown if not told[each].config_type or not told[each].documentation] == []


def test_our_sentences_are_our_own(pair: Pair) -> None:
    copied = [
        name for name, text in pair.kafka.texts.items() if text and len(text) > 30 and text == pair.ours.texts[name]
    ]
    assert copied == []


def test_root_is_a_logger_of_both_and_told_alike(pair: Pair) -> None:
    question = ("as started", 4, LOGGER, "0")
    kafkas, ours = pair.kafka.answers[question], pair.ours.answers[question]
    assert kafkas["root"] == ours["root"]
    assert all((each.config_source, each.config_type, each.read_only) == (6, 0, False) for each in ours.values())


def test_what_is_not_asked_for_is_left_out_alike(pair: Pair) -> None:
    assert all(each == ([], None) for each in [*pair.kafka.bare.values(), *pair.ours.bare.values()])
    assert pair.kafka.some == {"log.dirs"}
    assert pair.ours.some == {"log.dirs", "port"}, OLDER


def test_resources_that_are_not_there_are_refused_alike(pair: Pair) -> None:
    for resource, (code, message) in pair.kafka.refusals.items():
        assert pair.ours.refusals[resource][0] == code, resource
        if resource not in OTHER_WORDS:
            assert (pair.ours.refusals[resource][1] or "") == (message or ""), resource
