"""`barnabas run -- CMD`: a broker for the time that a command takes."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

from barnabas.handle import Broker, BrokerFailed
from broker.config.problems import OperatorError

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""As a shell says it."""
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--topics", metavar="NAME:PARTITIONS[:compact],…", default="", help="Create these topics before.")
@click.option("--data", metavar="DIR", type=click.Path(path_type=Path), help="Keep data here instead of in memory.")
@click.option("--override", metavar="NAME=VALUE", multiple=True, help="Set an option of server.properties.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: Sequence[str], topics: str, data: Path | None, override: Sequence[str]) -> int:
    """Run COMMAND beside a broker of its own, and return its exit code.

    The broker listens on a free port of localhost; COMMAND finds it in KAFKA_BOOTSTRAP_SERVERS, and the address of
    its /control pages in BARNABAS_HTTP. Everything is in memory, and gone at the end.

    \b
      barnabas run -- npm test
      barnabas run --topics orders:3 -- go test ./...
    """
    broker = Broker(data=data, topics=topics, options=dict(each.partition("=")[::2] for each in override))
    try:
        with broker:
            found = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "BARNABAS_HTTP": broker.web}
            return exit_code_of(command, {**os.environ, **found})
    except BrokerFailed as failed:
        raise OperatorError("The broker for the command did not start.", str(failed), "") from None


def exit_code_of(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run it in the foreground: Ctrl-C is its business alone, SIGTERM and SIGHUP are handed on.

    Returns: its exit code, 128 + n if signal n ended it, 126 or 127 if it cannot be run.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the command would inherit
    try:
        process = subprocess.Popen(list(command), env=environment)
    except OSError as error:
        click.echo(f"barnabas run: {command[0]}: {error.strerror}", err=True)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: process.send_signal(received))
    code = process.wait()
    return code if code >= 0 else 128 - code
