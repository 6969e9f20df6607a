"""Everything is read back, from the beginning, by a consumer that belongs to no group."""

from collections.abc import Iterator
from typing import Any

from tools.soak.ledger import Ledger, id_of, lost_and_doubled, outdated
from tools.soak.topics import BOTH, COMPACTED, KEPT, PARTITIONS

_WITHIN_S = 60.0


def verify(bootstrap: str, ledger: Ledger) -> dict[str, int]:
    """Counts; all but those of records must be 0."""
    kept = (id_of(message.value()) for message in records(bootstrap, KEPT))
    lost, doubled = lost_and_doubled(ledger.acknowledged, kept)
    found = {
        "acknowledged": len(ledger.acknowledged),
        "lost": lost,
        "doubled": doubled,
        "not read by the group": len(ledger.acknowledged - ledger.consumed),
    }
    for topic in (COMPACTED, BOTH):
        newest = {key: number for (name, key), number in ledger.newest.items() if name == topic}
        last: dict[str, int | None] = {}
        count = 0
        for message in records(bootstrap, topic):
            value, count = message.value(), count + 1
            last[message.key().decode()] = None if value is None else id_of(value)[1]
        found[f"keys of {topic}"] = len(newest)
        found[f"keys of {topic} with an old value"] = outdated(newest, last, may_be_gone=topic == BOTH)
        found[f"records left in {topic}"] = count
    return found


def records(bootstrap: str, topic: str) -> Iterator[Any]:
    """All messages of a topic, partition by partition. Raises: KafkaException; RuntimeError: the end does not come."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

    options = {
        "bootstrap.servers": bootstrap,
        "group.id": "soak-verifier",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
    }
    for partition in range(PARTITIONS[topic]):
        consumer = Consumer(options)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        try:
            while True:
                message = consumer.poll(_WITHIN_S)
                if message is None:
                    raise RuntimeError(f"the end of {topic}-{partition} does not come")
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    break
                else:
                    raise KafkaException(error)
        finally:
            consumer.close()
