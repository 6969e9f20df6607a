"""The offsets that one group committed, and which of them nobody needs any more."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from coordinator.groups.events import TopicPartition
from kproto.errors import WireError
from kproto.messages.consumer_protocol import ConsumerProtocolSubscription
from kproto.messages.internal_topics import OffsetCommitValue
from kproto.prefixed import read_versioned
from kproto.schema import ZERO_UUID

NO_EXPIRY = -1


@dataclass(slots=True)
class Offsets:
    committed: dict[TopicPartition, OffsetCommitValue] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.committed)

    def take(self, partition: TopicPartition, value: OffsetCommitValue | None) -> None:
        """Believe a record; None is a tombstone."""
        if value is None:
            self.committed.pop(partition, None)
        else:
            self.committed[partition] = value

    def of(self, partitions: Sequence[TopicPartition] | None) -> dict[TopicPartition, OffsetCommitValue]:
        """A copy of what there is for these partitions, of everything if None."""
        if partitions is None:
            return dict(self.committed)
        return {partition: self.committed[partition] for partition in partitions if partition in self.committed}

    def of_topic(self, topic: str, topic_id: UUID) -> list[TopicPartition]:
        """Those of the topic with this id; an old record has no id and goes by its name."""
        return [
            partition
            for partition, value in self.committed.items()
            if partition[0] == topic and value.topic_id in (topic_id, ZERO_UUID)
        ]

    def unused(self, now_ms: int, retention_ms: int, since_ms: int) -> Iterator[TopicPartition]:
        """Those unused for `retention_ms` since their commit or `since_ms`, whichever is later.

        Some have an end of their own instead, which old clients set (OffsetCommit 2 to 4).
        """
        for partition, value in self.committed.items():
            if value.expire_timestamp != NO_EXPIRY:
                over = now_ms >= value.expire_timestamp
            else:
                over = now_ms - max(since_ms, value.commit_timestamp) >= retention_ms
            if over:
                yield partition


def subscribed_topics(subscriptions: Iterable[bytes]) -> set[str] | None:
    """The topics that these consumers read; None if one of them does not say so in the consumer protocol."""
    topics: set[str] = set()
    try:
        for subscription in subscriptions:
            topics.update(read_versioned(ConsumerProtocolSubscription, subscription, newer_as_newest=True).topics)
    except WireError:
        return None
    return topics
