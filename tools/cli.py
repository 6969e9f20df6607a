"""The command `barnabas`: options of the bare command, and its subcommands, each imported when it is called.

Exit codes: 0 done · 1 it failed, and stderr says what, why and what to do · 2 the command line is wrong ·
130 interrupted. A closed pipe (`… | head`) ends quietly with 0: the reader has what it wanted.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from broker.config.problems import OperatorError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

COMMANDS = {
    "bench": ("bench", "Measure this broker beside others on this machine."),
    "broker": ("run_broker", "Run a broker with a server.properties file."),
    "consume": ("consume", "Print the records of a topic."),
    "dev": ("run_broker", "Run a broker that keeps everything in memory."),
    "dump-log": ("dump_log", "Print what the files of a partition hold."),
    "groups": ("groups", "List, describe and delete consumer groups."),
    "options": ("options", "Explain options of brokers and topics."),
    "health": ("health", "Tell whether the broker on this machine serves."),
    "produce": ("produce", "Send records to a topic."),
    "run": ("run_with_broker", "Run a command beside a broker of its own."),
    "topics": ("topics", "Create, list, describe, alter and delete topics."),
}
"""Subcommand to module and one line of help, so that `--help` imports none of them."""

BROKERS = ("broker", "dev")
"""These take signals in hand once their loop runs; until then Ctrl-C just ends the process."""


class Commands(click.Group):
    """Knows the names of its commands; imports one only to run it or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(f"tools.commands.{module}"), name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


def print_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from importlib.util import find_spec

        from barnabas import __version__

        walker = find_spec("kproto.records.walk")
        compiled = walker is not None and not (walker.origin or "").endswith(".py")
        click.echo(f"barnabas {__version__}")
        click.echo(f"walker: {'compiled' if compiled else 'plain'}")
        ctx.exit()


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version, help="Show versions."
)
@click.option("--host", help="Bind this address instead of localhost; each client is told the address it came to.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen here instead of 9092; 0 takes a free port.")
@click.option("--any-port", is_flag=True, help="Take a free port if the port is taken.")
@click.option("--data", metavar="DIR", help="Keep data here instead of ./barnabas-data.")
@click.option("--containers", is_flag=True, help="Listen for containers too, as host.docker.internal:19092.")
@click.option("--topics", metavar="NAME:PARTITIONS[:compact],…", help="Create these topics at start.")
@click.option("--override", metavar="NAME=VALUE", multiple=True, help="Set an option of server.properties.")
@click.option("--steered", is_flag=True, help="Tell the address as a line of JSON, and end when stdin ends.")
@click.option("-v", "--verbose", is_flag=True, help="Log every event, in Kafka's words.")
@click.pass_context
def barnabas(ctx: click.Context, /, **options: Any) -> None:
    """A Kafka broker. Without a command: one broker on localhost:9092, data in ./barnabas-data.

    Options of a broker are also read from KAFKA_… variables, as container images do.
    """
    if ctx.invoked_subcommand is None:
        from tools.commands.run_broker import run_bare

        ctx.exit(run_bare(**options))
    if ctx.invoked_subcommand not in BROKERS:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a client says goodbye before it ends
    unused = [name for name, value in options.items() if value not in (None, False, ())]
    if unused:
        given = ", ".join("--" + name.replace("_", "-") for name in unused)
        raise click.UsageError(
            f"{given} belongs to the bare command; write it after {ctx.invoked_subcommand} if it has it."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns: the exit code."""
    try:
        code = barnabas.main(
            args=None if arguments is None else list(arguments), prog_name="barnabas", standalone_mode=False
        )
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # click makes a SystemExit of a closed pipe
        silence_stdout()
        return DONE
    except OperatorError as problem:
        tell(problem)
        return FAILED
    except click.UsageError as wrong:
        wrong.show()
        return WRONG_USAGE
    except click.ClickException as failed:
        failed.show()
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else DONE


def tell(problem: OperatorError) -> None:
    """What, why and what to do, a line each, on stderr."""
    lines = [f"barnabas: {problem.what}"]
    lines += [f"  why: {problem.why}"] if problem.why else []
    lines += [f"  do:  {problem.do_this}"] if problem.do_this else []
    click.echo("\n".join(lines), err=True)


def silence_stdout() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, without a complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
