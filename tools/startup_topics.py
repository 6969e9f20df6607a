"""Topics to create at start: `--topics orders:3,events:1:compact`, or KAFKA_CREATE_TOPICS of wurstmeister's image."""

from collections.abc import Sequence

from broker.config.problems import OperatorError
from kproto.values import frozen


@frozen
class StartupTopic:
    """A topic to create. `partitions` and `replicas` are -1 where the broker's default counts."""

    name: str
    partitions: int = -1
    replicas: int = -1
    policy: str | None = None


def parse_topics(text: str) -> list[StartupTopic]:
    """`name[:partitions[:replicas]][:policy]`, comma separated. Raises OperatorError."""
    return [_topic(item.strip()) for item in text.replace("\n", ",").split(",") if item.strip()]


def _topic(item: str) -> StartupTopic:
    name, *rest = (part.strip() for part in item.split(":"))
    numbers = [int(part) for part in rest if part.isdigit()]
    policies = [part for part in rest if not part.isdigit() and part]
    known = policies in ([], ["compact"], ["delete"])
    if not name or len(numbers) > 2 or not known or 0 in numbers:
        raise OperatorError(
            f"The topic {item!r} cannot be created.",
            "It is written name:partitions, name:partitions:replicas, and :compact or :delete at the end.",
            "Write for example orders:3,events:1:compact.",
        )
    partitions, replicas = [*numbers, -1, -1][:2]
    return StartupTopic(name, partitions, replicas, policies[0] if policies else None)


def create_topics(host: str, port: int, topics: Sequence[StartupTopic]) -> None:
    """Ask the broker at an address for the topics; those that exist are left as they are.

    Raises: OperatorError: a topic was refused, or the broker did not answer.
    """
    from barnabas import asking
    from kproto.errors import ErrorCode

    wanted = [
        asking.NewTopic(
            topic.name, topic.partitions, topic.replicas, {"cleanup.policy": topic.policy} if topic.policy else {}
        )
        for topic in topics
    ]
    try:
        refused = asking.create_topics(host, port, wanted)
    except OSError as error:
        raise OperatorError("Topics were not created.", f"The broker did not answer: {error}.", "") from None
    for topic in refused:
        if topic.error is not ErrorCode.TOPIC_ALREADY_EXISTS:
            raise OperatorError(
                f"The topic {topic.name} was not created.", topic.message, "Correct --topics or KAFKA_CREATE_TOPICS."
            )
