"""Who this broker is, where it listens, and what a connection may cost."""

from broker.config.checks import at_least, one_of
from broker.config.keys import CLUSTER, NO_EFFECT, PER_BROKER, Key, Settings
from broker.config.kinds import BOOLEAN, INT, LIST, LONG, STRING
from broker.config.numbers import INT_MAX


class NetworkSettings(Settings):
    """Who this broker is, where it listens, and what a connection may cost."""

    advertised_host_name = Key("advertised.host.name", STRING, None)
    advertised_listeners = Key("advertised.listeners", STRING, None, update=PER_BROKER)
    advertised_port = Key("advertised.port", INT, None)
    background_threads = Key("background.threads", INT, 10, check=at_least(1), update=CLUSTER, standing=NO_EFFECT)
    broker_id = Key("broker.id", INT, -1)
    broker_id_generation_enable = Key("broker.id.generation.enable", BOOLEAN, True)
    broker_rack = Key("broker.rack", STRING, None)
    config_providers = Key("config.providers", LIST, (), update=CLUSTER, standing=NO_EFFECT)
    connection_failed_authentication_delay_ms = Key(
        "connection.failed.authentication.delay.ms", INT, 100, check=at_least(0), standing=NO_EFFECT
    )
    connections_max_idle_ms = Key("connections.max.idle.ms", LONG, 600_000)
    connections_max_reauth_ms = Key("connections.max.reauth.ms", LONG, 0, standing=NO_EFFECT)
    control_plane_listener_name = Key("control.plane.listener.name", STRING, None, standing=NO_EFFECT)
    early_start_listeners = Key("early.start.listeners", STRING, None, standing=NO_EFFECT)
    fetch_max_bytes = Key("fetch.max.bytes", INT, 57_671_680, check=at_least(1024))
    host_name = Key("host.name", STRING, "")
    inter_broker_listener_name = Key("inter.broker.listener.name", STRING, None)
    listener_security_protocol_map = Key(
        "listener.security.protocol.map",
        STRING,
        "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        update=PER_BROKER,
    )
    listeners = Key("listeners", STRING, "PLAINTEXT://:9092", update=PER_BROKER)
    max_connection_creation_rate = Key(
        "max.connection.creation.rate", INT, INT_MAX, check=at_least(0), update=CLUSTER, standing=NO_EFFECT
    )
    max_connections = Key("max.connections", INT, INT_MAX, check=at_least(0), update=CLUSTER)
    max_connections_per_ip = Key("max.connections.per.ip", INT, INT_MAX, check=at_least(0), update=CLUSTER)
    max_connections_per_ip_overrides = Key("max.connections.per.ip.overrides", STRING, "", update=CLUSTER)
    max_incremental_fetch_session_cache_slots = Key(
        "max.incremental.fetch.session.cache.slots", INT, 1000, check=at_least(0)
    )
    max_request_partition_size_limit = Key(
        "max.request.partition.size.limit", INT, 2000, check=at_least(1), standing=NO_EFFECT
    )
    node_id = Key("node.id", INT, -1)
    num_io_threads = Key("num.io.threads", INT, 8, check=at_least(1), update=CLUSTER, standing=NO_EFFECT)
    num_network_threads = Key("num.network.threads", INT, 3, check=at_least(1), update=CLUSTER, standing=NO_EFFECT)
    port = Key("port", INT, 9092)
    queued_max_request_bytes = Key("queued.max.request.bytes", LONG, 512 * 1024 * 1024)
    queued_max_requests = Key("queued.max.requests", INT, 500, check=at_least(1))
    request_timeout_ms = Key("request.timeout.ms", INT, 30_000)
    reserved_broker_max_id = Key("reserved.broker.max.id", INT, 1000, check=at_least(0))
    security_inter_broker_protocol = Key(
        "security.inter.broker.protocol",
        STRING,
        "PLAINTEXT",
        check=one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    )
    security_providers = Key("security.providers", STRING, None, standing=NO_EFFECT)
    socket_connection_setup_timeout_max_ms = Key(
        "socket.connection.setup.timeout.max.ms", LONG, 30_000, standing=NO_EFFECT
    )
    socket_connection_setup_timeout_ms = Key("socket.connection.setup.timeout.ms", LONG, 10_000, standing=NO_EFFECT)
    socket_listen_backlog_size = Key("socket.listen.backlog.size", INT, 50, check=at_least(1))
    socket_receive_buffer_bytes = Key("socket.receive.buffer.bytes", INT, 102_400)
    socket_request_max_bytes = Key("socket.request.max.bytes", INT, 104_857_600, check=at_least(1))
    socket_send_buffer_bytes = Key("socket.send.buffer.bytes", INT, 102_400)
    barnabas_frame_timeout_ms = Key("barnabas.frame.timeout.ms", INT, 30_000, check=at_least(1))
    barnabas_handshake_timeout_ms = Key("barnabas.handshake.timeout.ms", INT, 10_000, check=at_least(1))
    barnabas_http_listener = Key("barnabas.http.listener", STRING, None, standing=NO_EFFECT)
    barnabas_output_max_bytes = Key("barnabas.output.max.bytes", INT, 1_048_576, check=at_least(1))
    barnabas_request_max_elements = Key("barnabas.request.max.elements", INT, 1_000_000, check=at_least(1))
    barnabas_send_timeout_ms = Key("barnabas.send.timeout.ms", INT, 30_000, check=at_least(1))
    barnabas_shutdown_grace_ms = Key("barnabas.shutdown.grace.ms", INT, 1500, check=at_least(0))
