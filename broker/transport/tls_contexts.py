"""From the TLS options of a listener to what its connections are made of, and how that is renewed while it runs."""

import logging
import os
import ssl
from collections.abc import Collection

from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.config.tls_options import TlsOptions, is_tls, tls_options
from broker.transport.contract import ANONYMOUS
from broker.transport.distinguished_name import subject_of
from broker.transport.principals import BadRules, PrincipalRules
from broker.transport.tls_setup import server_context
from kproto.values import frozen

log = logging.getLogger("barnabas.tls")


class End(ssl.SSLObject):
    """Our end of one connection."""

    asked_name: str | None = None
    """By which the client called us (SNI)."""


@frozen
class Identity:
    """What one connection is made with; later ones may be made with another."""

    context: ssl.SSLContext
    rules: PrincipalRules

    def end(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> End:
        """Of a connection that begins."""
        end = self.context.wrap_bio(incoming, outgoing, server_side=True)
        assert isinstance(end, End)
        return end

    def principal(self, certificate: bytes | None) -> str:
        """Who a client is by its certificate (DER). Raises: NoRule, ValueError: it can be nobody."""
        return ANONYMOUS if not certificate else f"User:{self.rules.user(subject_of(certificate))}"


class Renewable:
    """The identity of one listener: `now` is for the connections that come in now."""

    def __init__(self, options: TlsOptions) -> None:
        self._options = options
        self._files = files_of(options)
        self.now = identity(options)

    def renew(self, options: TlsOptions) -> bool:
        """Take other options, or the same files written anew; whether there was anything to do.

        Raises: OperatorError: they cannot be used; `now` is what it was.
        """
        files = files_of(options)
        if options == self._options and files == self._files:
            return False
        self.now = identity(options)
        self._options, self._files = options, files
        return True


class TlsIdentities:
    """Those of all TLS listeners of a broker, by listener name. Raises: OperatorError, as `identity`."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._listeners = {options.listener: Renewable(options) for options in tls_options(settings)}

    def __len__(self) -> int:
        return len(self._listeners)

    def of(self, listener: str) -> Renewable:
        return self._listeners[listener]

    def check(self, settings: BrokerSettings, names: Collection[str]) -> None:
        """Whether these settings could hold, if any of the names set is about TLS. Raises: OperatorError."""
        if any(map(is_tls, names)):
            for options in tls_options(settings):
                identity(options)

    def renew(self, settings: BrokerSettings) -> None:
        """For connections that come from now on; those that are there go on. What cannot be used is logged."""
        try:
            for options in tls_options(settings):
                if self._listeners[options.listener].renew(options):
                    log.info("Listener %s has its TLS keys and certificates anew", options.listener)
        except OperatorError as no:
            log.error("TLS keys and certificates stay as they were: %s", " ".join(str(no).splitlines()))


def files_of(options: TlsOptions) -> tuple[object, ...]:
    """What tells that one of the files was written anew."""
    return tuple(_stamp(store.location) for store in (options.keystore, options.truststore))


def identity(options: TlsOptions) -> Identity:
    """Raises: OperatorError: a file, a password, a suite or a rule is not as it must be."""
    context = server_context(options)
    context.sslobject_class = End
    context.sni_callback = _remember_name
    try:
        return Identity(context, PrincipalRules.parse(options.principal_mapping_rules))
    except BadRules as bad:
        raise OperatorError(
            f"ssl.principal.mapping.rules of {options.place} cannot be used.", f"{bad}.", "Correct it."
        ) from None


def _remember_name(end: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    assert isinstance(end, End)
    end.asked_name = name


def _stamp(location: str | None) -> object:
    if location is None:
        return None
    try:
        found = os.stat(location)
    except OSError:
        return "gone"
    return found.st_mtime_ns, found.st_size, found.st_ino
