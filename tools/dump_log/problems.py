"""A file that cannot be read on: the dump ends there, with Kafka's words where it has some."""

from broker.config.problems import OperatorError


def unreadable(what: str, why: str = "") -> OperatorError:
    return OperatorError(what, why, "")
