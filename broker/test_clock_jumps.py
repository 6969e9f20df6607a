"""The wall clock jumps: no lease, session or timeout goes by it, and what is stored stays as it is."""

from dataclasses import replace
from uuid import UUID

import pytest
import trio
import trio.testing

from broker.clock import SetClock
from broker.testing.calls import create, fetched, produce
from broker.testing.questions import Named, heartbeat, join_group, sync_group
from broker.testing.running import running
from kproto.messages.find_coordinator import FindCoordinatorRequest

HOUR_MS = 3_600_000
TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS
SESSION_S = 10
"""Of the member that `join_group` asks for."""


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS, TEN_YEARS_MS])
async def test_a_clock_that_jumps_ends_no_membership_and_loses_no_record(
    jump_ms: int, autojump_clock: trio.testing.MockClock
) -> None:
    clock = SetClock()
    async with running(clock=clock) as broker:
        with broker.connect() as client:
            await create(client, "orders")
            await produce(client, "orders", "before")
            member = Named("orders", UUID(int=0), "readers", member_id="")
            await client.ask(FindCoordinatorRequest(key=member.group), 2)
            joined = await client.ask(join_group(member, 3), 3)
            member = replace(member, member_id=joined.member_id, generation=joined.generation_id)
            await client.ask(sync_group(member, 2), 2)
            clock.advance(jump_ms)
            for _ in range(4):
                await trio.sleep(SESSION_S / 2)
                assert (await client.ask(heartbeat(member, 2), 2)).error_code == 0
            assert await produce(client, "orders", "after") == 1
            assert await fetched(client, "orders") == ["before", "after"]


async def test_a_member_that_is_silent_goes_after_its_session_also_where_the_clock_stands_still(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with running(clock=SetClock()) as broker:
        with broker.connect() as client:
            member = Named("orders", UUID(int=0), "readers", member_id="")
            await client.ask(FindCoordinatorRequest(key=member.group), 2)
            joined = await client.ask(join_group(member, 3), 3)
            member = replace(member, member_id=joined.member_id, generation=joined.generation_id)
            await client.ask(sync_group(member, 2), 2)
            await trio.sleep(SESSION_S + 1)
            assert (await client.ask(heartbeat(member, 2), 2)).error_code != 0
