"""From the TLS options of a listener to what its connections are made of, and how that is renewed while it runs."""

import contextlib
import logging
import os
import ssl
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.config.tls_options import TlsOptions, is_tls, tls_options
from broker.transport.contract import ANONYMOUS
from broker.transport.distinguished_name import subject_of
from broker.transport.principals import BadRules, PrincipalRules
from broker.transport.tls_ciphers import BadSuites, chosen
from broker.transport.tls_stores import KeyPair, key_pair, trusted

log = logging.getLogger("barnabas.tls")

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
CLIENT_AUTH = {"none": ssl.CERT_NONE, "requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class End(ssl.SSLObject):
    """Our end of one connection."""

    asked_name: str | None = None
    """By which the client called us (SNI)."""


@dataclass(frozen=True, slots=True)
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = End
    context.sni_callback = _remember_name
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    _choose_versions(context, options)
    _load_keys(context, options)
    _load_trust(context, options)
    try:
        return Identity(context, PrincipalRules.parse(options.principal_mapping_rules))
    except BadRules as bad:
        raise OperatorError(
            f"ssl.principal.mapping.rules of listener {options.listener} cannot be used.", f"{bad}.", "Correct it."
        ) from None


def _remember_name(end: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    assert isinstance(end, End)
    end.asked_name = name


def _choose_versions(context: ssl.SSLContext, options: TlsOptions) -> None:
    unknown = [each for each in options.enabled_protocols if each not in VERSIONS]
    if unknown or not options.enabled_protocols:
        raise OperatorError(
            f"ssl.enabled.protocols of listener {options.listener} has {', '.join(unknown) or 'nothing'}.",
            f"Only {' and '.join(VERSIONS)} are spoken; what is older can be broken.",
            "Remove the others.",
        )
    versions = {VERSIONS[each] for each in options.enabled_protocols}
    if options.cipher_suites:
        versions &= _choose_suites(context, options)
    if not versions:
        raise OperatorError(
            f"ssl.cipher.suites of listener {options.listener} has no suite of {options.enabled_protocols[0]}.",
            "ssl.enabled.protocols allows no other version.",
            "Correct one of them.",
        )
    context.minimum_version, context.maximum_version = min(versions), max(versions)


def _choose_suites(context: ssl.SSLContext, options: TlsOptions) -> set[ssl.TLSVersion]:
    """The versions that the suites leave."""
    try:
        names, newest = chosen(options.cipher_suites)
        if names:
            context.set_ciphers(":".join(names))
    except (BadSuites, ssl.SSLError) as bad:
        raise OperatorError(
            f"ssl.cipher.suites of listener {options.listener} cannot be used.", f"{bad}.", "Correct it."
        ) from None
    return ({ssl.TLSVersion.TLSv1_2} if names else set()) | ({ssl.TLSVersion.TLSv1_3} if newest else set())


def _load_keys(context: ssl.SSLContext, options: TlsOptions) -> None:
    pair = key_pair(options.keystore)
    place = options.keystore.location or f"{options.keystore.option}.key"
    try:
        with _as_file(pair) as path:
            context.load_cert_chain(path, password=pair.password or _no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why, remedy = "The private key is not that of the first certificate.", "Put the pair that belongs together."
        else:
            why = f"OpenSSL says {error.reason or error}; ssl.key.password is {'set' if pair.password else 'not set'}."
            remedy = "Correct ssl.key.password, or the file."
        raise OperatorError(f"The private key of {place} cannot be used.", why, remedy) from None
    except _PasswordWanted:
        raise OperatorError(
            f"The private key of {place} is encrypted.", "ssl.key.password is not set.", "Set ssl.key.password."
        ) from None


def _load_trust(context: ssl.SSLContext, options: TlsOptions) -> None:
    certificates = trusted(options.truststore)
    wanted = CLIENT_AUTH.get(options.client_auth)
    if wanted is None:
        raise OperatorError(
            f"ssl.client.auth of listener {options.listener} is {options.client_auth!r}.",
            f"It is one of {', '.join(CLIENT_AUTH)}.",
            "Correct it.",
        )
    if wanted is not ssl.CERT_NONE and certificates is None:
        raise OperatorError(
            f"ssl.client.auth of listener {options.listener} is {options.client_auth}.",
            "No truststore says whose certificates count; Java would take those of every public authority.",
            "Set ssl.truststore.type=PEM and ssl.truststore.location.",
        )
    context.verify_mode = wanted
    if certificates is not None:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what a truststore holds is trusted, as in Java
        try:
            context.load_verify_locations(cadata=certificates)
        except ssl.SSLError as error:
            place = options.truststore.location or f"{options.truststore.option}.certificates"
            raise OperatorError(
                f"The certificates of {place} cannot be used.", f"OpenSSL says {error.reason}.", "Correct the file."
            ) from None


class _PasswordWanted(Exception):
    """OpenSSL must not ask the terminal."""


def _no_password() -> str:
    raise _PasswordWanted


@contextlib.contextmanager
def _as_file(pair: KeyPair) -> Iterator[str]:
    """A path that OpenSSL can read; where the system can, it never lies on a disk."""
    text = (pair.key + pair.chain).encode()
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("barnabas-tls")
        try:
            os.write(descriptor, text)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:  # only its owner may read it
        file.write(text)
        file.flush()
        yield file.name


def _stamp(location: str | None) -> object:
    if location is None:
        return None
    try:
        found = os.stat(location)
    except OSError:
        return "gone"
    return found.st_mtime_ns, found.st_size, found.st_ino
