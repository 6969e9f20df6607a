"""`barnabas`, `barnabas dev` and `barnabas broker FILE`: options to settings, then one broker until a signal."""

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from broker.config.listeners import PLAINTEXT
from broker.config.load import Loaded, load
from broker.config.problems import OperatorError
from broker.config.profiles import LAPTOP, MEMORY_ONLY
from broker.config.settings import BrokerSettings
from tools.banner import banner
from tools.log_lines import log_ready, write_log
from tools.ready import ReadyInfo, bootstrap_of
from tools.startup_topics import StartupTopic, create_topics, parse_topics
from tools.steering import end_with_holder, tell_holder

log = logging.getLogger("barnabas.config")

CONTAINERS_PORT = 19092
FILES_WANTED = 4096
"""Open files below which a broker with many partitions gets into trouble."""


@click.command()
@click.option("--host", help="Bind this address instead of localhost; each client is told the address it came to.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen here instead of 9092; 0 takes a free port.")
@click.option("--any-port", is_flag=True, help="Take a free port if the port is taken.")
@click.option("--containers", is_flag=True, help="Listen for containers too, as host.docker.internal:19092.")
@click.option("--topics", metavar="NAME:PARTITIONS[:compact],…", help="Create these topics at start.")
@click.option("--override", metavar="NAME=VALUE", multiple=True, help="Set an option of server.properties.")
@click.option("--steered", is_flag=True, help="Tell the address as a line of JSON, and end when stdin ends.")
@click.option("-v", "--verbose", is_flag=True, help="Log every event, in Kafka's words.")
def dev(**options: Any) -> int:
    """Run a broker that keeps everything in memory: gone when it stops, no rebalance delay."""
    return run_bare(data=None, profile=MEMORY_ONLY, **options)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--override", metavar="NAME=VALUE", multiple=True, help="Set an option over the file.")
@click.option("--environment", is_flag=True, help="Read KAFKA_… variables too; they count over the file.")
def broker(file: Path, override: Sequence[str], environment: bool) -> int:
    """Run a broker with the options of FILE, a Kafka server.properties. Its log goes to stdout."""
    write_log(everything=True)
    loaded = load(file=file, environment=os.environ if environment else None, overrides=override)
    topics = parse_topics(os.environ.get("KAFKA_CREATE_TOPICS", "")) if environment else []
    return run(loaded, topics, announce=lambda ready: log_ready(ready.broker_id))


def run_bare(
    *,
    host: str | None,
    port: int | None,
    any_port: bool,
    data: str | None,
    containers: bool,
    topics: str | None,
    override: Sequence[str],
    steered: bool,
    verbose: bool,
    profile: Mapping[str, str] = LAPTOP,
) -> int:
    """The bare command: a profile, the environment, then the options. Returns: the exit code."""
    write_log(everything=verbose)
    wanted = parse_topics(topics if topics is not None else os.environ.get("KAFKA_CREATE_TOPICS", ""))
    overrides = [*listening(host, port, any_port=any_port, containers=containers), *override]
    if data is not None:
        overrides.append(f"log.dirs={data}")
    loaded = load(environment=os.environ, overrides=overrides, defaults=profile)
    prepare_directories(loaded.settings)

    def announce(ready: ReadyInfo) -> None:
        if verbose:
            log_ready(ready.broker_id)
        if steered:
            tell_holder(ready)
        else:
            print_banner(ready, loaded.settings, containers=containers)

    if steered:
        end_with_holder()
    return run(loaded, wanted, announce=announce)


def run(loaded: Loaded, topics: Sequence[StartupTopic], *, announce: Callable[[ReadyInfo], None]) -> int:
    """Serve until a signal. Raises: OperatorError: what keeps the broker from starting."""
    for warning in loaded.warnings:
        log.warning(warning)
    raise_open_files_limit()
    from broker.__main__ import run as run_broker

    settings = loaded.settings
    return run_broker(settings, announce=lambda ready: when_topics_exist(settings, ready, topics, announce))


def when_topics_exist(
    settings: BrokerSettings,
    ready: ReadyInfo,
    topics: Sequence[StartupTopic],
    announce: Callable[[ReadyInfo], None],
) -> None:
    """Announce at once, or, since the broker's loop must go on to create them, from a thread behind the topics."""

    def create() -> None:
        try:
            create_topics(*own_address(settings, ready), topics)
        except OperatorError as problem:
            log.error("%s %s", problem.what, problem.why)
        announce(ready)

    if topics:
        threading.Thread(target=create, name="startup-topics", daemon=True).start()
    else:
        announce(ready)


def own_address(settings: BrokerSettings, ready: ReadyInfo) -> tuple[str, int]:
    """Where this process reaches its own broker: what is advertised may be known to others only (a mapped port).

    Raises: OperatorError: only clients with certificates of their own could.
    """
    plans = [plan for plan in enumerate(settings.listening.listeners) if plan[1].protocol == PLAINTEXT]
    if not plans:
        raise OperatorError(
            "Topics cannot be created at start.", "All listeners are TLS.", "Add a PLAINTEXT listener on localhost."
        )
    number, plan = plans[0]
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(plan.hosts[0], plan.hosts[0])
    return host, plan.port or ready.advertised[number].port


def listening(host: str | None, port: int | None, *, any_port: bool, containers: bool) -> list[str]:
    """Overrides for the listeners; none while no option asks for something else than the profile."""
    if host is None and port is None and not any_port and not containers:
        return []
    bind = host if host is not None else "localhost"
    number = 9092 if port is None else port
    if any_port and is_taken(bind, number):
        number = 0
    shown = f"[{bind}]" if ":" in bind else bind
    overrides = ["barnabas.advertise.local.address=true"] if host is not None else []
    if not containers:
        return [*overrides, f"listeners=PLAINTEXT://{shown}:{number}"]
    return [
        *overrides,
        f"listeners=PLAINTEXT://{shown}:{number},CONTAINERS://0.0.0.0:{CONTAINERS_PORT}",
        f"advertised.listeners=CONTAINERS://host.docker.internal:{CONTAINERS_PORT}",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTAINERS:PLAINTEXT",
    ]


def is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there already; an address that is none of ours is for the broker to refuse."""
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    for family, kind, protocol, _, address in places:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError:
                return True
    return False


def prepare_directories(settings: BrokerSettings) -> None:
    """Make the data directories of a bare broker, each with a `.gitignore`: they often lie in somebody's checkout."""
    if settings.barnabas_storage == "memory":
        return
    for directory in map(Path, settings.directories):
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not any(directory.iterdir()):
                (directory / ".gitignore").write_text("*\n")
        except OSError as error:
            raise OperatorError(
                f"Cannot keep data in {directory}.",
                f"The system says: {error.strerror}.",
                "Name a directory that you may write to with --data.",
            ) from None


def raise_open_files_limit() -> None:
    """Each partition and connection is an open file: take all that the system allows; say so if it is little."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < FILES_WANTED:
        log.warning("Only %d files may be open at once (ulimit -n); a broker wants %d.", hard, FILES_WANTED)


def print_banner(ready: ReadyInfo, settings: BrokerSettings, *, containers: bool) -> None:
    host, port = bootstrap_of(ready)
    data = "memory" if settings.barnabas_storage == "memory" else ", ".join(settings.directories)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = banner(address, data, f"host.docker.internal:{CONTAINERS_PORT}" if containers else None)
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # nobody reads: the broker goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
