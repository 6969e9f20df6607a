"""What connections and requests may cost."""

from broker.config.checks import address_counts, at_least
from broker.config.keys import (
    CLUSTER,
    NO_REPLICATION,
    ONE_LOOP,
    Key,
    Settings,
)
from broker.config.kinds import INT, LONG, STRING
from broker.config.numbers import INT_MAX


class NetworkSettings(Settings):
    """What connections and requests may cost."""

    background_threads = Key(
        "background.threads",
        INT,
        10,
        check=at_least(1),
        update=CLUSTER,
        because=ONE_LOOP,
        doc="Threads for work such as retention and flushing.",
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
    fetch_max_bytes = Key(
        "fetch.max.bytes",
        INT,
        57_671_680,
        check=at_least(1024),
        doc="Most bytes that one answer to a consumer's fetch holds.",
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
