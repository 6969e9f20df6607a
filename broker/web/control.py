"""What a test bench asks of its broker: forget everything, wait for a group, wait for an offset.

Each is made of what any client may ask, put to the broker as its own peer. Answered only where `barnabas.control.api`
says so, for it asks nobody who he is.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from broker.transport.peers import Peer
from broker.web.responder import Answer, Page, Refusal, WebRequest, json_answer
from kproto.errors import ErrorCode
from kproto.messages.delete_groups import DeleteGroupsRequest
from kproto.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproto.messages.describe_groups import DescribedGroup, DescribeGroupsRequest
from kproto.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproto.messages.list_groups import ListGroupsRequest
from kproto.messages.list_offsets import ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic
from kproto.messages.metadata import MetadataRequest, MetadataRequestTopic
from kproto.messages.offset_fetch import OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics

DELETE_WITHIN_MS = 10_000
DEFAULT_TIMEOUT_MS = 10_000
LONGEST_TIMEOUT_MS = 600_000
LOOK_EVERY_S = 0.005
_LATEST = -1
NO_GROUP = "Dead"
"""As DescribeGroups called it before version 6."""


class Control:
    """Args: peer: this broker, as it answers itself."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def page(self, request: WebRequest) -> Answer:
        """The one that the last part of the path names."""
        pages: Mapping[str, Page] = {
            "reset": self.reset,
            "wait-for-group": self.wait_for_group,
            "wait-for-offset": self.wait_for_offset,
        }
        return await pages[request.path.rpartition("/")[2]](request)

    # --- reset ---

    async def reset(self, request: WebRequest) -> Answer:
        """Every topic that is not internal and every group go, members too. `{"topics": 3, "groups": 1}`: so many."""
        request.json()
        groups = await self._forget_groups()
        topics = await self._delete_topics()
        return json_answer({"topics": topics, "groups": groups})

    async def _forget_groups(self) -> int:
        listed = await self._peer.ask(ListGroupsRequest())
        ids = [group.group_id for group in listed.groups]
        if not ids:
            return 0
        for group in (await self._peer.ask(DescribeGroupsRequest(groups=ids))).groups:
            members = [MemberIdentity(member_id=member.member_id) for member in group.members]
            if members:
                await self._peer.ask(LeaveGroupRequest(group_id=group.group_id, members=members))
        refused = (await self._peer.ask(DeleteGroupsRequest(groups_names=ids))).results
        for row in refused:
            if row.error_code not in (ErrorCode.NONE, ErrorCode.GROUP_ID_NOT_FOUND):
                raise Refusal(409, f"the group {row.group_id} stays: {ErrorCode(row.error_code).name}")
        return len(ids)

    async def _delete_topics(self) -> int:
        known = await self._peer.ask(MetadataRequest(topics=None))
        names = [topic.name for topic in known.topics if not topic.is_internal]
        wanted = [DeleteTopicState(name=name) for name in names]
        answer = await self._peer.ask(DeleteTopicsRequest(topics=wanted, timeout_ms=DELETE_WITHIN_MS))
        for row in answer.responses:
            if row.error_code not in (ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION):
                raise Refusal(409, f"the topic {row.name} stays: {ErrorCode(row.error_code).name}")
        return len(names)

    # --- waiting ---

    async def wait_for_group(self, request: WebRequest) -> Answer:
        """`{"group": "g", "members": 2, "state": "Stable", "timeout_ms": 10000}`: until it has so many, in that state.

        200 with the group as it is then; 408 with the group as it is when the time is over.
        """
        wanted = Wanted(request, {"group": str, "members": int, "state": str, "timeout_ms": int})
        group_id, members, state = wanted.need("group"), wanted.get("members", 1), wanted.get("state", "Stable")

        async def look() -> tuple[bool, dict[str, Any]]:
            group = await self._described(group_id)
            now = {"group": group_id, "state": group.group_state or NO_GROUP, "members": len(group.members)}
            return now["state"] == state and now["members"] == members, now

        return await until(look, wanted.timeout_s)

    async def _described(self, group_id: str) -> DescribedGroup:
        (group,) = (await self._peer.ask(DescribeGroupsRequest(groups=[group_id]))).groups
        found: DescribedGroup = group
        return found

    async def wait_for_offset(self, request: WebRequest) -> Answer:
        """`{"topic": "t", "partition": 0, "offset": 5}`: until that many records are there for consumers.

        With `"group": "g"`: until the group has committed that offset, or a later one. Answers as `wait_for_group`.
        """
        wanted = Wanted(request, {"topic": str, "partition": int, "offset": int, "group": str, "timeout_ms": int})
        topic, partition, offset = wanted.need("topic"), wanted.get("partition", 0), wanted.need("offset")
        group_id = wanted.get("group", None)

        async def look() -> tuple[bool, dict[str, Any]]:
            if group_id is None:
                there = await self._end_of(topic, partition)
            else:
                there = await self._committed(group_id, topic, partition)
            return there >= offset, {"topic": topic, "partition": partition, "offset": there}

        return await until(look, wanted.timeout_s)

    async def _end_of(self, topic: str, partition: int) -> int:
        """Where the next record for consumers will be; -1 while the partition is not there."""
        asked = ListOffsetsPartition(partition_index=partition, timestamp=_LATEST)
        request = ListOffsetsRequest(replica_id=-1, topics=[ListOffsetsTopic(name=topic, partitions=[asked])])
        (row,) = (await self._peer.ask(request)).topics[0].partitions
        end: int = row.offset
        return end

    async def _committed(self, group_id: str, topic: str, partition: int) -> int:
        """-1: none."""
        (known,) = (await self._peer.ask(only_look(topic))).topics
        asked = OffsetFetchRequestTopics(topic_id=known.topic_id, partition_indexes=[partition])
        request = OffsetFetchRequest(groups=[OffsetFetchRequestGroup(group_id=group_id, topics=[asked])])
        (group,) = (await self._peer.ask(request)).groups
        return max((row.committed_offset for each in group.topics for row in each.partitions), default=-1)


def only_look(topic: str) -> MetadataRequest:
    return MetadataRequest(topics=[MetadataRequestTopic(name=topic)], allow_auto_topic_creation=False)


class Wanted:
    """The fields of a question. Raises: Refusal: it is not an object, a field is unknown or of another kind."""

    def __init__(self, request: WebRequest, fields: Mapping[str, type]) -> None:
        given = request.json()
        if not isinstance(given, dict):
            raise Refusal(400, "the body must be a JSON object")
        for name, value in given.items():
            kind = fields.get(name)
            if kind is None:
                raise Refusal(400, f"{name} is not known here; known are {', '.join(fields)}")
            if type(value) is not kind:
                raise Refusal(400, f"{name} must be {'a whole number' if kind is int else 'a string'}")
        self._given = given
        self.timeout_s = min(max(self.get("timeout_ms", DEFAULT_TIMEOUT_MS), 0), LONGEST_TIMEOUT_MS) / 1000

    def need(self, name: str) -> Any:
        if name not in self._given:
            raise Refusal(400, f"{name} is missing")
        return self._given[name]

    def get(self, name: str, default: Any) -> Any:
        return self._given.get(name, default)


async def until(look: Callable[[], Awaitable[tuple[bool, dict[str, Any]]]], timeout_s: float) -> Answer:
    """Look again and again. 200 once it is so; 408 with how it is when the time is over."""
    deadline = trio.current_time() + timeout_s
    while True:
        done, now = await look()
        if done:
            return json_answer(now)
        if trio.current_time() >= deadline:
            return json_answer(now, 408)
        await trio.sleep(LOOK_EVERY_S)
