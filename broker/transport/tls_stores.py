"""Keystores and truststores: PEM, PKCS#12 through `cryptography`, and a way out for JKS.

Whatever they were, PEM comes out. What cannot be used is an operator's mistake and is told as one; a password never is.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from broker.config.problems import OperatorError
from broker.config.tls_options import StoreOptions

JKS_MAGIC = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
"""Of JKS, and of JCEKS."""
DER_SEQUENCE = b"\x30"
"""How every PKCS#12 file begins."""
TYPES = ("JKS", "PKCS12", "PEM")
_BLOCK = re.compile(r"-+BEGIN ([A-Z0-9 ]+?)-+(.*?)-+END \1-{1,5}", re.DOTALL)
"""Five at its end: where all stands in one line, the next block begins right there."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """PEM texts: the certificates from one's own on, and its private key with the password it needs."""

    chain: str
    key: str
    password: str | None


def key_pair(store: StoreOptions) -> KeyPair:
    """What a keystore holds. Raises: OperatorError."""
    if store.certificates is not None or store.key is not None:
        return _written_pair(store)
    if store.location is None:
        _refuse(f"{store.option}.location is not set.", "A TLS listener shows its clients a certificate.", HOW_TO_BEGIN)
    if _kind(store) == "PKCS12":
        return _opened_pair(store)
    _refuse_store_password(store)
    text = _text(store)
    return KeyPair(_certificates(store, text, "certificate"), _private_key(store, text), store.key_password)


def trusted(store: StoreOptions) -> str:
    """The certificates that a truststore holds, as PEM. Raises: OperatorError."""
    if store.certificates is not None:
        _refuse_other_type(store)
        _refuse_location(store)
        return _certificates(store, store.certificates, "certificate")
    if _kind(store) == "PKCS12":
        _, own, others = _opened(store)
        return "".join(([own] if own else []) + others) or _nothing_in(store, "certificate")
    _refuse_store_password(store)
    return _certificates(store, _text(store), "certificate")


def revocations(store: StoreOptions) -> str:
    """The revocation lists (CRLs) beside a truststore's certificates, as PEM; may be empty. Raises: OperatorError."""
    if store.certificates is None and _kind(store) == "PKCS12":
        return ""
    text = _text(store) if store.certificates is None else store.certificates
    return "".join(_pem(label, body) for label, body in _BLOCK.findall(text) if label == "X509 CRL")


HOW_TO_BEGIN = "Set it to a PEM file with the private key and the certificates, and its type to PEM (docs/security.md)."


def _written_pair(store: StoreOptions) -> KeyPair:
    """The pair that stands in the options themselves."""
    _refuse_other_type(store)
    _refuse_location(store)
    if store.certificates is None or store.key is None:
        missing = "certificate.chain" if store.certificates is None else "key"
        _refuse(f"{store.option}.{missing} is not set.", "A key and its certificates go together.", f"Set {missing}.")
    chain = _certificates(store, store.certificates, "certificate")
    return KeyPair(chain, _private_key(store, store.key), store.key_password)


def _kind(store: StoreOptions) -> str:
    """PEM or PKCS12, by the type and by what the file is: Java too opens PKCS#12 files whose type says JKS."""
    if store.type not in TYPES:
        _refuse(f"{store.option}.type is {store.type}.", f"Types are {', '.join(TYPES)}.", "Correct it.")
    begins = _bytes(store)[:4]
    if begins in JKS_MAGIC:
        _refuse_java_format(store)
    if store.type == "PEM":
        if begins[:1] == DER_SEQUENCE:
            _wrong_type(store, "PKCS#12", "PKCS12")
        return "PEM"
    if begins[:1] != DER_SEQUENCE:
        if b"-BEGIN " in _bytes(store):
            _wrong_type(store, "PEM", "PEM")
        _refuse(f"{store.location} cannot be read as {store.type}.", "It is of some other format.", "Correct the path.")
    return "PKCS12"


def _wrong_type(store: StoreOptions, found: str, right: str) -> NoReturn:
    default = ", which is the default" if store.type == "JKS" else ""
    _refuse(
        f"{store.location} is a {found} file.",
        f"{store.option}.type is {store.type}{default}.",
        f"Set {store.option}.type={right}.",
    )


def _refuse_java_format(store: StoreOptions) -> NoReturn:
    assert store.location is not None
    new = str(Path(store.location).with_suffix(".p12"))
    _refuse(
        f"{store.location} is a Java keystore (JKS).",
        "Only Java reads that format; PKCS#12 holds the same and everybody reads it.",
        f"Run `keytool -importkeystore -srckeystore {store.location} -destkeystore {new} -deststoretype PKCS12`, "
        f"then set {store.option}.type=PKCS12 and {store.option}.location={new}.",
    )


def _refuse_store_password(store: StoreOptions) -> None:
    if store.password is not None:
        remedy = f"Remove {store.option}.password."
        if store.option.endswith("keystore"):
            remedy = f"Remove {store.option}.password; the key's own password is ssl.key.password."
        _refuse(f"{store.option}.password is set.", "A PEM file has no password as a whole.", remedy)


def _refuse_other_type(store: StoreOptions) -> None:
    if store.type != "PEM":
        _refuse(
            f"{store.option}.type is {store.type}.",
            f"Certificates and keys that stand in the options ({store.option}.…) are PEM.",
            f"Set {store.option}.type=PEM.",
        )
    _refuse_store_password(store)


def _refuse_location(store: StoreOptions) -> None:
    if store.location is not None:
        _refuse(
            f"{store.option}.location is set, and PEM text stands in the options too.",
            "Only one of them can hold.",
            "Remove one of them.",
        )


def _bytes(store: StoreOptions) -> bytes:
    assert store.location is not None
    try:
        return Path(store.location).read_bytes()
    except OSError as error:
        _refuse(
            f"{store.option}.location is {store.location}.",
            f"That file cannot be read: {error.strerror or error}.",
            "Correct the path, or the rights of the file.",
        )


def _text(store: StoreOptions) -> str:
    return _bytes(store).decode("latin-1")


def _certificates(store: StoreOptions, text: str, what: str) -> str:
    found = [_pem(label, body) for label, body in _BLOCK.findall(text) if label.endswith("CERTIFICATE")]
    return "".join(found) or _nothing_in(store, what)


def _private_key(store: StoreOptions, text: str) -> str:
    found = [_pem(label, body) for label, body in _BLOCK.findall(text) if label.endswith("PRIVATE KEY")]
    if len(found) > 1:
        _refuse(f"{_place(store)} has {len(found)} private keys.", "Only one fits the certificate.", "Leave that one.")
    return found[0] if found else _nothing_in(store, "private key")


def _pem(label: str, body: str) -> str:
    """A block as OpenSSL reads it: an option that goes over several lines has lost its line ends."""
    if ":" not in body:  # headers of an old encrypted key need their lines
        body = "\n" + "\n".join(_lines("".join(body.split()))) + "\n"
    return f"-----BEGIN {label}-----{body}-----END {label}-----\n"


def _lines(text: str) -> list[str]:
    return [text[at : at + 64] for at in range(0, len(text), 64)]


def _place(store: StoreOptions) -> str:
    return store.location or f"{store.option}.…"


def _nothing_in(store: StoreOptions, what: str) -> NoReturn:
    _refuse(f"{_place(store)} has no {what}.", "Nothing in it says so in PEM or PKCS#12.", "Correct the file.")


def _opened_pair(store: StoreOptions) -> KeyPair:
    key, own, others = _opened(store)
    if key is None or own is None:
        _nothing_in(store, "private key with its certificate")
    if store.key_password is not None and store.key_password != store.password:
        _refuse(
            "ssl.key.password is not the password of the keystore.",
            "A PKCS#12 file has one password for all of it.",
            "Remove ssl.key.password.",
        )
    return KeyPair("".join([own, *others]), key, None)


def _opened(store: StoreOptions) -> tuple[str | None, str | None, list[str]]:
    """Private key, its certificate and the other certificates of a PKCS#12 file."""
    data = _bytes(store)
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import pkcs12
    except ImportError:
        _refuse(
            f"{store.location} is a PKCS#12 file.",
            "Reading it takes the package cryptography, which is not installed.",
            "Run: pip install 'barnabas[tls]', or convert it: "
            f"openssl pkcs12 -in {store.location} -out {store.location}.pem -nodes",
        )
    password = None if store.password is None else store.password.encode()
    try:
        found = pkcs12.load_pkcs12(data, password)
    except ValueError:
        said = "is not the one it was written with" if password else "is not set"
        _refuse(
            f"{store.location} cannot be opened.",
            f"{store.option}.password {said}, or the file is damaged.",
            f"Correct {store.option}.password.",
        )
    others = [each.certificate.public_bytes(serialization.Encoding.PEM).decode() for each in found.additional_certs]
    own = found.cert and found.cert.certificate.public_bytes(serialization.Encoding.PEM).decode()
    key = (
        found.key
        and found.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )
    return key or None, own or None, others


def _refuse(what: str, why: str, do_this: str) -> NoReturn:
    raise OperatorError(what, why, do_this)
