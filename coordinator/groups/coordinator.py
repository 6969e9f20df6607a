"""All groups of one partition of `__consumer_offsets`: a group id's hash says which partition that is."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from coordinator.groups.classic import ClassicGroup
from coordinator.groups.effects import Append, Effect, SetTimer
from coordinator.groups.events import EXPIRY, Event
from coordinator.groups.rebalance import State
from coordinator.groups.records import Key, Value
from coordinator.groups.rules import Rules


@dataclass(slots=True)
class GroupCoordinator:
    """Groups come with their first event that leaves something, and go with their last record."""

    rules: Rules
    groups: dict[str, ClassicGroup] = field(default_factory=dict)

    def handle(self, group_id: str, event: Event, now_ms: int) -> list[Effect]:
        """What the group decides; a group that is not there answers as an empty one would, and leaves no trace."""
        group = self.groups.get(group_id)
        if group is not None:
            effects = group.handle(event, now_ms)
            if group.is_gone and not appends(effects):
                del self.groups[group_id]
            return effects
        group = ClassicGroup(group_id, self.rules)
        effects = group.handle(event, now_ms)
        if appends(effects) or not group.is_gone:
            self.groups[group_id] = group
            effects.append(SetTimer(EXPIRY, self.rules.expiry_interval_ms))
        return effects

    def apply(self, key: Key, value: Value) -> None:
        """Believe a record."""
        group = self.groups.get(key.group)
        if group is None:
            group = self.groups[key.group] = ClassicGroup(key.group, self.rules)
        group.apply(key, value)
        if group.state is State.DEAD:
            del self.groups[key.group]

    def resume(self) -> Iterator[tuple[str, list[Effect]]]:
        """After the last record was read back: what each group wants done first."""
        for group in list(self.groups.values()):
            yield group.group_id, group.resume()

    def with_offsets_of(self, topic: str) -> list[str]:
        """Ids of the groups that committed offsets of a topic of that name."""
        return [group.group_id for group in self.groups.values() if any(t == topic for t, _ in group.offsets.committed)]


def appends(effects: list[Effect]) -> bool:
    return any(isinstance(effect, Append) for effect in effects)
