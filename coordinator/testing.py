"""Plays for pure machines: what happens, and what has to come of it. For tests only."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

from coordinator.groups.effects import Append, Effect
from coordinator.groups.events import Event
from coordinator.groups.records import Key, Value

Step: TypeAlias = tuple[int, Event, list[Any]]
"""Wall clock in ms, an event, and the effects it must have."""


class Machine(Protocol):
    def handle(self, event: Event, now_ms: int) -> list[Effect]: ...
    def apply(self, key: Key, value: Value) -> None: ...


def tell(machine: Machine, event: Event, now_ms: int = 0) -> list[Effect]:
    """One event, with its records believed as the runtime does."""
    effects = machine.handle(event, now_ms)
    believe(machine, effects)
    return effects


def believe(machine: Machine, effects: Iterable[Effect]) -> None:
    for effect in effects:
        if isinstance(effect, Append):
            machine.apply(effect.key, effect.value)


def play(machine: Machine, *steps: Step) -> None:
    """Each event must have exactly these effects, in this order."""
    for now_ms, event, expected in steps:
        effects = tell(machine, event, now_ms)
        assert effects == expected, f"at {now_ms} ms, after {event}"
