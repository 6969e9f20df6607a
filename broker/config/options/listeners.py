"""Who this broker is, and where it listens."""

from broker.config.checks import at_least, one_of
from broker.config.keys import (
    CLUSTER,
    JAVA,
    ONE_LOOP,
    PER_BROKER,
    Key,
    Settings,
)
from broker.config.kinds import BOOLEAN, INT, LIST, STRING


class ListenerSettings(Settings):
    """Who this broker is, and where it listens."""

    advertised_host_name = Key(
        "advertised.host.name",
        STRING,
        None,
        doc="Host told to clients when advertised.listeners is not set; gone from Kafka 3.0.",
    )
    advertised_listeners = Key(
        "advertised.listeners",
        STRING,
        None,
        update=PER_BROKER,
        doc="Addresses told to clients, as name://host:port; the listeners themselves when not set.",
    )
    advertised_port = Key(
        "advertised.port",
        INT,
        None,
        doc="Port told to clients when advertised.listeners is not set; gone from Kafka 3.0.",
    )
    broker_id = Key(
        "broker.id",
        INT,
        -1,
        doc="Number of this broker in its cluster; -1 takes it from meta.properties or the registry.",
    )
    broker_id_generation_enable = Key(
        "broker.id.generation.enable",
        BOOLEAN,
        True,
        doc="Whether a broker without a number may get one from the registry.",
    )
    broker_rack = Key(
        "broker.rack",
        STRING,
        None,
        doc="Rack of this broker, for the placement of replicas and for consumers that read nearby.",
    )
    config_providers = Key(
        "config.providers",
        LIST,
        (),
        update=CLUSTER,
        because="values are taken as they are written",
        doc="Sources, outside of the file, that values such as ${file:path:key} are taken from.",
    )
    control_plane_listener_name = Key(
        "control.plane.listener.name",
        STRING,
        None,
        because=ONE_LOOP,
        doc="Listener of its own for requests of the controller.",
    )
    early_start_listeners = Key(
        "early.start.listeners",
        STRING,
        None,
        because="listeners open together, once the broker is ready",
        doc="Listeners that open before the broker is ready for all requests.",
    )
    host_name = Key("host.name", STRING, "", doc="Address to bind when listeners is not set; gone from Kafka 3.0.")
    inter_broker_listener_name = Key(
        "inter.broker.listener.name",
        STRING,
        None,
        doc="Listener that brokers use among themselves; excludes security.inter.broker.protocol.",
    )
    listener_security_protocol_map = Key(
        "listener.security.protocol.map",
        STRING,
        "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        update=PER_BROKER,
        doc="Security protocol of each listener name, as name:protocol pairs.",
    )
    listeners = Key(
        "listeners",
        STRING,
        "PLAINTEXT://:9092",
        update=PER_BROKER,
        doc="Addresses to bind, as name://host:port; an empty host means every address.",
    )
    node_id = Key("node.id", INT, -1, doc="Another name of broker.id, used by files of Kafka's own quorum.")
    port = Key("port", INT, 9092, doc="Port to bind when listeners is not set; gone from Kafka 3.0.")
    reserved_broker_max_id = Key(
        "reserved.broker.max.id",
        INT,
        1000,
        check=at_least(0),
        doc="Numbers that the registry gives to brokers begin above this one.",
    )
    security_inter_broker_protocol = Key(
        "security.inter.broker.protocol",
        STRING,
        "PLAINTEXT",
        check=one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        doc="Security protocol between brokers; excludes inter.broker.listener.name.",
    )
    security_providers = Key(
        "security.providers", STRING, None, because=JAVA, doc="Java classes that provide security algorithms."
    )
    barnabas_advertise_local_address = Key(
        "barnabas.advertise.local.address",
        BOOLEAN,
        False,
        doc="Tell each client the local end of its own connection, unless advertised.listeners is set.",
    )
    barnabas_cluster_id = Key(
        "barnabas.cluster.id", STRING, None, doc="Id of a cluster that has none yet; a random one when not set."
    )
    barnabas_control_api = Key(
        "barnabas.control.api",
        BOOLEAN,
        False,
        doc="Answer /control/… at barnabas.http.listener, for tests: anyone who reaches it may delete every topic.",
    )
    barnabas_http_listener = Key(
        "barnabas.http.listener",
        STRING,
        None,
        doc="HOST:PORT of health and metrics; of several, separated by commas, the first free one. Off when not set.",
    )
    barnabas_metrics_partitions = Key(
        "barnabas.metrics.partitions",
        BOOLEAN,
        False,
        doc="Tell size and offsets of each log at /metrics, three series for each partition.",
    )
    barnabas_shutdown_grace_ms = Key(
        "barnabas.shutdown.grace.ms",
        INT,
        1500,
        check=at_least(0),
        doc="Time that running requests get after the first signal.",
    )
