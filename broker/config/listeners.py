"""Where a broker binds and which addresses it tells: the listener options of all eras, made one list.

`listeners`, `advertised.listeners`, the protocol map, the inter-broker name, and the older `port`, `host.name` and
`advertised.host.name`. Source: KafkaConfig and SocketServerConfigs of Kafka 3.9; KIP-103, KIP-631.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from broker.config.problems import OperatorError
from kproto.values import frozen

PLAINTEXT, SSL = "PLAINTEXT", "SSL"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
BUILT = (PLAINTEXT, SSL)
LOOPBACK = ("127.0.0.1", "::1")
_ENDPOINT = re.compile(r"(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)")


class ListenerOptions(Protocol):
    """What `Listening.of` reads; `BrokerSettings` has it."""

    texts: Mapping[str, str]

    @property
    def listeners(self) -> str: ...
    @property
    def advertised_listeners(self) -> str | None: ...
    @property
    def listener_security_protocol_map(self) -> str: ...
    @property
    def inter_broker_listener_name(self) -> str | None: ...
    @property
    def security_inter_broker_protocol(self) -> str: ...
    @property
    def controller_listener_names(self) -> str | None: ...
    @property
    def host_name(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def advertised_host_name(self) -> str | None: ...
    @property
    def advertised_port(self) -> int | None: ...
    @property
    def barnabas_advertise_local_address(self) -> bool: ...


@frozen
class Endpoint:
    """`name://host:port` as written; an empty host is every address, port 0 any free port."""

    name: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.name}://{host}:{self.port}"


@frozen
class ListenerPlan:
    """One listener.

    Args:
        hosts: addresses to bind, all on `port`; "" is every address of the machine.
        port: 0 asks the system for a free one.
        advertised: what clients are told; None where no option says it. Its port 0 means the port bound.
        tells_local_end: each client is told the local end of its own connection instead.
    """

    name: str
    protocol: str
    hosts: tuple[str, ...]
    port: int
    advertised: Endpoint | None
    tells_local_end: bool = False


@frozen
class Listening:
    """All listeners in the order written, and the name of the one that brokers use among themselves."""

    listeners: tuple[ListenerPlan, ...]
    inter_broker: str

    @property
    def protected(self) -> str | None:
        """The listener that clients must not fill up: that of the brokers, if they have one of their own."""
        return self.inter_broker if len(self.listeners) > 1 else None

    @classmethod
    def of(cls, options: ListenerOptions) -> Self:
        """Raises: OperatorError: the options contradict one another or promise what is not built."""
        quorum = {name.strip().upper() for name in (options.controller_listener_names or "").split(",")}
        bound = [endpoint for endpoint in _bound(options) if endpoint.name not in quorum]
        told = {endpoint.name: endpoint for endpoint in _advertised(options) if endpoint.name not in quorum}
        _refuse_repeated(bound)
        _refuse_strangers(bound, told)
        protocols = _protocols(options)
        local_end = options.barnabas_advertise_local_address
        plans = tuple(_plan(endpoint, told.get(endpoint.name), protocols, local_end) for endpoint in bound)
        if not plans:
            raise OperatorError("No listener is left for clients.", "All names are listeners of Kafka's quorum.", DO)
        return cls(plans, _inter_broker(options, plans))


DO = "Set listeners, for example to PLAINTEXT://:9092."


def parse_endpoints(option: str, text: str) -> list[Endpoint]:
    """`A://host:1,B://[::1]:2`; names come back in upper case. Raises OperatorError naming the option."""
    return [_endpoint(option, item.strip()) for item in text.split(",") if item.strip()]


def _endpoint(option: str, item: str) -> Endpoint:
    match = _ENDPOINT.fullmatch(item)
    if match is None or not match[1].strip():
        raise OperatorError(
            f"{option} has {item!r}.",
            "An address is written name://host:port.",
            f"Write for example {PLAINTEXT}://:9092.",
        )
    if not 0 <= int(match[3]) <= 65535:
        raise OperatorError(
            f"{option} has {item!r}.", "A port is a number from 0 to 65535; 0 takes a free one.", "Correct the port."
        )
    return Endpoint(match[1].strip().upper(), match[2], int(match[3]))


def _bound(options: ListenerOptions) -> list[Endpoint]:
    """`listeners`; else the older names if one is set; else the default."""
    old_names = {"port", "host.name"} & options.texts.keys()
    if "listeners" not in options.texts and old_names:
        return [Endpoint(PLAINTEXT, options.host_name, options.port)]
    return parse_endpoints("listeners", options.listeners)


def _advertised(options: ListenerOptions) -> list[Endpoint]:
    if options.advertised_listeners is not None:
        told = parse_endpoints("advertised.listeners", options.advertised_listeners)
        for endpoint in told:
            _refuse_unreachable(endpoint)
        return told
    if options.advertised_host_name is None and options.advertised_port is None:
        return []
    return [
        Endpoint(each.name, options.advertised_host_name or each.host, options.advertised_port or each.port)
        for each in _bound(options)
    ]


def _refuse_unreachable(endpoint: Endpoint) -> None:
    if endpoint.host in ("0.0.0.0", "::", ""):
        raise OperatorError(
            f"advertised.listeners has {endpoint}.",
            "Clients connect to what is advertised; no client can reach that address.",
            "Write a name or address of this machine that clients know, or remove advertised.listeners.",
        )


def _refuse_repeated(bound: Sequence[Endpoint]) -> None:
    names = [endpoint.name for endpoint in bound]
    for name in names:
        if names.count(name) > 1:
            raise OperatorError(
                f"listeners has the name {name} twice.", "Each listener has a name of its own.", "Rename one of them."
            )
    for number, one in enumerate(bound):
        for other in bound[:number]:
            if one.port == other.port != 0 and not _of_two_families(one.host, other.host):
                raise OperatorError(
                    f"listeners has the port {one.port} twice.",
                    "Each listener has a port of its own, unless one is an IPv4 and the other an IPv6 address.",
                    "Change one of the ports.",
                )


def _of_two_families(one: str, other: str) -> bool:
    return bool(one and other) and (":" in one) != (":" in other)


def _refuse_strangers(bound: Sequence[Endpoint], told: Mapping[str, Endpoint]) -> None:
    known = [endpoint.name for endpoint in bound]
    for name in told:
        if name not in known:
            raise OperatorError(
                f"advertised.listeners names {name}.",
                f"listeners has no such name; it has {', '.join(known)}.",
                "Use the same names in both.",
            )


def _protocols(options: ListenerOptions) -> dict[str, str]:
    """Listener name to security protocol; the four protocol names stand for themselves while no map is set."""
    mapped = {}
    for item in options.listener_security_protocol_map.split(","):
        name, colon, protocol = item.strip().partition(":")
        if not item.strip():
            continue
        if not colon or protocol.strip().upper() not in PROTOCOLS:
            raise OperatorError(
                f"listener.security.protocol.map has {item.strip()!r}.",
                f"An entry is name:protocol; protocols are {', '.join(PROTOCOLS)}.",
                "Correct the entry.",
            )
        mapped[name.strip().upper()] = protocol.strip().upper()
    return mapped


def _plan(bound: Endpoint, told: Endpoint | None, protocols: Mapping[str, str], local_end: bool) -> ListenerPlan:
    protocol = protocols.get(bound.name)
    if protocol is None:
        raise OperatorError(
            f"listeners has the name {bound.name}.",
            "listener.security.protocol.map gives it no protocol.",
            f"Add {bound.name}:PLAINTEXT to listener.security.protocol.map.",
        )
    if protocol not in BUILT:
        raise OperatorError(
            f"The listener {bound} asks for {protocol}.",
            "This version has no SASL yet; it will not open the port without the protection you asked for.",
            "Use an SSL listener with ssl.client.auth=required (docs/security.md), or keep Apache Kafka for this one.",
        )
    hosts = LOOPBACK if bound.host == "localhost" else (bound.host,)
    advertised = told or _own_address(bound)
    return ListenerPlan(bound.name, protocol, hosts, bound.port, advertised, local_end and told is None)


def _own_address(bound: Endpoint) -> Endpoint | None:
    """A host that was written is told as it is; every address is no address."""
    return None if bound.host in ("", "0.0.0.0", "::") else bound


def _inter_broker(options: ListenerOptions, plans: Sequence[ListenerPlan]) -> str:
    if "inter.broker.listener.name" in options.texts and "security.inter.broker.protocol" in options.texts:
        raise OperatorError(
            "inter.broker.listener.name and security.inter.broker.protocol are both set.",
            "Each alone says which listener brokers use among themselves.",
            "Remove one of them.",
        )
    name = (options.inter_broker_listener_name or options.security_inter_broker_protocol).upper()
    names = [plan.name for plan in plans]
    if name not in names:
        raise OperatorError(
            f"Brokers shall talk to one another at the listener {name}.",
            f"listeners has no such name; it has {', '.join(names)}.",
            "Set inter.broker.listener.name to one of them, or security.inter.broker.protocol to its protocol.",
        )
    return name
