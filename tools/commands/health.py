"""`barnabas health`: exit code 0 if the broker on this machine serves, for scripts and containers."""

import json
import socket

import click

from broker.config.http_listener import http_addresses
from broker.config.problems import OperatorError

DEFAULT_ADDRESS = "127.0.0.1:9644"
TIMEOUT_S = 2.0
_FAILED = 1


@click.command()
@click.option(
    "--http",
    default=DEFAULT_ADDRESS,
    show_default=True,
    metavar="HOST:PORT",
    help="The broker's barnabas.http.listener.",
)
def health(http: str) -> int:
    """Ask the broker whether it serves: 0 and `ready`, or 1 and what is missing."""
    ((host, port),) = http_addresses(http)
    status, body = ask(host, port)
    if status == 200:
        click.echo("ready")
        return 0
    click.echo(f"not ready: {', '.join(json.loads(body)['missing'])}")
    return _FAILED


def ask(host: str, port: int) -> tuple[int, bytes]:
    """Status and body of /readyz, over a plain socket: an HTTP client costs more than the answer. OperatorError."""
    request = f"GET /readyz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as stream:
                head, _, body = stream.read().partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body
    except (OSError, ValueError, IndexError) as error:
        raise OperatorError(
            f"No broker answers at {host}:{port}.",
            f"{error or 'the answer is no HTTP'}.",
            "Start one, or name its barnabas.http.listener with --http.",
        ) from None
