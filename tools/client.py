"""kafka-python for our commands: imported on demand, its failures told in three lines."""

import contextlib
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from broker.config.problems import OperatorError

BOOTSTRAP_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 5.0
CLIENT_ID = "barnabas"

bootstrap_option = click.option(
    "--bootstrap-server",
    default="localhost:9092",
    envvar="KAFKA_BOOTSTRAP_SERVERS",
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT,…",
    help="Brokers to ask first.",
)


@contextlib.contextmanager
def admin(bootstrap_server: str) -> Iterator[Any]:
    """A KafkaAdminClient, closed at the end. Raises: OperatorError: nobody answers, or the cluster says no."""
    with told(bootstrap_server):
        from kafka import KafkaAdminClient

        client = KafkaAdminClient(**common_options(bootstrap_server))
        try:
            yield client
        finally:
            client.close()


def common_options(bootstrap_server: str) -> dict[str, Any]:
    """Options of every client of kafka-python."""
    return {
        "bootstrap_servers": addresses(bootstrap_server),
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "client_id": CLIENT_ID,
    }


def addresses(bootstrap_server: str) -> list[str]:
    return [each.strip() for each in bootstrap_server.split(",") if each.strip()]


@contextlib.contextmanager
def told(bootstrap_server: str) -> Iterator[None]:
    """Failures of kafka-python as OperatorError; its retries are no news and stay out of the log."""
    must_be_reachable(bootstrap_server)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    from kafka.errors import KafkaError, KafkaTimeoutError

    try:
        yield
    except KafkaTimeoutError as error:
        raise OperatorError(
            f"No answer from {bootstrap_server} in time.", words_of(error), "Is it a Kafka broker, and is it well?"
        ) from None
    except KafkaError as error:
        raise OperatorError(f"The cluster said no: {name_of(type(error))}.", words_of(error), "") from None
    except ValueError as error:
        raise OperatorError("The request could not be made.", str(error), "") from None


def must_be_reachable(bootstrap_server: str) -> None:
    """kafka-python tries again for seconds where nobody listens; we say so at once. Raises OperatorError."""
    failures = []
    for address in addresses(bootstrap_server):
        host, colon, port = address.rpartition(":")
        try:
            with socket.create_connection(
                (host.strip("[]"), int(port)) if colon else (address, 9092), CONNECT_TIMEOUT_S
            ):
                return
        except ValueError:
            failures.append(f"{address} is no HOST:PORT")
        except OSError as error:
            failures.append(f"{address}: {error.strerror or error}")
    raise OperatorError(
        f"No broker at {bootstrap_server}.",
        "; ".join(failures) or "No address is given.",
        "Start one with `barnabas`, or name another with --bootstrap-server or KAFKA_BOOTSTRAP_SERVERS.",
    )


def name_of(error: type) -> str:
    return error.__name__.removesuffix("Error")


def words_of(error: Exception) -> str:
    """What the broker said, else what the protocol says of the code."""
    return next((str(each) for each in error.args if each), "") or getattr(error, "description", None) or ""


@dataclass(frozen=True, slots=True)
class ProtocolError:
    """An error code by its name, with the broker's words or, without any, the protocol's."""

    kind: str
    words: str


def error_by_code(code: int, message: str | None) -> ProtocolError:
    from kafka.errors import for_code

    error = for_code(code)
    return ProtocolError(name_of(error), message or getattr(error, "description", None) or "")
