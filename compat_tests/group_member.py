"""One member of a consumer group in a process of its own, which a test may kill: `python -m compat_tests.group_member`.

It notes all it does in a file, so that what a killed member knew can be read afterwards. One line each:
`topic TAB partition TAB offset TAB key TAB value` for a record consumed, written before its offset is committed, and
events: `!assigned`, `!committed`, `!lost`, `!holding` (see `Notes`). SIGTERM: it commits, leaves and ends.
"""

import argparse
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

COMMIT_EVERY = 100

Place = tuple[str, int]


class Notes:
    """What this member did, handed to the kernel at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def consumed(self, records: list[tuple[Place, int, bytes, bytes]]) -> None:
        rows = [b"%s\t%d\t%d\t%s\t%s\n" % (place[0].encode(), place[1], at, k, v) for place, at, k, v in records]
        os.write(self._file, b"".join(rows))

    def assigned(self, places: list[Place]) -> None:
        """All that this member has now."""
        text = " ".join(f"{topic}:{partition}" for topic, partition in sorted(places))
        os.write(self._file, f"!assigned\t{text}\n".encode())

    def committed(self, offsets: dict[Place, int]) -> None:
        text = " ".join(f"{topic}:{partition}:{offset}" for (topic, partition), offset in offsets.items())
        os.write(self._file, f"!committed\t{text}\n".encode())

    def lost(self) -> None:
        """Thrown out of the group."""
        os.write(self._file, b"!lost\t\n")

    def holding(self) -> None:
        """Consumed, not committed, and going no further: now is the time to kill it."""
        os.write(self._file, b"!holding\t\n")


class Client(Protocol):
    """What a member needs of its client library."""

    def poll(self) -> None: ...
    def commit(self, offsets: dict[Place, int]) -> None: ...
    def close(self) -> None: ...


class Member:
    """Consumes, notes, commits; asked to hold, it stops between the last two."""

    def __init__(self, notes: Notes, hold_after: int | None) -> None:
        self.notes = notes
        self._hold_after = hold_after
        self._count = 0
        self._unnoted: list[tuple[Place, int, bytes, bytes]] = []
        self._uncommitted: dict[Place, int] = {}

    def consumed(self, place: Place, offset: int, key: bytes, value: bytes) -> None:
        self._unnoted.append((place, offset, key, value))
        self._uncommitted[place] = offset + 1
        self._count += 1

    @property
    def behind(self) -> int:
        """Records consumed since the last commit."""
        return len(self._unnoted)

    def commit(self, client: Client) -> None:
        """What was consumed since the last time."""
        if not self._unnoted:
            return
        self.notes.consumed(self._unnoted)
        self._unnoted.clear()
        if self._hold_after is not None and self._count >= self._hold_after:
            self.notes.holding()
            time.sleep(3600)
        client.commit(self._uncommitted)
        self.notes.committed(self._uncommitted)
        self._uncommitted.clear()


def _places(partitions: Iterable[Any]) -> list[Place]:
    return [(partition.topic, partition.partition) for partition in partitions]


class ConfluentClient:
    """librdkafka."""

    def __init__(self, bootstrap: str, group: str, topics: list[str], member: Member, options: dict[str, str]) -> None:
        from confluent_kafka import Consumer

        self._member = member
        self._is_cooperative = options.get("partition.assignment.strategy") == "cooperative-sticky"
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 1000,
                "reconnect.backoff.max.ms": 500,
                **options,
            }
        )
        self._consumer.subscribe(topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def poll(self) -> None:
        message: Any = self._consumer.poll(0.1)
        if message is None:
            self._member.commit(self)
        elif message.error() is None:
            place = message.topic(), message.partition()
            self._member.consumed(place, message.offset(), message.key(), message.value())
            if self._member.behind >= COMMIT_EVERY:
                self._member.commit(self)

    def commit(self, offsets: dict[Place, int]) -> None:
        """Until the broker says yes: it may be away for a moment."""
        from confluent_kafka import KafkaError, KafkaException, TopicPartition

        passing = {KafkaError._TRANSPORT, KafkaError._WAIT_COORD, KafkaError.REQUEST_TIMED_OUT, KafkaError._TIMED_OUT}
        passing |= {KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
        passing |= {KafkaError.NOT_COORDINATOR, KafkaError._DESTROY, KafkaError._ALL_BROKERS_DOWN}
        while True:
            try:
                self._consumer.commit(
                    offsets=[TopicPartition(*place, offset) for place, offset in offsets.items()], asynchronous=False
                )
                return
            except KafkaException as refused:
                if refused.args[0].code() not in passing:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        self._consumer.close()

    def _assigned(self, consumer: Any, partitions: list[Any]) -> None:
        if self._is_cooperative:
            consumer.incremental_assign(partitions)
        else:
            consumer.assign(partitions)
        self._member.notes.assigned(_places(consumer.assignment()))

    def _revoked(self, consumer: Any, partitions: list[Any]) -> None:
        self._member.commit(self)
        revoked = _places(partitions)
        self._member.notes.assigned([place for place in _places(consumer.assignment()) if place not in revoked])

    def _lost(self, consumer: Any, partitions: list[Any]) -> None:
        self._member.notes.lost()


class KafkaPythonClient:
    """kafka-python."""

    def __init__(self, bootstrap: str, group: str, topics: list[str], member: Member, options: dict[str, str]) -> None:
        from kafka import ConsumerRebalanceListener, KafkaConsumer

        client = self

        class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
            def on_partitions_revoked(self, revoked: list[Any]) -> None:
                member.commit(client)
                kept = client._consumer.assignment() - set(revoked)
                member.notes.assigned(_places(kept))

            def on_partitions_assigned(self, assigned: list[Any]) -> None:
                member.notes.assigned(_places(client._consumer.assignment()))

        self._member = member
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=6000,
            heartbeat_interval_ms=1000,
            reconnect_backoff_max_ms=500,
            **options,
        )
        self._consumer.subscribe(topics, listener=Listener())

    def poll(self) -> None:
        """Long enough for a rebalance: kafka-python 3.0.12 that is between two polls when it is told its partitions
        may forget them, heartbeats included, and is thrown out without a word. A broker that is away while it looks
        for its coordinator it tells as an error of the poll; the next poll looks again."""
        from kafka.errors import KafkaConnectionError

        try:
            polled = self._consumer.poll(timeout_ms=5_000, max_records=COMMIT_EVERY)
        except KafkaConnectionError:
            time.sleep(0.1)
            return
        for place, records in polled.items():
            for record in records:
                self._member.consumed((place.topic, place.partition), record.offset, record.key, record.value)
        self._member.commit(self)

    def commit(self, offsets: dict[Place, int]) -> None:
        """Until the broker says yes: it may be away for a moment."""
        from kafka import OffsetAndMetadata, TopicPartition
        from kafka.errors import KafkaError

        for attempt in range(200):
            try:
                self._consumer.commit(
                    {TopicPartition(*place): OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
                )
                return
            except KafkaError as refused:
                if not getattr(refused, "retriable", False) or attempt == 199:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        self._consumer.close(autocommit=False)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--client", choices=["confluent-kafka", "kafka-python"], required=True)
    arguments.add_argument("--bootstrap", required=True)
    arguments.add_argument("--group", required=True)
    arguments.add_argument("--notes", type=Path, required=True)
    arguments.add_argument("--hold-after", type=int)
    arguments.add_argument("--option", action="append", default=[], help="name=value, of the client library")
    arguments.add_argument("topics", nargs="+")
    told = arguments.parse_args()

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    member = Member(Notes(told.notes), told.hold_after)
    makers: dict[str, Callable[..., Client]] = {"confluent-kafka": ConfluentClient, "kafka-python": KafkaPythonClient}
    client = makers[told.client](
        told.bootstrap, told.group, told.topics, member, dict(option.split("=", 1) for option in told.option)
    )
    while not stopping:
        client.poll()
    member.commit(client)
    client.close()


if __name__ == "__main__":
    main()
