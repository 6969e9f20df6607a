"""Borrowed memory, and the budget."""

import pytest
import trio
import trio.testing

from broker.server.budget import Budget, Claim
from broker.server.buffers import ReadBuffers
from broker.server.inbox import GROWTH, Inbox
from kproto.api_keys import ApiKey


def test_the_buffer_that_came_home_last_goes_out_first() -> None:
    buffers = ReadBuffers(100)
    one, two = buffers.borrow(), buffers.borrow()
    assert buffers.out == 2
    buffers.give_back(one)
    buffers.give_back(two)
    assert buffers.borrow() is two
    assert buffers.borrow() is one


def test_a_poisoned_buffer_comes_home_full_of_nonsense_and_in_size() -> None:
    buffers = ReadBuffers(100, poison=True)
    buffer = buffers.borrow()
    buffer[:5] = b"bytes"
    buffers.give_back(buffer)
    assert bytes(buffers.borrow()) == b"\xdd" * 100


def test_a_view_left_behind_is_an_error_in_tests() -> None:
    buffers = ReadBuffers(100, poison=True)
    buffer = buffers.borrow()
    view = memoryview(buffer)[3:5]
    with pytest.raises(BufferError):
        buffers.give_back(buffer)
    view.release()


def test_a_view_left_behind_costs_only_that_buffer_in_production(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever kept it goes on seeing his own bytes; nobody reads over them."""
    buffers = ReadBuffers(100)
    buffer = buffers.borrow()
    view = memoryview(buffer)[3:5]
    buffers.give_back(buffer)
    assert buffers.borrow() is not buffer
    assert "outlived its request" in caplog.text
    view.release()


def test_a_claim_is_granted_until_the_budget_is_spent_and_a_single_one_always() -> None:
    budget = Budget(100)
    assert budget.try_claim(500)
    assert budget.spent
    assert not budget.try_claim(1)
    budget.count(-500)
    assert budget.try_claim(60)
    assert not budget.try_claim(60)
    assert Budget(-1).try_claim(1 << 60)


async def test_nobody_passes_those_who_stand_in_line(autojump_clock: trio.testing.MockClock) -> None:
    budget = Budget(100)
    assert budget.try_claim(90)
    served: list[int] = []

    async def claim(size: int) -> None:
        await budget.wait_for(size)
        served.append(size)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(claim, 50)
        await trio.testing.wait_all_tasks_blocked()
        assert budget.missing_bytes == 40
        assert not budget.try_claim(5)
        nursery.start_soon(claim, 5)
        await trio.testing.wait_all_tasks_blocked()
        assert served == []
        budget.count(-90)
    assert sorted(served) == [5, 50]
    assert budget.claimed_bytes == 55


async def test_who_is_cancelled_in_line_leaves_no_claim() -> None:
    budget = Budget(100)
    assert budget.try_claim(100)
    claim = Claim(budget)
    claim.ask(80, received=10)
    assert (claim.held, claim.missing, claim.must_wait) == (10, 70, True)
    with trio.move_on_after(0):
        await claim.wait()
    claim.hold(0)
    assert budget.claimed_bytes == 100
    assert budget.missing_bytes == 0


class Bytes:
    """A stream that has everything already, given in pieces of at most `slice_bytes`."""

    def __init__(self, data: bytes, slice_bytes: int) -> None:
        self.data = data
        self.slice_bytes = slice_bytes

    def receive_into(self, buffer: memoryview) -> int | None:
        size = min(len(buffer), self.slice_bytes, len(self.data))
        buffer[:size] = self.data[:size]
        self.data = self.data[size:]
        return size


def test_memory_follows_what_was_received_never_what_was_claimed() -> None:
    """Row 3: 100 MiB announced, then little by little."""
    budget = Budget(1 << 30)
    inbox = Inbox(ReadBuffers(4096, 8192, poison=True), budget, 100 << 20)
    source = Bytes((50 << 20).to_bytes(4, "big") + bytes(1 << 20), 10_000)
    while inbox.receive(source):
        assert inbox.next_request() is None
        inbox.settle()
        held = len(inbox._buffer or b"")
        assert held <= max(GROWTH * inbox.received_bytes, 64 * 1024)
        assert budget.claimed_bytes == (50 << 20) + 4
    inbox.close()
    assert budget.claimed_bytes == 0


@pytest.mark.parametrize("slice_bytes", [100, 30_000, 62_500, 200_000])
def test_a_batch_of_1_mb_is_read_into_a_lent_buffer_however_its_bytes_come(slice_bytes: int) -> None:
    """Until so much of it is here that one may be lent, it has no more of its own than that."""
    buffers = ReadBuffers(poison=True)
    inbox = Inbox(buffers, Budget(1 << 30), 100 << 20)
    size = 1_000_000
    frame = size.to_bytes(4, "big") + ApiKey.PRODUCE.to_bytes(2, "big") + bytes(6) + b"\xff\xff"
    source = Bytes(frame.ljust(4 + size, b"\0"), slice_bytes)
    while (request := inbox.next_request()) is None:
        inbox.settle()
        assert inbox.receive(source)
        assert inbox._buffer is not None
        assert inbox._lent or len(inbox._buffer) <= (4 + size) // GROWTH + 1
    assert inbox._lent
    assert len(inbox._buffer or b"") == buffers.large_bytes
    request.body.release()
    inbox.settle()
    assert buffers.out == 0


def test_a_settled_inbox_without_leftovers_holds_nothing() -> None:
    buffers = ReadBuffers(4096, poison=True)
    inbox = Inbox(buffers, Budget(100), 1000)
    assert inbox.receive(Bytes(b"", 10)) == 0
    inbox.settle()
    assert (buffers.out, inbox._buffer, inbox.frame_begun) == (0, None, False)
