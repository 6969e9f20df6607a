"""A value as somebody wrote it, with the place, so that a message can point at it."""

from kproto.values import frozen


@frozen
class Written:
    """One assignment.

    Args: place: `server.properties, line 12`, `environment variable KAFKA_PORT` or `--override`.
    """

    name: str
    text: str
    place: str
