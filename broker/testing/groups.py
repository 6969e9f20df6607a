"""What tests of groups ask again and again: where the coordinator is, a member that joins and is assigned."""

from typing import Any

from broker.testing.client import WireClient
from kproto.errors import ErrorCode
from kproto.messages.find_coordinator import FindCoordinatorRequest
from kproto.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproto.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment

SUBSCRIPTION = b"\0\0\0\0\0\1\0\1t\xff\xff\xff\xff"
"""Version 0 of the consumer protocol: the topic t."""


async def find(client: WireClient, group_id: str = "g") -> None:
    """Make `__consumer_offsets`; this broker coordinates everything."""
    answer = await client.ask(FindCoordinatorRequest(key=group_id), 0)
    assert answer.error_code == ErrorCode.NONE, ErrorCode(answer.error_code)


def join_request(group_id: str = "g", member_id: str = "", **more: Any) -> JoinGroupRequest:
    protocols = [JoinGroupRequestProtocol(name="range", metadata=SUBSCRIPTION)]
    fields = {"session_timeout_ms": 10_000, "rebalance_timeout_ms": 60_000, "protocol_type": "consumer"}
    return JoinGroupRequest(**{**fields, "group_id": group_id, "member_id": member_id, "protocols": protocols, **more})


async def joined(client: WireClient, group_id: str = "g", version: int = 9, **more: Any) -> Any:
    """The answer; from version 4 on after the id was fetched."""
    answer = await client.ask(join_request(group_id, **more), version)
    if answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
        answer = await client.ask(join_request(group_id, answer.member_id, **more), version)
    return answer


def sync_request(member_id: str, generation: int, assignment: bytes = b"", **more: Any) -> SyncGroupRequest:
    """From the leader, for itself alone."""
    rows = [SyncGroupRequestAssignment(member_id=member_id, assignment=assignment)]
    fields = {"group_id": "g", "protocol_type": "consumer", "protocol_name": "range", "assignments": rows}
    return SyncGroupRequest(**{**fields, "member_id": member_id, "generation_id": generation, **more})


async def stable(client: WireClient, group_id: str = "g", assignment: bytes = b"all") -> str:
    """A group of one; the member's id, in generation 1."""
    answer = await joined(client, group_id)
    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, 1), answer
    request = sync_request(answer.member_id, 1, assignment, group_id=group_id)
    synced = await client.ask(request, 5)
    assert (synced.error_code, synced.assignment) == (ErrorCode.NONE, assignment)
    return str(answer.member_id)
