"""Consumers: a group whose members come and go, and readers that pose as clients of old releases."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tools.soak.ledger import Ledger, id_of
from tools.soak.topics import BY_SIZE, BY_TIME, KEPT
from tools.soak.workers import Workers

GROUP = "soak-group"
MEMBERS = 3
_POLLED = 500
_READ_BY_OLD = 300


def start(workers: Workers, ledger: Ledger, bootstrap: str) -> None:
    """All readers."""
    for slot in range(MEMBERS):
        make = _kafka_python_member if slot == 0 else _confluent_member
        _member(workers, ledger, partial(make, bootstrap), f"member {slot}")
    _other_group(workers, bootstrap)
    _old(workers, bootstrap)


class Member:
    """A consumer of either client: values out, offsets committed after them."""

    def __init__(self, poll: Callable[[], list[bytes]], commit: Callable[[], None], close: Callable[[], None]) -> None:
        self.poll, self.commit, self.close = poll, commit, close


def _confluent_member(bootstrap: str, group: str = GROUP, topic: str = KEPT) -> Member:
    from confluent_kafka import Consumer, KafkaError, KafkaException

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 10_000,
            "fetch.wait.max.ms": 500,
        }
    )
    consumer.subscribe([topic])

    def poll() -> list[bytes]:
        messages = consumer.consume(_POLLED, timeout=0.2)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
        return [message.value() or b"" for message in messages]

    def commit() -> None:
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as no:  # the rule of a rebalance: who comes too late reads again
            late = (KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID)
            if no.args[0].code() not in (*late, KafkaError._NO_OFFSET):
                raise

    return Member(poll, commit, consumer.close)


def _kafka_python_member(bootstrap: str) -> Member:
    from kafka import KafkaConsumer
    from kafka.errors import CommitFailedError, RebalanceInProgressError

    consumer = KafkaConsumer(
        KEPT,
        bootstrap_servers=bootstrap,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=10_000,
    )

    def poll() -> list[bytes]:
        return [record.value for records in consumer.poll(200, _POLLED).values() for record in records]

    def commit() -> None:
        try:
            consumer.commit()
        except (CommitFailedError, RebalanceInProgressError):
            return

    return Member(poll, commit, lambda: consumer.close(autocommit=False))


def _member(workers: Workers, ledger: Ledger, make: Callable[[], Member], name: str) -> None:
    """In its place members follow one another, half a minute to two minutes each."""
    member: Member | None = None
    leaves_at = 0.0

    def once() -> None:
        nonlocal member, leaves_at
        if member is None:
            member, leaves_at = make(), time.monotonic() + workers.chance.uniform(30, 120)
            workers.tally.count("members joined")
        values = member.poll()
        if values:
            ledger.consume(map(id_of, values))
            member.commit()
            workers.tally.count("records read by the group", len(values))
        if time.monotonic() > leaves_at:
            at_end()

    def at_end() -> None:
        nonlocal member
        leaving, member = member, None
        if leaving is not None:
            leaving.close()

    workers.again(name, 0.4, once, at_end)


def drain(ledger: Ledger, bootstrap: str, within_s: float) -> None:
    """Let the group read to the end, alone and unhurried."""
    member = _confluent_member(bootstrap)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and ledger.acknowledged - ledger.consumed:
        ledger.consume(map(id_of, member.poll()))
        member.commit()
    member.close()


def _other_group(workers: Workers, bootstrap: str) -> None:
    """A group on a topic from which records go: its members come for a few seconds."""

    def once() -> None:
        member = _confluent_member(bootstrap, "soak-short-lived", BY_TIME)
        try:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                workers.tally.count("records read by short-lived members", len(member.poll()))
            member.commit()
        finally:
            member.close()

    workers.again("short-lived member", 8, once)


def _old(workers: Workers, bootstrap: str) -> None:
    """Fetch versions 0 to 2: the broker writes batches down into messages."""

    def once() -> None:
        from kafka import KafkaConsumer, TopicPartition

        pose = workers.chance.choice([(0, 8, 2), (0, 9), (0, 10)])
        partition = TopicPartition(BY_SIZE, workers.chance.randrange(3))
        consumer: Any = KafkaConsumer(
            bootstrap_servers=bootstrap, api_version=pose, consumer_timeout_ms=2_000, auto_offset_reset="earliest"
        )
        try:
            consumer.assign([partition])
            consumer.seek_to_beginning(partition)
            read = sum(1 for _ in zip(range(_READ_BY_OLD), consumer, strict=False))
        finally:
            consumer.close()
        workers.tally.count("records read by old clients", read)

    workers.again("old consumer", 12, once)
