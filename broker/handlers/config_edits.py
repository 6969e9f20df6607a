"""What AlterConfigs and IncrementalAlterConfigs have in common: each resource is checked, edited, written and told of.

Codes and words are those of Kafka 3.9 in ZooKeeper mode (ConfigAdminManager, ZkAdminManager), which were asked one by
one. Differences: an unknown broker option is refused unless it is a plug-in's, and an unknown operation is
INVALID_REQUEST.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Protocol

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.config_changes import WAIT_MS, ConfigChange
from broker.config.keys import BadValue, Key, Settings
from broker.config.layers import NotDynamic
from broker.config.settings import BrokerSettings
from broker.config.topic_settings import TopicSettings
from broker.handlers.config_resources import ConfigResource, must_be_this_broker
from broker.handlers.group_calls import Turns
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.values import frozen

Values = dict[str, str]


class EditOperation(IntEnum):
    """Source: AlterConfigOp.OpType; KIP-339."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


@frozen
class Edit:
    """One option of one resource. `value` is empty for DELETE."""

    name: str
    operation: EditOperation
    value: str


class AlteredResource(Protocol):
    """As both requests have it."""

    @property
    def resource_type(self) -> int: ...
    @property
    def resource_name(self) -> str: ...


Editor = Callable[[Values, type[Settings]], Values]
"""From the overrides that there are to those that shall be. Raises: ApiError."""


@frozen
class Wish:
    """One resource of a request."""

    resource: AlteredResource
    names: Sequence[str]
    """Of the options, as often as the request has them."""
    nulls: Sequence[str]
    """Options that need a value and have none."""
    edit: Editor
    levels: Callable[[bool], None] | None = None
    """Changes log levels, or only checks them (True); None: this API does not."""


async def altered(wishes: Sequence[Wish], ctx: Context, *, validate_only: bool) -> list[ApiError | None]:
    """What came of each resource, in order; None: done, and known to this broker."""
    times = Counter((wish.resource.resource_type, wish.resource.resource_name) for wish in wishes)
    found: list[ApiError | str | None] = []
    changes: list[ConfigChange] = []
    turns = Turns(ctx)
    for wish in wishes:
        await turns.next()
        try:
            check(wish, times, ctx)
            if wish.resource.resource_type == ConfigResource.BROKER_LOGGER and wish.levels is not None:
                wish.levels(validate_only)
                found.append(None)
                continue
            changes.append(change_of(wish, ctx))
            found.append(changes[-1].entity_path)
        except ApiError as no:
            found.append(no)
    job = ctx.rooms.config_changes.make(changes, validate_only=validate_only)
    await ctx.pause(job.waiter(), WAIT_MS)
    return [refusal_in(job, each) if isinstance(each, str) else each for each in found]


class Made(Protocol):
    def row(self, name: str) -> object: ...


def refusal_in(job: Made, entity_path: str) -> ApiError | None:
    try:
        job.row(entity_path)
    except ApiError as no:
        return no
    return None


def check(wish: Wish, times: Mapping[tuple[int, str], int], ctx: Context) -> None:
    """All but the values. Raises: ApiError; rights come first, so that names do not leak."""
    kind, name = wish.resource.resource_type, wish.resource.resource_name
    if kind == ConfigResource.TOPIC:
        ctx.may(Operation.ALTER_CONFIGS, Resource.topic(name))
    else:
        ctx.may(Operation.ALTER_CONFIGS, Resource.cluster())
    if times[kind, name] > 1:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")
    if len(set(wish.names)) < len(wish.names):
        raise ApiError(ErrorCode.INVALID_REQUEST, "Error due to duplicate config keys")
    if wish.nulls:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"Null value not supported for : {', '.join(wish.nulls)}")
    if kind == ConfigResource.BROKER_LOGGER or (kind == ConfigResource.BROKER and name):
        must_be_this_broker(name, ctx)


def change_of(wish: Wish, ctx: Context) -> ConfigChange:
    """Raises: ApiError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST."""
    name = wish.resource.resource_name
    match wish.resource.resource_type:
        case ConfigResource.TOPIC:
            if not name:
                raise ApiError(ErrorCode.INVALID_REQUEST, "Default topic resources are not allowed.")
            if name not in ctx.rooms.image.topics:
                raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{name}' does not exist.")
            return ConfigChange.of_topic(name, lambda old: topic_values(old, wish.edit))
        case ConfigResource.BROKER:
            broker = int(name) if name else None
            return ConfigChange.of_broker(broker, lambda old: broker_values(old, wish, broker is None, ctx))
        case other:
            raise ApiError(ErrorCode.INVALID_REQUEST, f"Unknown resource type {other}")


def topic_values(old: Values, edit: Editor) -> Values:
    """Only what changes is checked: a foreign tool's nonsense beside it may stay. Raises: ApiError: INVALID_CONFIG."""
    new = edit(old, TopicSettings)
    try:
        TopicSettings.check(changed(old, new))
    except BadValue as bad:
        raise ApiError(ErrorCode.INVALID_CONFIG, str(bad)) from bad
    return new


def broker_values(old: Values, wish: Wish, whole_cluster: bool, ctx: Context) -> Values:
    """Raises: ApiError: INVALID_CONFIG, INVALID_REQUEST."""
    new = wish.edit(old, BrokerSettings)
    configs = ctx.rooms.configs
    try:
        would_hold = configs.layers.check(changed(old, new), whole_cluster=whole_cluster)
        configs.check_world(would_hold, wish.names)
    except NotDynamic as no:
        raise ApiError(ErrorCode.INVALID_REQUEST, str(no)) from no
    return new


def changed(old: Values, new: Values) -> Values:
    return {name: text for name, text in new.items() if old.get(name) != text}


def edited(old: Values, edits: Sequence[Edit], options: type[Settings]) -> Values:
    """The overrides after these edits. Raises: ApiError: INVALID_CONFIG: not a list, or unknown."""
    new = dict(old)
    for edit in edits:
        match edit.operation:
            case EditOperation.SET:
                new[edit.name] = edit.value
            case EditOperation.DELETE:
                new.pop(edit.name, None)
            case EditOperation.APPEND | EditOperation.SUBTRACT:
                new[edit.name] = changed_list(new, edit, options)
    return new


def changed_list(values: Values, edit: Edit, options: type[Settings]) -> str:
    """A list is added to, or taken from, what the entity itself says; else Kafka's default, as in Kafka."""
    key: Key[object] | None = options.KEYS.get(edit.name)
    if key is None or key.kind.name != "list":
        verb = edit.operation.name.lower()
        why = f"Config value {verb} is not allowed for config key: {edit.name}"
        raise ApiError(ErrorCode.INVALID_CONFIG, why if key else f"Unknown config name: {edit.name}")
    items = items_of(values.get(edit.name, key.show(key.default) or ""))
    named = items_of(edit.value)
    if edit.operation is EditOperation.APPEND:
        return ",".join(items + [item for item in named if item not in items])
    return ",".join(item for item in items if item not in named)


def items_of(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
