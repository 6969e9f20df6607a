"""Offsets in a group: who may commit them, and when they go."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from coordinator.groups.effects import Append, Done, Effect, Forgotten, Reply, SetTimer
from coordinator.groups.events import EXPIRY, Commit, Delete, DeleteOffsets, TopicPartition
from coordinator.groups.offsets import Offsets, subscribed_topics
from coordinator.groups.rebalance import Rebalance, State
from kproto.errors import ApiError, ErrorCode
from kproto.messages.internal_topics import GroupMetadataKey, OffsetCommitKey


@dataclass(slots=True)
class Committing(Rebalance):
    """The part of a group that keeps offsets. A commit changes nothing but by its records."""

    offsets: Offsets = field(default_factory=Offsets)

    def commit(self, commit: Commit) -> Iterator[Effect]:
        """Members commit in their generation; anybody may while the group is empty.

        Raises: ApiError: GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
            REBALANCE_IN_PROGRESS: the member joined a generation and has not seen its assignment.
        """
        if self.state is State.DEAD and commit.generation >= 0:
            raise ApiError(ErrorCode.GROUP_ID_NOT_FOUND)
        if commit.generation >= 0 or self.state not in (State.DEAD, State.EMPTY):
            member = self.members.known(commit.member_id, commit.instance_id)
            self.must_be_current(commit.generation)
            if self.state is State.COMPLETING:
                raise ApiError(ErrorCode.REBALANCE_IN_PROGRESS)
            yield self.session_of(member)
        for (topic, partition), value in commit.offsets.items():
            yield Append(OffsetCommitKey(group=self.group_id, topic=topic, partition=partition), value)
        yield Reply(commit.reply_to, Done())

    def delete(self, delete: Delete) -> Iterator[Effect]:
        """Raises: ApiError: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP."""
        if self.state is State.DEAD:
            raise ApiError(ErrorCode.GROUP_ID_NOT_FOUND)
        if self.state is not State.EMPTY:
            raise ApiError(ErrorCode.NON_EMPTY_GROUP)
        yield from map(self.forget, self.offsets.committed)
        yield Append(GroupMetadataKey(group=self.group_id), None)
        yield Reply(delete.reply_to, Done())

    def delete_offsets(self, delete: DeleteOffsets) -> Iterator[Effect]:
        """Those of topics that its members read stay; an empty group goes with its last one (KIP-496).

        Raises: ApiError: GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP: has members that are no consumers.
        """
        if self.state is State.DEAD:
            raise ApiError(ErrorCode.GROUP_ID_NOT_FOUND)
        if self.state is not State.EMPTY and self.protocol_type != "consumer":
            raise ApiError(ErrorCode.NON_EMPTY_GROUP)
        topics = set() if self.state is State.EMPTY else self.topics_read()
        still_read = frozenset(each for each in delete.partitions if topics is None or each[0] in topics)
        gone = self.offsets.of([each for each in delete.partitions if each not in still_read])
        yield from map(self.forget, gone)
        if self.state is State.EMPTY and not self.members.invited and len(gone) == len(self.offsets):
            yield Append(GroupMetadataKey(group=self.group_id), None)
        yield Reply(delete.reply_to, Forgotten(still_read))

    def topics_read(self) -> set[str] | None:
        """By the consumers of this generation; None: a rebalance is gathering them, or they do not say."""
        if self.state is State.PREPARING:
            return None
        return subscribed_topics(member.metadata(self.protocol) for member in self.members)

    def expire(self) -> Iterator[Effect]:
        """Tombstones for the offsets that nobody needs; an empty group goes with its last one."""
        unused = self.unused_offsets()
        yield from map(self.forget, unused)
        if self.state is State.EMPTY and not self.members.invited and len(unused) == len(self.offsets):
            yield Append(GroupMetadataKey(group=self.group_id), None)
        else:
            yield SetTimer(EXPIRY, self.rules.expiry_interval_ms)

    def unused_offsets(self) -> list[TopicPartition]:
        """Those of an empty group, and those of topics that a stable group of consumers reads no more (KIP-211)."""
        if self.state is State.EMPTY:
            return list(self.offsets.unused(self.now_ms, self.rules.retention_ms, self.since_ms))
        if self.state is State.STABLE and self.protocol_type == "consumer":
            topics = self.topics_read()
            if topics is not None:
                unused = self.offsets.unused(self.now_ms, self.rules.retention_ms, since_ms=-1)
                return [partition for partition in unused if partition[0] not in topics]
        return []

    def forget(self, partition: TopicPartition) -> Append:
        """A tombstone."""
        return Append(OffsetCommitKey(group=self.group_id, topic=partition[0], partition=partition[1]), None)
