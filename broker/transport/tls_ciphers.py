"""Cipher suites by the names of Java and the standards, and by those of OpenSSL.

Only suites of TLS 1.2 can be chosen one by one. Those of TLS 1.3 are on or off together: Python's `ssl` cannot choose
among them.
"""

from collections.abc import Iterator, Sequence

TLS_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
IGNORED = ("TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV")
"""Signals among the suites, no suites."""
_EXCHANGES = {"ECDHE_ECDSA": "ECDHE-ECDSA-", "ECDHE_RSA": "ECDHE-RSA-", "RSA": ""}
_CIPHERS = {
    "AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "AES_128_CBC_SHA": "AES128-SHA",
    "AES_256_CBC_SHA": "AES256-SHA",
    "AES_128_CBC_SHA256": "AES128-SHA256",
}
_WITH_CURVES_ONLY = {"AES_256_CBC_SHA384": "AES256-SHA384", "CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305"}
_WITHOUT_CURVES_ONLY = {"AES_256_CBC_SHA256": "AES256-SHA256"}


class BadSuites(ValueError):
    """The list cannot be kept; the text says why."""


def openssl_names() -> Iterator[tuple[str, str]]:
    """Every suite of TLS 1.2 that can be chosen: its name in Java and in OpenSSL."""
    for exchange, prefix in _EXCHANGES.items():
        more = _WITH_CURVES_ONLY if prefix else _WITHOUT_CURVES_ONLY
        for cipher, name in {**_CIPHERS, **more}.items():
            yield f"TLS_{exchange}_WITH_{cipher}", prefix + name


def chosen(suites: Sequence[str]) -> tuple[list[str], bool]:
    """The suites of TLS 1.2 as OpenSSL calls them, in order, and whether TLS 1.3 may be spoken.

    Raises: BadSuites: one is unknown, or only some of TLS 1.3.
    """
    known = dict(openssl_names())
    names = [each for each in suites if each not in IGNORED and each not in TLS_1_3]
    unknown = [each for each in names if each not in known]
    if unknown:
        raise BadSuites(f"no suite of TLS 1.2 or 1.3 that is offered here: {', '.join(unknown)}")
    newest = {each for each in suites if each in TLS_1_3}
    if newest and len(newest) < len(TLS_1_3):
        raise BadSuites(f"those of TLS 1.3 are on or off together: name all of {', '.join(TLS_1_3)}, or none")
    if not names and not newest:
        raise BadSuites("it names no suite")
    return [known[each] for each in names], bool(newest)
