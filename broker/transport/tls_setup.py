"""From TLS options to an `SSLContext`: versions, suites, keys and whom to trust; a server's, and a client's.

What cannot be used is an operator's mistake and is told as one.
"""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator

from broker.config.problems import OperatorError
from broker.config.tls_options import StoreOptions, TlsOptions
from broker.transport.tls_ciphers import BadSuites, chosen
from broker.transport.tls_stores import key_pair, revocations, trusted

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
CLIENT_AUTH = {"none": ssl.CERT_NONE, "requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def server_context(options: TlsOptions) -> ssl.SSLContext:
    """Of a listener. Raises: OperatorError: a file, a password or a suite is not as it must be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    _choose_versions(context, options)
    _load_keys(context, options.keystore)
    _ask_for_certificates(context, options)
    return context


def client_context(options: TlsOptions, *, check_names: bool) -> ssl.SSLContext:
    """Of one who connects; without a truststore the authorities of the system count. Raises: as `server_context`.

    Args: check_names: whether a broker's certificate must be for the name that it was called by.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_names
    _choose_versions(context, options)
    if options.keystore.is_set:
        _load_keys(context, options.keystore)
    if options.truststore.is_set:
        _trust(context, options.truststore)
    else:
        context.load_default_certs()
    return context


def _choose_versions(context: ssl.SSLContext, options: TlsOptions) -> None:
    unknown = [each for each in options.enabled_protocols if each not in VERSIONS]
    if unknown or not options.enabled_protocols:
        raise OperatorError(
            f"ssl.enabled.protocols of {options.place} has {', '.join(unknown) or 'nothing'}.",
            f"Only {' and '.join(VERSIONS)} are spoken; what is older can be broken.",
            "Remove the others.",
        )
    versions = {VERSIONS[each] for each in options.enabled_protocols}
    if options.cipher_suites:
        versions &= _choose_suites(context, options)
    if not versions:
        raise OperatorError(
            f"ssl.cipher.suites of {options.place} has no suite of {options.enabled_protocols[0]}.",
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
        raise OperatorError(f"ssl.cipher.suites of {options.place} cannot be used.", f"{bad}.", "Correct it.") from None
    return ({ssl.TLSVersion.TLSv1_2} if names else set()) | ({ssl.TLSVersion.TLSv1_3} if newest else set())


def _load_keys(context: ssl.SSLContext, store: StoreOptions) -> None:
    pair = key_pair(store)
    place = store.location or f"{store.option}.key"
    try:
        with _as_file(pair.key + pair.chain) as path:
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


def _ask_for_certificates(context: ssl.SSLContext, options: TlsOptions) -> None:
    """As `ssl.client.auth` says."""
    wanted = CLIENT_AUTH.get(options.client_auth)
    if wanted is None:
        raise OperatorError(
            f"ssl.client.auth of {options.place} is {options.client_auth!r}.",
            f"It is one of {', '.join(CLIENT_AUTH)}.",
            "Correct it.",
        )
    if wanted is not ssl.CERT_NONE and not options.truststore.is_set:
        raise OperatorError(
            f"ssl.client.auth of {options.place} is {options.client_auth}.",
            "No truststore says whose certificates count; Java would take those of every public authority.",
            "Set ssl.truststore.type=PEM and ssl.truststore.location.",
        )
    context.verify_mode = wanted
    if options.truststore.is_set:
        _trust(context, options.truststore)


def _trust(context: ssl.SSLContext, store: StoreOptions) -> None:
    """Whom the certificates of a truststore speak for, and no longer if it has lists of those that were revoked."""
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what a truststore holds is trusted, as in Java
    lists = revocations(store)
    try:
        context.load_verify_locations(cadata=trusted(store))
        if lists:
            with _as_file(lists) as path:  # as data it takes certificates only
                context.load_verify_locations(cafile=path)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except ssl.SSLError as error:
        place = store.location or f"{store.option}.certificates"
        raise OperatorError(
            f"The certificates of {place} cannot be used.", f"OpenSSL says {error.reason}.", "Correct the file."
        ) from None


class _PasswordWanted(Exception):
    """OpenSSL must not ask the terminal."""


def _no_password() -> str:
    raise _PasswordWanted


@contextlib.contextmanager
def _as_file(text: str) -> Iterator[str]:
    """A path that OpenSSL can read; where the system can, it never lies on a disk."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("barnabas-tls")
        try:
            os.write(descriptor, text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:  # only its owner may read it
        file.write(text.encode())
        file.flush()
        yield file.name
