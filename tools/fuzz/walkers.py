"""The record walker, as it is written and as it is compiled: both say the same about any bytes, in any steps."""

from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from kproto.errors import ApiError
from kproto.records.batch import HEADER_BYTES, build_batch
from kproto.testing.walkers import plain_walker
from tools.fuzz.batches import records
from tools.fuzz.runner import Target
from tools.fuzz.spoiling import number, spoiled

SEEN = ("index", "cut_off", "many_headers", "max_timestamp", "max_timestamp_index", "without_key", "out_of_time")

Input = tuple[bytes, int, int, int, int]


def targets(compiled: ModuleType) -> list[Target]:
    plain = plain_walker()
    return [Target("walkers", section, lambda made: walk_both(plain, compiled, made), (ApiError,))]


def built(work: Path) -> ModuleType:
    """The compiled one. Raises: CannotCompile."""
    from kproto.testing.walkers import compiled_walker

    return compiled_walker(work)


def section(chance: Random) -> Input:
    """Records as they lie in a batch, spoiled; how many the header announces, its time, and the steps to take."""
    made = records(chance)
    count = len(made) if chance.random() < 0.8 else number(chance, 32)
    base = made[0].timestamp_ms if chance.random() < 0.7 else number(chance, 64)
    headers = chance.choice((1 << 31, 1, 2))
    return spoiled(chance, build_batch(made)[HEADER_BYTES:]), count, base, chance.choice((1, 3, 500)), headers


def walk_both(plain: ModuleType, compiled: ModuleType, made: Input) -> None:
    ours, theirs = (_walked(module, *made) for module in (plain, compiled))
    assert ours == theirs, f"{made}: plain {ours}, compiled {theirs}"
    if "ApiError" in ours[-1]:
        raise _refusal(ours[-1])


def _walked(module: ModuleType, data: bytes, count: int, base: int, step: int, headers: int) -> list[Any]:
    """What is seen after each step, and the refusal at last."""
    state = module.Walk(count, base, True, 0, 2**60)
    state.headers_a_call = headers
    seen: list[Any] = []
    position = 0
    while state.index < count:
        before = state.index
        try:
            position = module.walk(data, position, state, step)
        except Exception as refusal:  # each build has an ApiError of its own
            return [*seen, f"{type(refusal).__name__} {refusal}"]
        seen.append([position, *(getattr(state, name) for name in SEEN)])
        if state.index == before:
            break
    return [*seen, "the end"]


def _refusal(text: str) -> ApiError:
    from kproto.errors import ErrorCode

    return ApiError(ErrorCode.INVALID_RECORD, text)
