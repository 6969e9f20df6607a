"""Administrators: topics and groups that come and go, options that change, records that are deleted, questions."""

from collections.abc import Callable
from typing import Any

from tools.soak.topics import BRIEF, BY_SIZE, COMPACTED
from tools.soak.workers import Workers

_TIMEOUT_S = 30
_DEADLINE_S = 60.0
_ERRORS = 3
"""Of syslog's levels; a client closed with an event left over says so at 6."""


def start(workers: Workers, bootstrap: str) -> None:
    """All administrators; each has a client of its own."""
    _brief_topics(workers, bootstrap)
    _brief_groups(workers, bootstrap)
    _options(workers, bootstrap)
    _deleted_records(workers, bootstrap)
    _questions(workers, bootstrap)


def done(futures: dict[Any, Any]) -> list[Any]:
    """Results of confluent's futures. Raises: KafkaException."""
    return [future.result(_DEADLINE_S) for future in futures.values()]


def _administrator(bootstrap: str) -> Any:
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": bootstrap, "log_level": _ERRORS})


def _brief_topics(workers: Workers, bootstrap: str) -> None:
    """Made, grown, written to, emptied in part, and deleted, by a new client each time."""
    numbers = iter(range(10**9))

    def once() -> None:
        from confluent_kafka import Producer, TopicPartition
        from confluent_kafka.cimpl import NewPartitions, NewTopic

        admin, name = _administrator(bootstrap), f"{BRIEF}-{next(numbers)}"
        policy = workers.chance.choice(["delete", "compact", "compact,delete"])
        done(admin.create_topics([NewTopic(name, 2, 1, config={"cleanup.policy": policy, "segment.bytes": "65536"})]))
        done(admin.create_partitions([NewPartitions(name, 3)]))
        producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
        for number in range(300):
            producer.produce(name, workers.chance.randbytes(200), f"k{number % 20}", partition=number % 2)
        if producer.flush(_TIMEOUT_S):
            raise RuntimeError("records for a brief topic were not delivered")
        if "delete" in policy:  # else it is refused
            done(admin.delete_records([TopicPartition(name, 0, 50), TopicPartition(name, 1, -1)]))
        done(admin.delete_topics([name]))
        workers.tally.count("topics made and deleted")

    workers.again("brief topics", 6, once)


def _brief_groups(workers: Workers, bootstrap: str) -> None:
    """One member, a commit, gone; then the group is deleted."""
    numbers = iter(range(10**9))

    def once() -> None:
        from confluent_kafka import Consumer, TopicPartition

        admin, name = _administrator(bootstrap), f"{BRIEF}-group-{next(numbers)}"
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": name})
        consumer.subscribe([BY_SIZE])
        consumer.poll(3)
        consumer.commit(offsets=[TopicPartition(BY_SIZE, 0, 1)], asynchronous=False)
        consumer.close()
        done(admin.delete_consumer_groups([name]))
        workers.tally.count("groups made and deleted")

    workers.again("brief groups", 10, once)


def _options(workers: Workers, bootstrap: str) -> None:
    """Set, seen and taken back, while the topics are in use."""
    admin = _administrator(bootstrap)

    def once() -> None:
        from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
        from confluent_kafka.admin._resource import ResourceType

        topic, name, value = workers.chance.choice(
            [(COMPACTED, "min.cleanable.dirty.ratio", "0.1"), (BY_SIZE, "retention.bytes", "1048576")]
        )
        for operation, expected in ((AlterConfigOpType.SET, value), (AlterConfigOpType.DELETE, None)):
            entry = ConfigEntry(name, value, incremental_operation=operation)
            done(
                admin.incremental_alter_configs(
                    [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])]
                )
            )
            [found] = done(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))
            if expected is not None and found[name].value != expected:
                raise RuntimeError(f"{name} of {topic} is {found[name].value} after it was set to {expected}")
        workers.tally.count("options changed", 2)

    workers.again("options", 8, once)


def _deleted_records(workers: Workers, bootstrap: str) -> None:
    """DeleteRecords on a topic in use, up to half of what is there, by kafka-python."""

    def once() -> None:
        from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

        partition = TopicPartition(BY_SIZE, workers.chance.randrange(3))
        consumer = KafkaConsumer(bootstrap_servers=bootstrap)
        first, end = consumer.beginning_offsets([partition])[partition], consumer.end_offsets([partition])[partition]
        consumer.close()
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.delete_records({partition: (first + end) // 2})
        admin.close()
        workers.tally.count("DeleteRecords")

    workers.again("deleted records", 15, once)


def _questions(workers: Workers, bootstrap: str) -> None:
    """What dashboards ask, by kafka-python with a new connection each time."""

    def once() -> None:
        from kafka import KafkaAdminClient

        admin: Any = KafkaAdminClient(bootstrap_servers=bootstrap)
        questions: list[Callable[[], Any]] = [
            admin.list_topics,
            admin.describe_cluster,
            admin.list_groups,
            admin.describe_log_dirs,
            lambda: admin.describe_groups(["soak-group"]),
            lambda: admin.list_group_offsets({"soak-group": None}),
        ]
        try:
            for ask in questions:
                ask()
        finally:
            admin.close()
        workers.tally.count("admin questions", len(questions))

    workers.again("questions", 4, once)
