"""Who this broker is, where it listens, and what a connection may cost."""

from broker.config.checks import address_counts, at_least, one_of
from broker.config.keys import CLUSTER, JAVA, NO_REPLICATION, ONE_LOOP, PER_BROKER, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, LONG, STRING
from broker.config.numbers import INT_MAX


class NetworkSettings(Settings):
    """Who this broker is, where it listens, and what a connection may cost."""

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
    background_threads = Key(
        "background.threads",
        INT,
        10,
        check=at_least(1),
        update=CLUSTER,
        because=ONE_LOOP,
        doc="Threads for work such as retention and flushing.",
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
    connection_failed_authentication_delay_ms = Key(
        "connection.failed.authentication.delay.ms",
        INT,
        100,
        check=at_least(0),
        because="authentication is not built yet",
        doc="Time before a connection that failed to authenticate is closed.",
    )
    connections_max_idle_ms = Key(
        "connections.max.idle.ms", LONG, 600_000, doc="A connection without a request for this long is closed."
    )
    connections_max_reauth_ms = Key(
        "connections.max.reauth.ms",
        LONG,
        0,
        because="authentication is not built yet",
        doc="Longest life of an authenticated session; the client must authenticate again before.",
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
    fetch_max_bytes = Key(
        "fetch.max.bytes",
        INT,
        57_671_680,
        check=at_least(1024),
        doc="Most bytes that one answer to a consumer's fetch holds.",
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
    max_connection_creation_rate = Key(
        "max.connection.creation.rate",
        INT,
        INT_MAX,
        check=at_least(0),
        update=CLUSTER,
        doc="Most new connections in a second.",
    )
    max_connections = Key(
        "max.connections", INT, INT_MAX, check=at_least(0), update=CLUSTER, doc="Most open connections of this broker."
    )
    max_connections_per_ip = Key(
        "max.connections.per.ip",
        INT,
        INT_MAX,
        check=at_least(0),
        update=CLUSTER,
        doc="Most open connections from one address.",
    )
    max_connections_per_ip_overrides = Key(
        "max.connections.per.ip.overrides",
        STRING,
        "",
        check=address_counts(),
        update=CLUSTER,
        doc="Other limits for some addresses, as address:count pairs.",
    )
    max_incremental_fetch_session_cache_slots = Key(
        "max.incremental.fetch.session.cache.slots",
        INT,
        1000,
        check=at_least(0),
        doc="Most fetch sessions kept; 0: none, every fetch names all its partitions.",
    )
    max_request_partition_size_limit = Key(
        "max.request.partition.size.limit",
        INT,
        2000,
        check=at_least(1),
        doc="Partitions in one answer to DescribeTopicPartitions; clients ask for the rest with its cursor.",
    )
    node_id = Key("node.id", INT, -1, doc="Another name of broker.id, used by files of Kafka's own quorum.")
    num_io_threads = Key(
        "num.io.threads",
        INT,
        8,
        check=at_least(1),
        update=CLUSTER,
        because=ONE_LOOP,
        doc="Threads of Kafka's request handlers; this broker is one event loop.",
    )
    num_network_threads = Key(
        "num.network.threads",
        INT,
        3,
        check=at_least(1),
        update=CLUSTER,
        because=ONE_LOOP,
        doc="Threads of Kafka's network layer; this broker is one event loop.",
    )
    port = Key("port", INT, 9092, doc="Port to bind when listeners is not set; gone from Kafka 3.0.")
    queued_max_request_bytes = Key(
        "queued.max.request.bytes",
        LONG,
        512 * 1024 * 1024,
        doc="Budget for requests being read and handled; the broker stops reading when it is spent, -1 means no limit.",
    )
    queued_max_requests = Key(
        "queued.max.requests",
        INT,
        500,
        check=at_least(1),
        because="requests are handled as they are read; queued.max.request.bytes bounds them",
        doc="Most requests waiting to be handled.",
    )
    request_timeout_ms = Key(
        "request.timeout.ms",
        INT,
        30_000,
        because=NO_REPLICATION,
        doc="How long this broker waits for another broker's answer.",
    )
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
    socket_connection_setup_timeout_max_ms = Key(
        "socket.connection.setup.timeout.max.ms",
        LONG,
        30_000,
        because=NO_REPLICATION,
        doc="Longest time for a connection of this broker to another one to be made, after many failures.",
    )
    socket_connection_setup_timeout_ms = Key(
        "socket.connection.setup.timeout.ms",
        LONG,
        10_000,
        because=NO_REPLICATION,
        doc="Time for a connection of this broker to another one to be made, at the first try.",
    )
    socket_listen_backlog_size = Key(
        "socket.listen.backlog.size",
        INT,
        50,
        check=at_least(1),
        doc="Connections that the system may keep waiting to be accepted.",
    )
    socket_receive_buffer_bytes = Key(
        "socket.receive.buffer.bytes", INT, 102_400, doc="Receive buffer of a socket; -1 leaves it to the system."
    )
    socket_request_max_bytes = Key(
        "socket.request.max.bytes",
        INT,
        104_857_600,
        check=at_least(1),
        doc="Largest request; a connection that announces more is closed.",
    )
    socket_send_buffer_bytes = Key(
        "socket.send.buffer.bytes", INT, 102_400, doc="Send buffer of a socket; -1 leaves it to the system."
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
    barnabas_frame_timeout_ms = Key(
        "barnabas.frame.timeout.ms",
        INT,
        30_000,
        check=at_least(1),
        doc="A request begun must grow by 32 KiB, or end, within this time, or its connection is closed.",
    )
    barnabas_handshake_timeout_ms = Key(
        "barnabas.handshake.timeout.ms",
        INT,
        10_000,
        check=at_least(1),
        doc="Time for a TLS handshake, or 1 second while others stand in line; then the connection is closed.",
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
    barnabas_output_max_bytes = Key(
        "barnabas.output.max.bytes",
        INT,
        1_048_576,
        check=at_least(1),
        doc="Unsent answer bytes beyond the answer being sent; past it no more requests of that connection are read.",
    )
    barnabas_request_max_elements = Key(
        "barnabas.request.max.elements",
        INT,
        1_000_000,
        check=at_least(1),
        doc="Most array elements of one request, all levels together; past it the connection is closed.",
    )
    barnabas_send_timeout_ms = Key(
        "barnabas.send.timeout.ms",
        INT,
        30_000,
        check=at_least(1),
        doc="An answer begun must move within this time, or its connection is closed.",
    )
    barnabas_shutdown_grace_ms = Key(
        "barnabas.shutdown.grace.ms",
        INT,
        1500,
        check=at_least(0),
        doc="Time that running requests get after the first signal.",
    )
