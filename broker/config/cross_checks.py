"""What no single line can check: options that contradict one another, and promises that are not built yet."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from broker.config.http_listener import http_addresses
from broker.config.listeners import BUILT
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings

MIB = 1024 * 1024
PROMISES: Mapping[str, Callable[[BrokerSettings], bool]] = MappingProxyType(
    {
        "authorizer.class.name": lambda settings: bool(settings.authorizer_class_name),
        "zookeeper.set.acl": lambda settings: settings.zookeeper_set_acl,
        "zookeeper.ssl.client.enable": lambda settings: settings.zookeeper_ssl_client_enable,
        "security.inter.broker.protocol": lambda settings: settings.security_inter_broker_protocol not in BUILT,
    }
)
"""Options that protect a cluster, and whether they are asked to: without them it would stand open."""


def check_together(settings: BrokerSettings) -> None:
    """Raises: OperatorError: two options contradict each other, or one promises protection that is not there."""
    for refuse in (_refuse_promises, _check_identity, _check_logs, _check_limits, _check_replication, _check_groups):
        refuse(settings)
    http_addresses(settings.barnabas_http_listener)
    settings.listening  # noqa: B018  it refuses what contradicts


def _refuse(what: str, why: str, do_this: str) -> None:
    raise OperatorError(what, why, do_this)


def _refuse_promises(settings: BrokerSettings) -> None:
    for name in (name for name, promised in PROMISES.items() if promised(settings)):
        _refuse(
            f"{name} is set.",
            "This version cannot keep what it promises; starting without it would leave the cluster unprotected.",
            f"Remove {name} if you can do without, or keep Apache Kafka for this cluster.",
        )


def _check_identity(settings: BrokerSettings) -> None:
    raw, texts = settings.raw, settings.texts
    if {"broker.id", "node.id"} <= texts.keys() and raw["broker.id"] != raw["node.id"]:
        _refuse("broker.id and node.id differ.", "They are two names of one number.", "Remove one of them.")
    if raw["process.roles"] and "broker" not in raw["process.roles"]:
        _refuse(
            "process.roles does not name broker.",
            "A Barnabas broker is its own controller; there is nothing to do for a controller alone.",
            "Do not start this file; the broker's own file is enough.",
        )
    number, generated = settings.broker_id, settings.broker_id_generation_enable
    if number < -1 or (number == -1 and not generated):
        _refuse(f"broker.id is {number}.", "A broker needs a number from 0 on.", "Set broker.id, each broker its own.")
    if "broker.id" in texts and generated and number > settings.reserved_broker_max_id and not raw["process.roles"]:
        _refuse(
            f"broker.id is {number}.",
            f"Numbers above reserved.broker.max.id={settings.reserved_broker_max_id} are given out by the registry.",
            "Choose a smaller number, raise reserved.broker.max.id, or set broker.id.generation.enable=false.",
        )


def _check_logs(settings: BrokerSettings) -> None:
    if not settings.directories:
        _refuse("log.dirs names no directory.", "A broker keeps its logs somewhere.", "Set log.dirs to a directory.")
    if len(set(settings.directories)) < len(settings.directories):
        _refuse("log.dirs names a directory twice.", "Each has one place in the list.", "Remove one of them.")
    for name in ("log.retention.ms", "log.retention.minutes", "log.retention.hours"):
        age = settings.raw[name]
        if age is not None and age != -1 and age < 1:
            _refuse(f"{name} is {age}.", "It must be at least 1, or -1 for ever.", f"Correct {name}.")
    if settings.log_cleaner_threads < 1:
        _refuse(
            "log.cleaner.threads is 0.", "The threads share log.cleaner.dedupe.buffer.size.", "Set it to 1 or more."
        )
    if settings.log_cleaner_dedupe_buffer_size // settings.log_cleaner_threads <= MIB:
        _refuse(
            f"log.cleaner.dedupe.buffer.size is {settings.log_cleaner_dedupe_buffer_size}.",
            "It must be more than 1048576 for each of log.cleaner.threads.",
            "Raise it.",
        )


def _check_limits(settings: BrokerSettings) -> None:
    budget, largest = settings.queued_max_request_bytes, settings.socket_request_max_bytes
    if 0 < budget < largest:
        _refuse(
            f"queued.max.request.bytes is {budget}, socket.request.max.bytes is {largest}.",
            "The largest request must fit into the budget.",
            "Raise queued.max.request.bytes, or set it to -1 for no limit.",
        )
    if settings.max_connections_per_ip == 0 and not settings.max_connections_per_ip_overrides:
        _refuse(
            "max.connections.per.ip is 0.",
            "Without max.connections.per.ip.overrides nobody could connect.",
            "Raise it, or name addresses in max.connections.per.ip.overrides.",
        )


def _check_replication(settings: BrokerSettings) -> None:
    wait, name = settings.replica_fetch_wait_max_ms, "replica.fetch.wait.max.ms"
    for other, limit in (
        ("replica.lag.time.max.ms", settings.replica_lag_time_max_ms),
        ("replica.socket.timeout.ms", settings.replica_socket_timeout_ms),
    ):
        if wait > limit:
            _refuse(
                f"{name} is {wait}, {other} is {limit}.",
                "A follower that waits longer than that would seem to be gone.",
                f"Lower {name}, or raise {other}.",
            )
    acks, replicas = settings.offsets_commit_required_acks, settings.offsets_topic_replication_factor
    if not -1 <= acks <= replicas:
        _refuse(
            f"offsets.commit.required.acks is {acks}.",
            f"It must be from -1 to offsets.topic.replication.factor, which is {replicas}.",
            "Remove it; -1, all replicas, is the default.",
        )


def _check_groups(settings: BrokerSettings) -> None:
    least, most = settings.group_min_session_timeout_ms, settings.group_max_session_timeout_ms
    if least > most:
        _refuse(
            f"group.min.session.timeout.ms is {least}, group.max.session.timeout.ms is {most}.",
            "No session timeout could be right.",
            "Make the first smaller than the second.",
        )
