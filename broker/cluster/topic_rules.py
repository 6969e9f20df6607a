"""What a topic may be called and consist of: pure checks, with the codes and words that Kafka's clients know.

Sources: Topic.java (names), ZkAdminManager and AdminZkClient of Kafka (counts, assignments).
"""

import re
from collections.abc import Collection, Iterable, Mapping

from broker.cluster.znodes import Assignment
from broker.config.keys import BadValue
from broker.config.topic_settings import TopicSettings
from kproto.errors import ApiError, ErrorCode

GROUP_OFFSETS = "__consumer_offsets"
TRANSACTION_STATE = "__transaction_state"
INTERNAL_TOPICS = (GROUP_OFFSETS, TRANSACTION_STATE)
MAX_NAME_LENGTH = 249

_LEGAL = re.compile(r"[a-zA-Z0-9._-]+")


def check_name(name: str) -> None:
    """Raises: ApiError: INVALID_TOPIC_EXCEPTION."""
    if why := wrong_name(name):
        raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, f"Topic name is invalid: {why}")


def wrong_name(name: str) -> str | None:
    """Why this cannot be a topic's name; None if it can."""
    if not name:
        return "the empty string is not allowed"
    if name in (".", ".."):
        return "'.' or '..' is not allowed"
    if len(name) > MAX_NAME_LENGTH:
        return f"the length of '{name}' is longer than the max allowed length {MAX_NAME_LENGTH}"
    if not _LEGAL.fullmatch(name):
        return f"'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    return None


class Names:
    """The names taken, and those that would collide with them: metrics write a dot as an underscore."""

    def __init__(self, names: Iterable[str]) -> None:
        self._taken: dict[str, list[str]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self._taken.setdefault(name.replace(".", "_"), []).append(name)

    def check(self, name: str) -> None:
        """Raises: ApiError: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION (a collision)."""
        near = self._taken.get(name.replace(".", "_"), [])
        if name in near:
            raise ApiError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        if near:
            others = ", ".join(near)
            raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, f"Topic '{name}' collides with existing topics: {others}")


def check_assignment(assignment: Mapping[int, list[int]], brokers: Collection[int]) -> Assignment:
    """A client's own assignment of replicas, by partition.

    Raises: ApiError: INVALID_REPLICA_ASSIGNMENT: holes, no replicas, one twice, unknown brokers, different counts.
    """

    def refuse(why: str) -> ApiError:
        return ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why)

    if sorted(assignment) != list(range(len(assignment))):
        raise refuse("partitions should be a consecutive 0-based integer sequence")
    return check_replicas(assignment, brokers)


def check_replicas(
    assignment: Mapping[int, list[int]], brokers: Collection[int], replication_factor: int | None = None
) -> Assignment:
    """The replicas of each partition; `replication_factor` None: that of the first one.

    Raises: ApiError: INVALID_REPLICA_ASSIGNMENT.
    """
    for partition, replicas in sorted(assignment.items()):
        if not replicas:
            raise ApiError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Cannot have replication factor of 0 for partition id {partition}.",
            )
        if len(set(replicas)) < len(replicas):
            raise ApiError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Duplicate brokers not allowed in replica assignment: {_listed(replicas)} for partition id "
                f"{partition}.",
            )
        if unknown := sorted(set(replicas) - set(brokers)):
            raise ApiError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT, f"Unknown broker(s) in replica assignment: {_listed(unknown)}."
            )
        replication_factor = len(replicas) if replication_factor is None else replication_factor
        if len(replicas) != replication_factor:
            raise ApiError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"Inconsistent replication factor between partitions: partition {partition} has {len(replicas)}, "
                f"expected {replication_factor}.",
            )
    return {partition: list(assignment[partition]) for partition in sorted(assignment)}


def check_configs(configs: Mapping[str, str | None]) -> dict[str, str]:
    """The overrides of a new topic. Raises: ApiError: INVALID_CONFIG."""
    if nulls := [name for name, value in configs.items() if value is None]:
        raise ApiError(ErrorCode.INVALID_CONFIG, f"Null value not supported for topic configs: {','.join(nulls)}")
    try:
        TopicSettings.check(configs)
    except BadValue as bad:
        raise ApiError(ErrorCode.INVALID_CONFIG, str(bad)) from bad
    return {name: value for name, value in configs.items() if value is not None}


def _listed(brokers: Iterable[int]) -> str:
    return ", ".join(map(str, brokers))
