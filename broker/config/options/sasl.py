"""SASL."""

from broker.config.checks import between, one_of_any_case
from broker.config.keys import PER_BROKER, Key, Settings
from broker.config.kinds import BOOLEAN, CLASS, DOUBLE, INT, LIST, LONG, PASSWORD, SHORT, STRING


class SaslSettings(Settings):
    """SASL."""

    NO_EFFECT_BECAUSE = "SASL is not built yet"
    NOTHING_WORKS = True

    sasl_client_callback_handler_class = Key(
        "sasl.client.callback.handler.class",
        CLASS,
        None,
        doc="Java class that answers SASL's questions for connections of this broker.",
    )
    sasl_enabled_mechanisms = Key(
        "sasl.enabled.mechanisms",
        LIST,
        ("GSSAPI",),
        update=PER_BROKER,
        doc="SASL mechanisms offered to clients; listeners with SASL are not built yet.",
    )
    sasl_jaas_config = Key(
        "sasl.jaas.config",
        PASSWORD,
        None,
        update=PER_BROKER,
        doc="Login module and users of SASL; listeners with SASL are not built yet.",
    )
    sasl_kerberos_kinit_cmd = Key(
        "sasl.kerberos.kinit.cmd", STRING, "/usr/bin/kinit", update=PER_BROKER, doc="Path of the kinit command."
    )
    sasl_kerberos_min_time_before_relogin = Key(
        "sasl.kerberos.min.time.before.relogin",
        LONG,
        60_000,
        update=PER_BROKER,
        doc="Shortest time in milliseconds between two Kerberos logins.",
    )
    sasl_kerberos_principal_to_local_rules = Key(
        "sasl.kerberos.principal.to.local.rules",
        LIST,
        ("DEFAULT",),
        update=PER_BROKER,
        doc="How a Kerberos principal becomes the name of a user.",
    )
    sasl_kerberos_service_name = Key(
        "sasl.kerberos.service.name", STRING, None, update=PER_BROKER, doc="Kerberos name of the brokers' service."
    )
    sasl_kerberos_ticket_renew_jitter = Key(
        "sasl.kerberos.ticket.renew.jitter",
        DOUBLE,
        0.05,
        update=PER_BROKER,
        doc="Random share added to the time of a ticket's renewal.",
    )
    sasl_kerberos_ticket_renew_window_factor = Key(
        "sasl.kerberos.ticket.renew.window.factor",
        DOUBLE,
        0.8,
        update=PER_BROKER,
        doc="Share of a ticket's life after which it is renewed.",
    )
    sasl_login_callback_handler_class = Key(
        "sasl.login.callback.handler.class", CLASS, None, doc="Java class that answers the questions of a login."
    )
    sasl_login_class = Key("sasl.login.class", CLASS, None, doc="Java class that logs in.")
    sasl_login_connect_timeout_ms = Key(
        "sasl.login.connect.timeout.ms", INT, None, doc="Longest time to connect to the provider of identities."
    )
    sasl_login_read_timeout_ms = Key(
        "sasl.login.read.timeout.ms", INT, None, doc="Longest time to wait for an answer of the provider of identities."
    )
    sasl_login_refresh_buffer_seconds = Key(
        "sasl.login.refresh.buffer.seconds",
        SHORT,
        300,
        update=PER_BROKER,
        doc="Time before a credential's end that a refresh keeps free.",
    )
    sasl_login_refresh_min_period_seconds = Key(
        "sasl.login.refresh.min.period.seconds",
        SHORT,
        60,
        update=PER_BROKER,
        doc="Shortest time before a credential is refreshed.",
    )
    sasl_login_refresh_window_factor = Key(
        "sasl.login.refresh.window.factor",
        DOUBLE,
        0.8,
        update=PER_BROKER,
        doc="Share of a credential's life after which it is refreshed.",
    )
    sasl_login_refresh_window_jitter = Key(
        "sasl.login.refresh.window.jitter",
        DOUBLE,
        0.05,
        update=PER_BROKER,
        doc="Random share added to the time of a credential's refresh.",
    )
    sasl_login_retry_backoff_max_ms = Key(
        "sasl.login.retry.backoff.max.ms", LONG, 10_000, doc="Longest pause between tries to log in."
    )
    sasl_login_retry_backoff_ms = Key(
        "sasl.login.retry.backoff.ms", LONG, 100, doc="First pause between tries to log in."
    )
    sasl_mechanism_controller_protocol = Key(
        "sasl.mechanism.controller.protocol", STRING, "GSSAPI", doc="SASL mechanism between brokers and the quorum."
    )
    sasl_mechanism_inter_broker_protocol = Key(
        "sasl.mechanism.inter.broker.protocol",
        STRING,
        "GSSAPI",
        update=PER_BROKER,
        doc="SASL mechanism between brokers; listeners with SASL are not built yet.",
    )
    sasl_oauthbearer_allow_unverified_audience = Key(
        "sasl.oauthbearer.allow.unverified.audience",
        BOOLEAN,
        False,
        doc="Whether tokens without an expected audience are taken.",
    )
    sasl_oauthbearer_allow_unverified_issuer = Key(
        "sasl.oauthbearer.allow.unverified.issuer",
        BOOLEAN,
        False,
        doc="Whether tokens without an expected issuer are taken.",
    )
    sasl_oauthbearer_assertion_algorithm = Key(
        "sasl.oauthbearer.assertion.algorithm",
        STRING,
        "RS256",
        check=one_of_any_case("ES256", "RS256"),
        doc="Algorithm that signs the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_claim_aud = Key(
        "sasl.oauthbearer.assertion.claim.aud",
        STRING,
        None,
        doc="Audience in the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_claim_exp_seconds = Key(
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        INT,
        300,
        check=between(0, 86_400),
        doc="Life in seconds of the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_claim_iss = Key(
        "sasl.oauthbearer.assertion.claim.iss",
        STRING,
        None,
        doc="Issuer in the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_claim_jti_include = Key(
        "sasl.oauthbearer.assertion.claim.jti.include",
        BOOLEAN,
        False,
        doc="Whether the assertion by which a token is asked for has a number of its own.",
    )
    sasl_oauthbearer_assertion_claim_nbf_seconds = Key(
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        INT,
        60,
        check=between(0, 3600),
        doc="How many seconds ago the assertion by which a token is asked for begins to hold.",
    )
    sasl_oauthbearer_assertion_claim_sub = Key(
        "sasl.oauthbearer.assertion.claim.sub",
        STRING,
        None,
        doc="Subject in the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_file = Key(
        "sasl.oauthbearer.assertion.file",
        STRING,
        None,
        doc="File with a ready assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_private_key_file = Key(
        "sasl.oauthbearer.assertion.private.key.file",
        STRING,
        None,
        doc="File with the key that signs the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_private_key_passphrase = Key(
        "sasl.oauthbearer.assertion.private.key.passphrase",
        PASSWORD,
        None,
        doc="Password of the key that signs the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_assertion_template_file = Key(
        "sasl.oauthbearer.assertion.template.file",
        STRING,
        None,
        doc="File with further claims of the assertion by which a token is asked for.",
    )
    sasl_oauthbearer_client_credentials_client_id = Key(
        "sasl.oauthbearer.client.credentials.client.id", STRING, None, doc="Name by which a token is asked for."
    )
    sasl_oauthbearer_client_credentials_client_secret = Key(
        "sasl.oauthbearer.client.credentials.client.secret", PASSWORD, None, doc="Secret by which a token is asked for."
    )
    sasl_oauthbearer_clock_skew_seconds = Key(
        "sasl.oauthbearer.clock.skew.seconds",
        INT,
        30,
        doc="Difference of clocks in seconds that is forgiven when a token is checked.",
    )
    sasl_oauthbearer_expected_audience = Key(
        "sasl.oauthbearer.expected.audience", LIST, None, doc="Audiences of which a token must name one."
    )
    sasl_oauthbearer_expected_issuer = Key(
        "sasl.oauthbearer.expected.issuer", STRING, None, doc="Issuer that a token must name."
    )
    sasl_oauthbearer_jwks_endpoint_refresh_ms = Key(
        "sasl.oauthbearer.jwks.endpoint.refresh.ms",
        LONG,
        3_600_000,
        doc="How often the issuer's keys are fetched again.",
    )
    sasl_oauthbearer_jwks_endpoint_retry_backoff_max_ms = Key(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        LONG,
        10_000,
        doc="Longest pause between tries to fetch the issuer's keys.",
    )
    sasl_oauthbearer_jwks_endpoint_retry_backoff_ms = Key(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        LONG,
        100,
        doc="First pause between tries to fetch the issuer's keys.",
    )
    sasl_oauthbearer_jwks_endpoint_url = Key(
        "sasl.oauthbearer.jwks.endpoint.url", STRING, None, doc="Address of the issuer's keys."
    )
    sasl_oauthbearer_jwt_retriever_class = Key(
        "sasl.oauthbearer.jwt.retriever.class",
        CLASS,
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
        doc="Java class that gets tokens.",
    )
    sasl_oauthbearer_jwt_validator_class = Key(
        "sasl.oauthbearer.jwt.validator.class",
        CLASS,
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
        doc="Java class that checks tokens.",
    )
    sasl_oauthbearer_scope = Key("sasl.oauthbearer.scope", STRING, None, doc="Scope for which a token is asked.")
    sasl_oauthbearer_scope_claim_name = Key(
        "sasl.oauthbearer.scope.claim.name", STRING, "scope", doc="Claim of a token that holds its scope."
    )
    sasl_oauthbearer_sub_claim_name = Key(
        "sasl.oauthbearer.sub.claim.name", STRING, "sub", doc="Claim of a token that holds the name of the user."
    )
    sasl_oauthbearer_token_endpoint_url = Key(
        "sasl.oauthbearer.token.endpoint.url", STRING, None, doc="Address where tokens are got."
    )
    sasl_server_callback_handler_class = Key(
        "sasl.server.callback.handler.class",
        CLASS,
        None,
        doc="Java class that checks what clients say to a SASL mechanism.",
    )
    sasl_server_max_receive_size = Key(
        "sasl.server.max.receive.size", INT, 524_288, doc="Largest token of a SASL exchange in bytes."
    )
