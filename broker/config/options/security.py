"""TLS, authorization, delegation tokens, stored passwords."""

from broker.config.checks import at_least, one_of
from broker.config.keys import JAVA, NO_EFFECT, PER_BROKER, Key, Settings
from broker.config.kinds import BOOLEAN, CLASS, INT, LIST, LONG, PASSWORD, STRING


class SecuritySettings(Settings):
    """TLS, authorization, delegation tokens, stored passwords."""

    NO_EFFECT_BECAUSE = "access control is not built yet"

    allow_everyone_if_no_acl_found = Key(
        "allow.everyone.if.no.acl.found",
        BOOLEAN,
        False,
        because="there is no authorizer yet",
        doc="Whether a resource without rules is open to everybody; asked only by an authorizer.",
    )
    authorizer_class_name = Key("authorizer.class.name", STRING, "", doc="Who may do what; not built yet.")
    delegation_token_expiry_check_interval_ms = Key(
        "delegation.token.expiry.check.interval.ms",
        LONG,
        3_600_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="How often expired delegation tokens are removed.",
    )
    delegation_token_expiry_time_ms = Key(
        "delegation.token.expiry.time.ms",
        LONG,
        86_400_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Time after which a delegation token must be renewed.",
    )
    delegation_token_master_key = Key(
        "delegation.token.master.key",
        PASSWORD,
        None,
        standing=NO_EFFECT,
        doc="Older name of delegation.token.secret.key.",
    )
    delegation_token_max_lifetime_ms = Key(
        "delegation.token.max.lifetime.ms",
        LONG,
        604_800_000,
        check=at_least(1),
        standing=NO_EFFECT,
        doc="Time after which a delegation token cannot be renewed any more.",
    )
    delegation_token_secret_key = Key(
        "delegation.token.secret.key",
        PASSWORD,
        None,
        standing=NO_EFFECT,
        doc="Secret that signs delegation tokens, the same on all brokers.",
    )
    password_encoder_cipher_algorithm = Key(
        "password.encoder.cipher.algorithm",
        STRING,
        "AES/CBC/PKCS5Padding",
        because="passwords are not kept in the registry",
        doc="Cipher of the passwords that Kafka keeps in ZooKeeper.",
    )
    password_encoder_iterations = Key(
        "password.encoder.iterations",
        INT,
        4096,
        check=at_least(1024),
        because="passwords are not kept in the registry",
        doc="Iterations that make the key for passwords kept in ZooKeeper.",
    )
    password_encoder_key_length = Key(
        "password.encoder.key.length",
        INT,
        128,
        check=at_least(8),
        because="passwords are not kept in the registry",
        doc="Length of the key for passwords kept in ZooKeeper.",
    )
    password_encoder_keyfactory_algorithm = Key(
        "password.encoder.keyfactory.algorithm",
        STRING,
        None,
        because="passwords are not kept in the registry",
        doc="How the key for passwords kept in ZooKeeper is made.",
    )
    password_encoder_old_secret = Key(
        "password.encoder.old.secret",
        PASSWORD,
        None,
        because="passwords are not kept in the registry",
        doc="Former value of password.encoder.secret, while it is being changed.",
    )
    password_encoder_secret = Key(
        "password.encoder.secret",
        PASSWORD,
        None,
        because="passwords are not kept in the registry",
        doc="Secret that the passwords kept in ZooKeeper are encrypted with.",
    )
    principal_builder_class = Key(
        "principal.builder.class",
        CLASS,
        "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        update=PER_BROKER,
        because=JAVA,
        doc="Java class that says who a client is.",
    )
    ssl_allow_dn_changes = Key(
        "ssl.allow.dn.changes",
        BOOLEAN,
        False,
        because="who may write the file may change its names",
        doc="Whether a new certificate set while running may name another owner.",
    )
    ssl_allow_san_changes = Key(
        "ssl.allow.san.changes",
        BOOLEAN,
        False,
        because="who may write the file may change its names",
        doc="Whether a new certificate set while running may name other hosts.",
    )
    ssl_cipher_suites = Key(
        "ssl.cipher.suites",
        LIST,
        (),
        update=PER_BROKER,
        doc="TLS cipher suites that may be used, by their names in Java; all that are safe when empty.",
    )
    ssl_client_auth = Key(
        "ssl.client.auth",
        STRING,
        "none",
        check=one_of("required", "requested", "none"),
        update=PER_BROKER,
        doc="Whether clients must show a certificate: then they are who it says, else User:ANONYMOUS.",
    )
    ssl_enabled_protocols = Key(
        "ssl.enabled.protocols",
        LIST,
        ("TLSv1.2", "TLSv1.3"),
        update=PER_BROKER,
        doc="TLS versions that are spoken: TLSv1.2 and TLSv1.3; older ones are refused.",
    )
    ssl_endpoint_identification_algorithm = Key(
        "ssl.endpoint.identification.algorithm",
        STRING,
        "https",
        update=PER_BROKER,
        because="brokers do not call each other over TLS; clients check our name themselves",
        doc="Whether a certificate must name the host it was got from.",
    )
    ssl_engine_factory_class = Key(
        "ssl.engine.factory.class",
        CLASS,
        None,
        update=PER_BROKER,
        because=JAVA,
        doc="Java class that makes TLS engines.",
    )
    ssl_key_password = Key("ssl.key.password", PASSWORD, None, update=PER_BROKER, doc="Password of the private key.")
    ssl_keymanager_algorithm = Key(
        "ssl.keymanager.algorithm",
        STRING,
        "SunX509",
        update=PER_BROKER,
        because="TLS is OpenSSL's",
        doc="Algorithm by which keys are chosen.",
    )
    ssl_keystore_certificate_chain = Key(
        "ssl.keystore.certificate.chain",
        PASSWORD,
        None,
        update=PER_BROKER,
        doc="Certificate of this broker and those between it and its authority, as PEM text.",
    )
    ssl_keystore_key = Key(
        "ssl.keystore.key", PASSWORD, None, update=PER_BROKER, doc="Private key of this broker as PEM text."
    )
    ssl_keystore_location = Key(
        "ssl.keystore.location",
        STRING,
        None,
        update=PER_BROKER,
        doc="File with this broker's private key and certificates.",
    )
    ssl_keystore_password = Key(
        "ssl.keystore.password", PASSWORD, None, update=PER_BROKER, doc="Password of a PKCS12 keystore."
    )
    ssl_keystore_type = Key(
        "ssl.keystore.type",
        STRING,
        "JKS",
        update=PER_BROKER,
        doc="Format of that file: PEM or PKCS12. A JKS file is refused with the line that converts it.",
    )
    ssl_principal_mapping_rules = Key(
        "ssl.principal.mapping.rules",
        STRING,
        "DEFAULT",
        doc="How a certificate's owner becomes a user: RULE:pattern/replacement/[LU] or DEFAULT, the first that fits.",
    )
    ssl_protocol = Key(
        "ssl.protocol",
        STRING,
        "TLSv1.3",
        update=PER_BROKER,
        because="as in Kafka, ssl.enabled.protocols says what a broker speaks",
        doc="TLS version to begin with.",
    )
    ssl_provider = Key(
        "ssl.provider", STRING, None, update=PER_BROKER, because="TLS is OpenSSL's", doc="Java provider of TLS."
    )
    ssl_secure_random_implementation = Key(
        "ssl.secure.random.implementation",
        STRING,
        None,
        update=PER_BROKER,
        because="TLS is OpenSSL's",
        doc="Source of random numbers for TLS.",
    )
    ssl_trustmanager_algorithm = Key(
        "ssl.trustmanager.algorithm",
        STRING,
        "PKIX",
        update=PER_BROKER,
        because="TLS is OpenSSL's",
        doc="Algorithm by which certificates are judged.",
    )
    ssl_truststore_certificates = Key(
        "ssl.truststore.certificates", PASSWORD, None, update=PER_BROKER, doc="Certificates to trust as PEM text."
    )
    ssl_truststore_location = Key(
        "ssl.truststore.location",
        STRING,
        None,
        update=PER_BROKER,
        doc="File with the certificates that those of clients must come from.",
    )
    ssl_truststore_password = Key(
        "ssl.truststore.password", PASSWORD, None, update=PER_BROKER, doc="Password of a PKCS12 truststore."
    )
    ssl_truststore_type = Key(
        "ssl.truststore.type",
        STRING,
        "JKS",
        update=PER_BROKER,
        doc="Format of that file: PEM or PKCS12. A JKS file is refused with the line that converts it.",
    )
    super_users = Key(
        "super.users",
        STRING,
        None,
        because="there is no authorizer yet",
        doc="Users that may do everything, as User:name;User:name; asked only by an authorizer.",
    )
