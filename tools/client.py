"""kafka-python for our commands: imported on demand, its failures told in three lines."""

import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import click

from broker.config.problems import OperatorError
from kproto.values import frozen
from tools.command_config import CommandConfig, read_config

BOOTSTRAP_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 5.0
TLS_REMEDY = "Say it in the file after --command-config: security.protocol=SSL, ssl.truststore.…, ssl.keystore.…"


class SpeaksTls(OSError):
    """Somebody listens, and wants TLS of us."""


@frozen
class Cluster:
    """Where a command asks, and how it gets there. `bootstrap_server`: `host:port,…`."""

    bootstrap_server: str
    config: CommandConfig = field(default_factory=CommandConfig)

    def options(self) -> dict[str, Any]:
        """Of every client of kafka-python."""
        plain = {
            "bootstrap_servers": self.addresses(),
            "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
            "client_id": self.config.client_id,
        }
        return (
            plain if self.config.tls is None else {**plain, "security_protocol": "SSL", "ssl_context": self.config.tls}
        )

    def addresses(self) -> list[str]:
        return [each.strip() for each in self.bootstrap_server.split(",") if each.strip()]


def cluster_options(*older: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options of a command that asks a cluster, which it gets as `cluster`.

    Args: older: spellings of `--command-config` that Kafka's own tool had before 4.2.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_cluster(*arguments: Any, bootstrap_server: str, command_config: Path | None, **rest: Any) -> Any:
            config = CommandConfig() if command_config is None else read_config(command_config)
            if config.unused:
                click.echo(f"{command_config}: not used here: {', '.join(config.unused)}", err=True)
            return command(*arguments, cluster=Cluster(bootstrap_server, config), **rest)

        return _bootstrap_option(_config_option(*older)(with_cluster))

    return decorate


_bootstrap_option = click.option(
    "--bootstrap-server",
    default="localhost:9092",
    envvar="KAFKA_BOOTSTRAP_SERVERS",
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT,…",
    help="Brokers to ask first.",
)


def _config_option(*older: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--command-config",
        *older,
        "command_config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Properties of Kafka's clients: security.protocol=SSL, ssl.truststore.location, …",
    )


@contextlib.contextmanager
def admin(cluster: Cluster) -> Iterator[Any]:
    """A KafkaAdminClient, closed at the end. Raises: OperatorError: nobody answers, or the cluster says no."""
    with told(cluster):
        from kafka import KafkaAdminClient

        client = KafkaAdminClient(**cluster.options())
        try:
            yield client
        finally:
            client.close()


@contextlib.contextmanager
def told(cluster: Cluster) -> Iterator[None]:
    """Failures of kafka-python as OperatorError; its retries are no news and stay out of the log."""
    must_be_reachable(cluster)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    from kafka.errors import KafkaError, KafkaTimeoutError

    try:
        yield
    except KafkaTimeoutError as error:
        raise OperatorError(
            f"No answer from {cluster.bootstrap_server} in time.",
            words_of(error),
            "Is it a Kafka broker, and is it well?",
        ) from None
    except KafkaError as error:
        raise OperatorError(f"The cluster said no: {name_of(type(error))}.", words_of(error), "") from None
    except ValueError as error:
        raise OperatorError("The request could not be made.", str(error), "") from None


def must_be_reachable(cluster: Cluster) -> None:
    """kafka-python tries again for seconds where nobody listens, or TLS fails; we say so at once. OperatorError."""
    failures = []
    remedy = "Start one with `barnabas`, or name another with --bootstrap-server or KAFKA_BOOTSTRAP_SERVERS."
    for address in cluster.addresses():
        host, colon, port = address.rpartition(":")
        try:
            knock(host.strip("[]") if colon else address, int(port) if colon else 9092, cluster.config.tls)
            return
        except ssl.SSLError as error:
            from broker.transport.tls_errors import reason

            failures.append(f"{address}: {reason(error)}")
            remedy = TLS_REMEDY
        except SpeaksTls:
            failures.append(f"{address} speaks TLS")
            remedy = TLS_REMEDY
        except ValueError:
            failures.append(f"{address} is no HOST:PORT")
        except OSError as error:
            failures.append(f"{address}: {error.strerror or error}")
    raise OperatorError(
        f"No broker at {cluster.bootstrap_server}.", "; ".join(failures) or "No address is given.", remedy
    )


def knock(host: str, port: int, tls: ssl.SSLContext | None) -> None:
    """Whether somebody listens, and speaks as we do. Raises: OSError, ssl.SSLError and SpeaksTls among them."""
    with _connected(host, port, tls) as stream:
        stream.settimeout(BOOTSTRAP_TIMEOUT_MS / 1000)  # a busy broker is there, too
        stream.sendall(_question())
        answered = stream.recv(1)  # a certificate of ours that is refused is heard of here
    if not answered and tls is None and _speaks_tls(host, port):
        raise SpeaksTls  # else a broker of before 0.10, which does not know the question


def _connected(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    plain = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
    return plain if tls is None else tls.wrap_socket(plain, server_hostname=host)


def _speaks_tls(host: str, port: int) -> bool:
    curious = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    curious.check_hostname, curious.verify_mode = False, ssl.CERT_NONE
    try:
        _connected(host, port, curious).close()
    except ssl.SSLError as error:
        return "_ALERT_" in (error.reason or "")  # it does, and wants a certificate
    except OSError:
        return False
    return True


def _question() -> bytes:
    """ApiVersions, version 0."""
    from kproto.api_keys import ApiKey
    from kproto.headers import RequestHeader, request_header_bytes

    content = request_header_bytes(RequestHeader(ApiKey.API_VERSIONS, 0, 1, "barnabas"))
    return len(content).to_bytes(4, "big") + content


def name_of(error: type) -> str:
    return error.__name__.removesuffix("Error")


def words_of(error: Exception) -> str:
    """What the broker said, else what the protocol says of the code."""
    return next((str(each) for each in error.args if each), "") or getattr(error, "description", None) or ""


@frozen
class ProtocolError:
    """An error code by its name, with the broker's words or, without any, the protocol's."""

    kind: str
    words: str


def error_by_code(code: int, message: str | None) -> ProtocolError:
    from kafka.errors import for_code

    error = for_code(code)
    return ProtocolError(name_of(error), message or getattr(error, "description", None) or "")
