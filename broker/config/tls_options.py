"""What the options say of TLS for one listener: `listener.name.NAME.ssl.…` before `ssl.…`.

Texts only: keystores are opened by `transport/tls_stores.py`. Source: KafkaConfig and SslConfigs of Kafka 3.9.
"""

from collections.abc import Iterator
from typing import Any, Self

from broker.config.keys import WORKS, BadValue, Key
from broker.config.listeners import SSL
from broker.config.options.security import SecuritySettings
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from kproto.values import frozen

PREFIX = "listener.name."


@frozen
class StoreOptions:
    """A keystore or truststore as the options name it.

    Args:
        option: `ssl.keystore` or `ssl.truststore`, with the listener's prefix where one of its options has it.
        type: JKS, PKCS12 or PEM, in upper case.
        password: of the whole store.
        key_password: of the private key.
        certificates: PEM text that stands in the options themselves; of a keystore its chain.
        key: PEM text of the private key, in the options themselves.
    """

    option: str
    type: str
    location: str | None
    password: str | None
    key_password: str | None = None
    certificates: str | None = None
    key: str | None = None

    @property
    def is_set(self) -> bool:
        return self.location is not None or self.certificates is not None or self.key is not None


@frozen
class TlsOptions:
    """Of one listener, or of one client. Two that are equal mean the same, as long as their files are the same.

    Args: listener: its name; empty for a client.
    """

    listener: str
    keystore: StoreOptions
    truststore: StoreOptions
    client_auth: str
    enabled_protocols: tuple[str, ...]
    cipher_suites: tuple[str, ...]
    principal_mapping_rules: str

    @property
    def place(self) -> str:
        """Whose they are, for a message."""
        return f"listener {self.listener}" if self.listener else "the client"

    @classmethod
    def of(cls, settings: BrokerSettings, listener: str) -> Self:
        """Raises: OperatorError: a value for this listener is none of its option."""
        one = _OneListener(settings, listener)
        keys = SecuritySettings
        keystore = StoreOptions(
            one.where("ssl.keystore"),
            one.value(keys.ssl_keystore_type).upper(),
            one.value(keys.ssl_keystore_location),
            one.value(keys.ssl_keystore_password),
            one.value(keys.ssl_key_password),
            one.value(keys.ssl_keystore_certificate_chain),
            one.value(keys.ssl_keystore_key),
        )
        truststore = StoreOptions(
            one.where("ssl.truststore"),
            one.value(keys.ssl_truststore_type).upper(),
            one.value(keys.ssl_truststore_location),
            one.value(keys.ssl_truststore_password),
            certificates=one.value(keys.ssl_truststore_certificates),
        )
        return cls(
            listener,
            keystore,
            truststore,
            one.value(keys.ssl_client_auth),
            one.value(keys.ssl_enabled_protocols),
            one.value(keys.ssl_cipher_suites),
            one.value(keys.ssl_principal_mapping_rules),
        )


def tls_options(settings: BrokerSettings) -> Iterator[TlsOptions]:
    """Those of every TLS listener. Raises: OperatorError, as `TlsOptions.of`."""
    for plan in settings.listening.listeners:
        if plan.protocol == SSL:
            yield TlsOptions.of(settings, plan.name)


def tls_key(name: str) -> Key[Any] | None:
    """The option that `listener.name.NAME.ssl.…` gives to one listener; None for other names."""
    if not name.startswith(PREFIX):
        return None
    option = name.removeprefix(PREFIX).partition(".")[2]
    return SecuritySettings.KEYS.get(option) if option.startswith("ssl.") else None


def is_tls(name: str) -> bool:
    """Whether an option, of all listeners or of one, is about TLS towards clients."""
    return name.startswith("ssl.") or tls_key(name) is not None


def works_for_listener(name: str, settings: BrokerSettings) -> bool:
    """Whether a name sets something that a TLS listener of this broker heeds."""
    key = tls_key(name)
    if key is None or key.standing is not WORKS:
        return False
    own = name.removeprefix(PREFIX).partition(".")[0].upper()
    return any(plan.name == own and plan.protocol == SSL for plan in settings.listening.listeners)


class _OneListener:
    """Values as they hold for one listener; its name in upper or lower case."""

    def __init__(self, settings: BrokerSettings, listener: str) -> None:
        self._settings = settings
        self._own: dict[str, tuple[str, str]] = {}
        for name, text in settings.texts.items():
            if tls_key(name) is not None:
                own, _, option = name.removeprefix(PREFIX).partition(".")
                if own.upper() == listener:
                    self._own[option] = name, text

    def value(self, key: Key[Any]) -> Any:
        if key.name not in self._own:
            return self._settings.raw[key.name]
        name, text = self._own[key.name]
        try:
            return key.parse(text)
        except BadValue as bad:
            shown = "its value" if key.secret else repr(text)
            raise OperatorError(f"{name} is {shown}.", f"It must be {bad.allowed}.", "Correct it.") from None

    def where(self, store: str) -> str:
        """The option's beginning as the operator wrote it."""
        own = next((name for option, (name, _) in self._own.items() if option.startswith(store)), None)
        return store if own is None else own[: own.index(store) + len(store)]
