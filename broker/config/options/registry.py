"""The registry: ZooKeeper, or our own while `zookeeper.connect` is not set."""

from broker.config.checks import at_least
from broker.config.keys import JAVA, NO_EFFECT, Key, Settings, TimeKey
from broker.config.kinds import BOOLEAN, INT, LIST, PASSWORD, STRING


class RegistrySettings(Settings):
    """The registry: ZooKeeper, or our own while `zookeeper.connect` is not set."""

    NO_EFFECT_BECAUSE = "TLS towards ZooKeeper is not built yet"

    zookeeper_clientCnxnSocket = Key(
        "zookeeper.clientCnxnSocket", STRING, None, because=JAVA, doc="Java class of the connection to ZooKeeper."
    )
    zookeeper_connect = Key(
        "zookeeper.connect",
        STRING,
        None,
        doc="ZooKeeper servers, as host:port,host:port with an optional /path at the end; without it, our own.",
    )
    zookeeper_connection_timeout_ms = TimeKey(
        "zookeeper.connection.timeout.ms",
        INT,
        stand_ins={"zookeeper.session.timeout.ms": 1},
        doc="How long to wait for ZooKeeper at start; zookeeper.session.timeout.ms when not set.",
    )
    zookeeper_max_in_flight_requests = Key(
        "zookeeper.max.in.flight.requests",
        INT,
        10,
        check=at_least(1),
        because="the client of ZooKeeper has a window of its own",
        doc="Requests to ZooKeeper that may wait for their answers.",
    )
    zookeeper_metadata_migration_enable = Key(
        "zookeeper.metadata.migration.enable",
        BOOLEAN,
        False,
        because="there is no quorum of Kafka's kind to move to",
        doc="Whether a cluster moves from ZooKeeper to Kafka's quorum.",
    )
    zookeeper_metadata_migration_min_batch_size = Key(
        "zookeeper.metadata.migration.min.batch.size",
        INT,
        200,
        check=at_least(1),
        because="there is no quorum of Kafka's kind to move to",
        hidden=True,
        doc="Records of one batch when a cluster moves to Kafka's quorum.",
    )
    zookeeper_session_timeout_ms = Key(
        "zookeeper.session.timeout.ms", INT, 18_000, doc="Silence after which ZooKeeper forgets this broker."
    )
    zookeeper_set_acl = Key(
        "zookeeper.set.acl", BOOLEAN, False, doc="Whether znodes are written with access rights; not built yet."
    )
    zookeeper_ssl_cipher_suites = Key(
        "zookeeper.ssl.cipher.suites", LIST, None, standing=NO_EFFECT, doc="TLS cipher suites towards ZooKeeper."
    )
    zookeeper_ssl_client_enable = Key(
        "zookeeper.ssl.client.enable", BOOLEAN, False, doc="Whether ZooKeeper is reached over TLS; not built yet."
    )
    zookeeper_ssl_crl_enable = Key(
        "zookeeper.ssl.crl.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        doc="Whether ZooKeeper's certificate is looked up in revocation lists.",
    )
    zookeeper_ssl_enabled_protocols = Key(
        "zookeeper.ssl.enabled.protocols", LIST, None, standing=NO_EFFECT, doc="TLS versions towards ZooKeeper."
    )
    zookeeper_ssl_endpoint_identification_algorithm = Key(
        "zookeeper.ssl.endpoint.identification.algorithm",
        STRING,
        "HTTPS",
        standing=NO_EFFECT,
        doc="Whether ZooKeeper's certificate must name its host.",
    )
    zookeeper_ssl_keystore_location = Key(
        "zookeeper.ssl.keystore.location",
        STRING,
        None,
        standing=NO_EFFECT,
        doc="File of this broker's key and certificate towards ZooKeeper.",
    )
    zookeeper_ssl_keystore_password = Key(
        "zookeeper.ssl.keystore.password",
        PASSWORD,
        None,
        standing=NO_EFFECT,
        doc="Password of the file of this broker's key towards ZooKeeper.",
    )
    zookeeper_ssl_keystore_type = Key(
        "zookeeper.ssl.keystore.type",
        STRING,
        None,
        standing=NO_EFFECT,
        doc="Format of the file of this broker's key towards ZooKeeper.",
    )
    zookeeper_ssl_ocsp_enable = Key(
        "zookeeper.ssl.ocsp.enable",
        BOOLEAN,
        False,
        standing=NO_EFFECT,
        doc="Whether ZooKeeper's certificate is asked for at its issuer (OCSP).",
    )
    zookeeper_ssl_protocol = Key(
        "zookeeper.ssl.protocol",
        STRING,
        "TLSv1.2",
        standing=NO_EFFECT,
        doc="TLS version to begin with towards ZooKeeper.",
    )
    zookeeper_ssl_truststore_location = Key(
        "zookeeper.ssl.truststore.location",
        STRING,
        None,
        standing=NO_EFFECT,
        doc="File of the certificates that ZooKeeper is trusted by.",
    )
    zookeeper_ssl_truststore_password = Key(
        "zookeeper.ssl.truststore.password",
        PASSWORD,
        None,
        standing=NO_EFFECT,
        doc="Password of the file of certificates that ZooKeeper is trusted by.",
    )
    zookeeper_ssl_truststore_type = Key(
        "zookeeper.ssl.truststore.type",
        STRING,
        None,
        standing=NO_EFFECT,
        doc="Format of the file of certificates that ZooKeeper is trusted by.",
    )
    zookeeper_sync_time_ms = Key(
        "zookeeper.sync.time.ms",
        INT,
        2000,
        because="no code reads from ZooKeeper as consumers of 0.8 did",
        doc="How far a ZooKeeper follower might be behind, for consumers of 0.8.",
    )
