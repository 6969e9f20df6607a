"""How a handler asks a group coordinator: one event, one answer, waited for through the context."""

import math
from typing import TypeVar

from broker.coordinator_runtime.answers import Answer
from broker.coordinator_runtime.groups import MAX_TEXT_BYTES
from broker.coordinator_runtime.pace import Pace
from broker.requests.context import Context
from coordinator.groups import effects
from coordinator.groups.events import Event
from kproto.errors import ApiError, ErrorCode

T = TypeVar("T")


async def ask(ctx: Context, group_id: str, event: Event, within_ms: float = math.inf) -> effects.Answer:
    """What the group says; a refusal of a newcomer's JoinGroup carries its id, so it is an answer like others.

    Raises: ApiError: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE (also: time is up).
    """
    answer: Answer[effects.Answer] = ctx.rooms.groups.tell(group_id, event)
    return await waited(ctx, answer, within_ms)


async def ask_or_raise(ctx: Context, group_id: str, event: Event, within_ms: float = math.inf) -> effects.Answer:
    """Raises: ApiError: as `ask`, and what the group refuses with."""
    answer = await ask(ctx, group_id, event, within_ms)
    if isinstance(answer, effects.Refused):
        raise ApiError(answer.code)
    return answer


async def waited(ctx: Context, answer: Answer[T], within_ms: float) -> T:
    """Raises: ApiError: COORDINATOR_NOT_AVAILABLE: it did not come in time."""
    if not answer.woken:
        await ctx.pause(answer, within_ms)
    if answer.value is None:
        raise ApiError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    return answer.value


class Turns:
    """For loops over the rows of one request: others have their turn now and then."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._pace = Pace()

    async def next(self) -> None:
        """Raises: ConnectionLost."""
        if self._pace.is_over:
            await self._ctx.breathe()
            self._pace = Pace()


def must_have_id(group_id: str) -> None:
    """Members need a group with a name; offsets do not, they may be of the group "".

    Raises: ApiError: INVALID_GROUP_ID.
    """
    if not group_id:
        raise ApiError(ErrorCode.INVALID_GROUP_ID)


def must_be_short(*texts: str | None) -> None:
    """Not every text that came fits back into a record: what is no UTF-8 grows as it is read.

    Raises: ApiError: INVALID_REQUEST: a text is longer than the group's record can hold.
    """
    if any(text is not None and len(text.encode()) > MAX_TEXT_BYTES for text in texts):
        raise ApiError(ErrorCode.INVALID_REQUEST)


def must_be_small(ctx: Context, size_bytes: int) -> None:
    """Raises: ApiError: INVALID_REQUEST: a member's metadata, or its assignment, is larger than one may be."""
    if size_bytes > ctx.rooms.settings.barnabas_group_metadata_max_bytes:
        raise ApiError(ErrorCode.INVALID_REQUEST)
