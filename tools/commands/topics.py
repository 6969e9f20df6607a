"""`barnabas topics`: create, list, describe, alter, delete, at any Kafka cluster."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from broker.config.problems import OperatorError
from tools.client import Cluster, admin, cluster_options, error_by_code
from tools.output import output_option, print_rows


@click.group()
def topics() -> None:
    """Create, list, describe, alter and delete topics."""


@topics.command("list")
@cluster_options()
@output_option
def list_topics(cluster: Cluster, output: str) -> None:
    """One line per topic."""
    with admin(cluster) as client:
        found = sorted(client.describe_topics(), key=lambda topic: str(topic["name"]))
    rows = [
        {
            "topic": topic["name"],
            "partitions": len(topic["partitions"]),
            "replicas": max((len(each["replica_nodes"]) for each in topic["partitions"]), default=0),
            "internal": topic["is_internal"],
        }
        for topic in found
    ]
    print_rows(["topic", "partitions", "replicas"], rows, output)


@topics.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--partitions", type=click.IntRange(1), help="Default: the broker's num.partitions.")
@click.option("--replication-factor", type=click.IntRange(1), help="Default: the broker's default.replication.factor.")
@click.option("--config", "configs", metavar="NAME=VALUE", multiple=True, help="A topic option.")
@click.option("--if-not-exists", is_flag=True, help="A topic that exists is no failure.")
@cluster_options()
def create(
    names: Sequence[str],
    partitions: int | None,
    replication_factor: int | None,
    configs: Sequence[str],
    if_not_exists: bool,
    cluster: Cluster,
) -> None:
    """Create topics."""
    wanted = {
        "num_partitions": partitions or -1,
        "replication_factor": replication_factor or -1,
        "configs": pairs(configs),
    }
    with admin(cluster) as client:
        answer = client.create_topics(dict.fromkeys(names, wanted), raise_errors=False)
        allowed = {"TopicAlreadyExists"} if if_not_exists else set()
        for name in each_done(answer["topics"], "create", allowed):
            click.echo(f"Created topic {name}.")


@topics.command()
@click.argument("names", nargs=-1)
@cluster_options()
@output_option
def describe(names: Sequence[str], cluster: Cluster, output: str) -> None:
    """Partitions with leader, replicas and in-sync replicas; all topics if none is named."""
    with admin(cluster) as client:
        found = client.describe_topics(list(names) or None)
        list(each_done(found, "describe", set()))
        options = changed_options(client, [topic["name"] for topic in found])
    if output == "json":
        rows = [{**described(topic), "configs": options[topic["name"]]} for topic in found]
        print_rows([], rows, output)
        return
    for topic in sorted(found, key=lambda topic: str(topic["name"])):
        head = {
            "topic": topic["name"],
            "id": topic.get("topic_id"),
            "partitions": len(topic["partitions"]),
            "configs": options[topic["name"]],
        }
        print_rows(list(head), [head], output)
        print_rows(["partition", "leader", "replicas", "isr"], described(topic)["partitions"], output)
        click.echo()


@topics.command()
@click.argument("name")
@click.option("--partitions", type=click.IntRange(1), help="Grow to this many.")
@click.option("--config", "configs", metavar="NAME=VALUE", multiple=True, help="Set a topic option.")
@click.option(
    "--delete-config", "deleted", metavar="NAME", multiple=True, help="Give a topic option back to the broker."
)
@cluster_options()
def alter(name: str, partitions: int | None, configs: Sequence[str], deleted: Sequence[str], cluster: Cluster) -> None:
    """Add partitions; set topic options."""
    if partitions is None and not configs and not deleted:
        raise click.UsageError("Say what to alter: --partitions, --config or --delete-config.")
    with admin(cluster) as client:
        if partitions is not None:
            grow(client, name, partitions)
        if configs or deleted:
            set_options(client, name, pairs(configs), deleted)


@topics.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--if-exists", is_flag=True, help="A topic that does not exist is no failure.")
@cluster_options()
def delete(names: Sequence[str], if_exists: bool, cluster: Cluster) -> None:
    """Delete topics with all their records."""
    with admin(cluster) as client:
        answer = client.delete_topics(list(names), raise_errors=False)
        allowed = {"UnknownTopicOrPartition"} if if_exists else set()
        for name in each_done(answer["topics"], "delete", allowed):
            click.echo(f"Deleted topic {name}.")


def grow(client: Any, name: str, partitions: int) -> None:
    answer = client.create_partitions({name: partitions}, raise_errors=False).to_dict()
    for done in each_done(answer["results"], "grow", set()):
        click.echo(f"Topic {done} has {partitions} partitions.")


def set_options(client: Any, name: str, options: dict[str, str], deleted: Iterable[str]) -> None:
    """Raises: OperatorError: the broker refuses."""
    from kafka.admin import ConfigResource

    changes: dict[str, Any] = dict(options) | dict.fromkeys(deleted, ("DELETE", None))
    resource = ConfigResource("TOPIC", name, changes)
    ((_, result),) = client.alter_configs([resource], raise_on_unknown=False)["topic"].items()
    if result != "OK":
        raise OperatorError(f"The options of topic {name} were not changed.", result, "")
    click.echo(f"Updated options of topic {name}.")


def changed_options(client: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """By topic, the options that it sets itself."""
    from kafka.admin import ConfigResource

    if not names:
        return {}
    found = client.describe_configs([ConfigResource("TOPIC", name) for name in names])["topic"]
    own = "DYNAMIC_TOPIC_CONFIG"  # a broker's own value is no option of the topic; clients of 0.11 are not told
    return {
        name: {
            option: facts["value"] for option, facts in found[name].items() if facts.get("config_source", own) == own
        }
        for name in names
    }


def described(topic: dict[str, Any]) -> dict[str, Any]:
    """A topic of a Metadata answer in our words."""
    partitions = [
        {
            "partition": each["partition_index"],
            "leader": each["leader_id"] if each["leader_id"] >= 0 else None,
            "replicas": each["replica_nodes"],
            "isr": each["isr_nodes"],
        }
        for each in sorted(topic["partitions"], key=lambda each: int(each["partition_index"]))
    ]
    return {"topic": topic["name"], "id": str(topic.get("topic_id") or ""), "partitions": partitions}


def each_done(answers: Iterable[dict[str, Any]], verb: str, allowed: set[str]) -> Iterable[str]:
    """Names of the rows that went well; then the first that did not, as OperatorError."""
    failed = None
    for answer in answers:
        if answer["error_code"] == 0:
            yield answer["name"]
        elif (no := error_by_code(answer["error_code"], answer.get("error_message"))).kind not in allowed:
            failed = failed or OperatorError(f"Cannot {verb} topic {answer['name']}: {no.kind}.", no.words, "")
    if failed is not None:
        raise failed


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """`name=value` options. Raises UsageError."""
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"--config {text}: it is written NAME=VALUE.")
    return dict(text.split("=", 1) for text in texts)
