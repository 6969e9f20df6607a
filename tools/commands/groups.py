"""`barnabas groups`: list, describe, delete consumer groups, at any Kafka cluster."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from broker.config.problems import OperatorError
from tools.client import Cluster, admin, cluster_options
from tools.output import output_option, print_rows

COLUMNS = [
    "group",
    "topic",
    "partition",
    "current_offset",
    "log_end_offset",
    "lag",
    "consumer_id",
    "host",
    "client_id",
]


@click.group()
def groups() -> None:
    """List, describe and delete consumer groups."""


@groups.command("list")
@cluster_options()
@output_option
def list_groups(cluster: Cluster, output: str) -> None:
    """One line per group."""
    with admin(cluster) as client:
        found = client.list_groups()
    rows = [
        {"group": each["group_id"], "protocol": each["protocol_type"], "state": each.get("group_state")}
        for each in sorted(found, key=lambda each: str(each["group_id"]))
    ]
    print_rows(["group", "protocol", "state"], rows, output)


@groups.command()
@click.argument("names", nargs=-1, required=True)
@cluster_options()
@output_option
def describe(names: Sequence[str], cluster: Cluster, output: str) -> None:
    """Offsets, lag and members of groups; with JSON the state too."""
    with admin(cluster) as client:
        described = [facts(client, name) for name in names]
    for group in described:
        if output == "json":
            print_rows([], [group], output)
            continue
        click.echo(f"Group {group['group']}: {group['state']}, {len(group['members'])} members.")
        print_rows(COLUMNS, group["partitions"], output)
        click.echo()


@groups.command()
@click.argument("names", nargs=-1, required=True)
@cluster_options()
def delete(names: Sequence[str], cluster: Cluster) -> None:
    """Delete groups without members, and their offsets."""
    with admin(cluster) as client:
        results = client.delete_groups(list(names))
    failed = {name: result.removesuffix("Error") for name, result in results.items() if result != "OK"}
    for name in results.keys() - failed.keys():
        click.echo(f"Deleted group {name}.")
    for name, result in failed.items():
        raise OperatorError(f"Cannot delete group {name}: {result}.", WHY.get(result, ""), "")


WHY = {
    "NonEmptyGroup": "It has members; stop them first.",
    "GroupIdNotFound": "There is no such group.",
}


def facts(client: Any, name: str) -> dict[str, Any]:
    """Raises: OperatorError: no such group."""
    group = client.describe_groups([name])[name]
    committed = client.list_group_offsets({name: None})[name]
    if (group["error"] or group["group_state"] == "Dead") and not committed:
        raise OperatorError(f"Group {name} does not exist.", group["error"] or "", "See `barnabas groups list`.")
    members = group["members"]
    owners = {partition: member for member in members for partition in assigned(member)}
    ends = end_offsets(client, committed.keys() | owners.keys())
    partitions = [row(name, each, committed.get(each), ends.get(each), owners.get(each)) for each in sorted(ends)]
    return {
        "group": name,
        "state": group["group_state"],
        "protocol": group["protocol_data"],
        "members": [
            {"consumer_id": each["member_id"], "host": each["client_host"], "client_id": each["client_id"]}
            for each in members
        ],
        "partitions": partitions,
    }


def assigned(member: dict[str, Any]) -> Iterator[Any]:
    """Partitions of a member, as far as its assignment is that of a consumer."""
    from kafka import TopicPartition

    assignment = member["member_assignment"]
    for topic in assignment.get("assigned_partitions", []) if isinstance(assignment, dict) else []:
        for partition in topic["partitions"]:
            yield TopicPartition(topic["topic"], partition)


def end_offsets(client: Any, partitions: set[Any]) -> dict[Any, int]:
    from kafka.admin import OffsetSpec

    if not partitions:
        return {}
    found = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {each: answer.offset for each, answer in found.items()}


def row(group: str, partition: Any, committed: Any, end: int | None, member: dict[str, Any] | None) -> dict[str, Any]:
    """A line as kafka-consumer-groups has it."""
    current = committed.offset if committed is not None and committed.offset >= 0 else None
    return {
        "group": group,
        "topic": partition.topic,
        "partition": partition.partition,
        "current_offset": current,
        "log_end_offset": end,
        "lag": None if current is None or end is None else end - current,
        "consumer_id": member and member["member_id"],
        "host": member and member["client_host"],
        "client_id": member and member["client_id"],
    }
