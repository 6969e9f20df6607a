"""Where a broker's options are set: while it runs, for itself or for the whole cluster, and in its file.

Source: DynamicBrokerConfig of Kafka 3.9; KIP-226.
"""

import logging
from collections.abc import Collection, Mapping
from math import inf

from broker.config.cross_checks import check_together
from broker.config.keys import AT_START, CLUSTER, WORKS, BadValue, Key
from broker.config.kinds import LONG
from broker.config.listener_limits import limit_key
from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.config.tls_options import tls_key, works_for_listener
from broker.config.unknown_names import MOVE_RATE, ONLY_DYNAMIC, hint, is_plug_in

log = logging.getLogger("barnabas.config")

FIXED_HERE = ("listeners", "advertised.listeners", "listener.security.protocol.map")
"""Kafka can change these while it runs; our sockets are bound once."""
PER_LISTENER_PREFIXES = ("ssl.keystore.", "ssl.truststore.", "ssl.key.password")
LOCKING_OUT = ("max.connections", "max.connection.creation.rate")
"""At 0 nobody could come any more, not even to change it back."""
NO_VALUES: Mapping[str, str] = {}


class NotDynamic(ValueError):
    """This value cannot be set while the broker runs; the text is for the client."""


class Layers:
    """Values by option name, the first of these wins: `broker`, `cluster`, the file's (`static`), the default.

    Dynamic values that cannot be used are left out, with a warning; names that we do not know stay, they mean nothing.
    """

    def __init__(
        self, static: BrokerSettings, broker: Mapping[str, str] = NO_VALUES, cluster: Mapping[str, str] = NO_VALUES
    ) -> None:
        self.static = static
        self.broker = _usable(broker, whole_cluster=False)
        self.cluster = _usable(cluster, whole_cluster=True)
        self.settings = static
        """What holds in the end."""
        if dynamic := {**self.cluster, **self.broker}:
            defaults = {name: static.KEYS[name].show(value) or "" for name, value in static.profile.items()}
            self.settings = BrokerSettings({**static.texts, **dynamic}, defaults=defaults)

    @property
    def idle(self) -> list[str]:
        """Names set while running that are known and have no effect here."""
        names = {**self.cluster, **self.broker}
        keys = BrokerSettings.KEYS
        works = {MOVE_RATE, *(name for name, key in keys.items() if key.standing is WORKS)}
        heeded = (name for name in names if limit_key(name) is not None or works_for_listener(name, self.settings))
        return sorted(names.keys() - works - set(heeded))

    @property
    def move_bytes_per_second(self) -> float:
        """What logs on their way to another data directory may take of the disks; without end if nobody set it."""
        text = self.broker.get(MOVE_RATE, self.cluster.get(MOVE_RATE, ""))
        return float(text) if text.strip().isdecimal() else inf

    def check(self, changed: Mapping[str, str], *, whole_cluster: bool) -> BrokerSettings:
        """Whether these values may be put into a layer; returns what would hold then.

        Raises: NotDynamic: fixed at start, per broker or per listener only, unknown, no value of the option, or at
            odds with other options. The words are Kafka's where it has such a case.
        """
        known = {name: BrokerSettings.KEYS[name] for name in changed if name in BrokerSettings.KEYS}
        of_tls = {name: key for name in changed if (key := tls_key(name)) is not None}
        _refuse(_fixed(known | of_tls), "Cannot update these configs dynamically")
        _refuse(
            [name for name in known if name.startswith(PER_LISTENER_PREFIXES)],
            "These security configs can be dynamically updated only per-listener using the listener prefix",
        )
        if whole_cluster:
            _refuse(
                [name for name, key in (known | of_tls).items() if key.update is not CLUSTER],
                "Cannot update these configs at default cluster level, broker id must be specified",
            )
        for name, text in changed.items():
            _check_value(name, text, known.get(name) or limit_key(name) or of_tls.get(name))
        return self._together(changed, whole_cluster=whole_cluster)

    def _together(self, changed: Mapping[str, str], *, whole_cluster: bool) -> BrokerSettings:
        broker, cluster = self.broker, self.cluster
        if whole_cluster:
            cluster = {**cluster, **changed}
        else:
            broker = {**broker, **changed}
        try:
            settings = Layers(self.static, broker, cluster).settings
            check_together(settings)
        except OperatorError as no:
            raise NotDynamic(f"{no.what} {no.why}") from no
        return settings


def _fixed(known: Mapping[str, Key[object]]) -> list[str]:
    return [name for name, key in known.items() if key.update is AT_START or name in FIXED_HERE]


def _refuse(names: Collection[str], why: str) -> None:
    if names:
        raise NotDynamic(f"{why}: {', '.join(sorted(names))}")


def _check_value(name: str, text: str, key: Key[object] | None) -> None:
    listener_key = BrokerSettings.KEYS.get(name.split(".", 3)[-1]) if name.startswith("listener.name.") else None
    if (key is not None and key.secret) or (listener_key is not None and listener_key.secret):
        raise NotDynamic(f"{name}: a password cannot be kept in the registry: it would lie there in plain text.")
    if key is not None:
        try:
            value = key.parse(text)
        except BadValue as bad:
            raise NotDynamic(str(bad)) from bad
        if name.endswith(LOCKING_OUT) and value == 0:
            raise NotDynamic(f"{name} is 0: nobody could connect any more, not even to change it back.")
    elif name in ONLY_DYNAMIC:
        try:
            LONG.parse(text.strip())
        except ValueError:
            raise NotDynamic(str(BadValue(name, text, LONG.allowed))) from None
    elif not is_plug_in(name):
        raise NotDynamic(f"Unknown broker config name: {name}. {hint(name, BrokerSettings.KEYS)}".rstrip())


def _usable(texts: Mapping[str, str], *, whole_cluster: bool) -> dict[str, str]:
    usable = {}
    for name, text in texts.items():
        key = BrokerSettings.KEYS.get(name) or limit_key(name)
        if key is not None and (_fixed({name: key}) or (whole_cluster and key.update is not CLUSTER)):
            log.warning("The dynamic value of %s has no effect", name)
            continue
        try:
            if key is not None:
                key.parse(text)
            usable[name] = text
        except BadValue as bad:
            log.warning("%s; the value of the file holds", bad)
    return usable
