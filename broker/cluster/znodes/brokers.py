"""What brokers tell of themselves: registration, cluster id, producer ids, features.

Sources: BrokerIdZNode, ClusterIdZNode, ProducerIdBlockZNode, FeatureZNode of Kafka's ZkData.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self

from broker.cluster.znodes.text import (
    MalformedNode,
    as_int,
    as_object,
    as_text,
    from_json_object,
    required,
    to_json,
)
from broker.transport.contract import Address
from kproto.values import frozen

STANDARD_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
PRODUCER_ID_BLOCK_SIZE = 1000

_ENDPOINT = re.compile(r"(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)")


@frozen
class BrokerNode:
    """`/brokers/ids/<id>`: the advertised endpoints by listener name, in the order of the option.

    `protocols` maps listener names to security protocols; a standard name that is missing there stands for itself.
    """

    endpoints: Mapping[str, Address]
    protocols: Mapping[str, str] = field(default_factory=dict)
    rack: str | None = None
    jmx_port: int = -1
    timestamp_ms: int = 0
    features: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def plaintext(self) -> Address | None:
        """The first PLAINTEXT endpoint: the only one that readers of the first days know."""
        for listener, address in self.endpoints.items():
            if self.protocol(listener) == "PLAINTEXT":
                return address
        return None

    def protocol(self, listener: str) -> str:
        """The security protocol of a listener. Raises: MalformedNode: neither mapped nor a standard name."""
        protocol = self.protocols.get(listener, listener)
        if protocol not in STANDARD_PROTOCOLS:
            raise MalformedNode(f"broker registration: no security protocol known for listener {listener!r}")
        return protocol

    def encode(self, version: int = 5) -> bytes:
        """The JSON of one version, 1 to 5; see `registration_version`."""
        plain = self.plaintext
        fields: dict[str, Any] = {
            "version": version,
            "host": None if plain is None else plain.host,
            "port": -1 if plain is None else plain.port,
            "jmx_port": self.jmx_port,
            "timestamp": str(self.timestamp_ms),
        }
        if version >= 2:
            fields["endpoints"] = [self._endpoint_text(listener, version) for listener in self.endpoints]
        if version >= 3 and self.rack is not None:
            fields["rack"] = self.rack
        if version >= 4:
            fields["listener_security_protocol_map"] = {each: self.protocol(each) for each in self.endpoints}
        if version >= 5:
            fields["features"] = {
                name: {"min_version": low, "max_version": high} for name, (low, high) in self.features.items()
            }
        return to_json(fields)

    def _endpoint_text(self, listener: str, version: int) -> str:
        # Before version 4 there were no listener names: what stands there is the protocol.
        return f"{listener if version >= 4 else self.protocol(listener)}://{self.endpoints[listener]}"

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """Versions 1 to 5, and later ones as far as known. Raises: MalformedNode."""
        what = "broker registration"
        fields = from_json_object(data, what)
        version = as_int(required(fields, "version", what), what)
        if version < 1:
            raise MalformedNode(f"{what}: version {version}")
        if version == 1:
            host, port = as_text(required(fields, "host", what), what), as_int(required(fields, "port", what), what)
            endpoints = {"PLAINTEXT": Address(host, port)}
        else:
            endpoints = dict(_endpoint(each) for each in required(fields, "endpoints", what))
        node = cls(
            endpoints=endpoints,
            protocols=as_object(fields.get("listener_security_protocol_map"), what),
            rack=fields.get("rack"),
            jmx_port=as_int(fields.get("jmx_port", -1), what),
            timestamp_ms=as_int(fields.get("timestamp", 0), what),
            features=_feature_ranges(as_object(fields.get("features"), what)),
        )
        for listener in endpoints:
            node.protocol(listener)
        return node


def registration_version(inter_broker_protocol: str) -> int:
    """The JSON version that a broker at this `inter.broker.protocol.version` writes: 2, 4 or 5.

    Brokers of 0.9.0.0 fail on a version above 2, so it follows the option and not the release. `inter_broker_protocol`
    is a name such as `3.9`, `3.9-IV0`, `0.10.0-IV1`; without `-IV` the last one of that release is meant.
    """
    release, _, step = inter_broker_protocol.partition("-IV")
    numbers = tuple(int(part) for part in release.split("."))
    if numbers >= (2, 7):
        return 5
    if numbers >= (0, 10, 0) and (numbers, step) != ((0, 10, 0), "0"):
        return 4
    return 2


def _endpoint(text: Any) -> tuple[str, Address]:
    match = _ENDPOINT.fullmatch(as_text(text, "broker registration"))
    if match is None:
        raise MalformedNode(f"broker registration: not an endpoint: {text!r}")
    listener, host, port = match.groups()
    return listener, Address(host, int(port))


def _feature_ranges(features: dict[str, Any]) -> dict[str, tuple[int, int]]:
    what = "broker registration, features"
    ranges = {}
    for name, levels in features.items():
        levels = as_object(levels, what)
        low, high = (as_int(required(levels, each, what), what) for each in ("min_version", "max_version"))
        ranges[name] = (low, high)
    return ranges


def encode_cluster_id(cluster_id: str) -> bytes:
    # The version is a string here, in all releases.
    return to_json({"version": "1", "id": cluster_id})


def decode_cluster_id(data: bytes | None) -> str:
    """Raises: MalformedNode."""
    return as_text(required(from_json_object(data, "cluster id"), "id", "cluster id"), "cluster id")


@frozen
class ProducerIdBlock:
    """`/latest_producer_id_block`: the last block handed out, `start` to `end` inclusive, and to which broker."""

    broker: int
    start: int
    end: int

    def next_for(self, broker: int) -> "ProducerIdBlock":
        """The block after this one."""
        return ProducerIdBlock(broker, self.end + 1, self.end + PRODUCER_ID_BLOCK_SIZE)

    @classmethod
    def first_for(cls, broker: int) -> Self:
        return cls(broker, 0, PRODUCER_ID_BLOCK_SIZE - 1)

    def encode(self) -> bytes:
        fields = {"version": 1, "broker": self.broker, "block_start": str(self.start), "block_end": str(self.end)}
        return to_json(fields)

    @classmethod
    def decode(cls, data: bytes | None) -> Self | None:
        """None: the node has no data yet, no id was ever asked for. Raises: MalformedNode."""
        if not data:
            return None
        what = "producer id block"
        fields = from_json_object(data, what)
        return cls(*(as_int(required(fields, name, what), what) for name in ("broker", "block_start", "block_end")))


@frozen
class FeatureNode:
    """`/feature`: the finalized features and their levels. Version 1 (with a lowest level) is read, 2 written."""

    enabled: bool
    levels: Mapping[str, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        features = {name: {"max_version_level": level} for name, level in self.levels.items()}
        return to_json({"version": 2, "status": int(self.enabled), "features": features})

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """Raises: MalformedNode."""
        what = "feature"
        fields = from_json_object(data, what)
        levels = {
            name: as_int(required(as_object(each, what), "max_version_level", what), what)
            for name, each in as_object(fields.get("features"), what).items()
        }
        return cls(as_int(required(fields, "status", what), what) == 1, levels)
