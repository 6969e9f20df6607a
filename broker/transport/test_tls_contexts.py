"""Keys and certificates in every form that options may name, and the words for those that cannot be used."""

import logging
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from broker.config.problems import OperatorError
from broker.config.settings import BrokerSettings
from broker.config.tls_options import StoreOptions
from broker.transport import tls_stores
from broker.transport.tls_ciphers import IGNORED, TLS_1_3, openssl_names
from broker.transport.tls_contexts import TlsIdentities

EC = trustme.KeyType.ECDSA
PASSWORD = "secret word"


class Files:
    """One authority and one certificate in all formats."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA(key_type=EC)
        leaf = self.authority.issue_cert("broker.test", key_type=EC)
        self.chain = b"".join(each.bytes() for each in leaf.cert_chain_pems).decode()
        self.key = leaf.private_key_pem.bytes().decode()
        self.ca = self.authority.cert_pem.bytes().decode()
        private: Any = serialization.load_pem_private_key(self.key.encode(), None)
        own, ca = (x509.load_pem_x509_certificate(each.encode()) for each in (self.chain, self.ca))
        encryption = serialization.BestAvailableEncryption(PASSWORD.encode())
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        self.locked_key = private.private_bytes(*pem, encryption).decode()
        self.write("keystore.pem", self.key + self.chain)
        self.write("locked.pem", self.chain + self.locked_key)
        self.write("ca.pem", self.ca)
        self.write("keystore.p12", pkcs12.serialize_key_and_certificates(b"b", private, own, [ca], encryption))
        self.write("truststore.p12", pkcs12.serialize_key_and_certificates(b"b", None, None, [ca], encryption))
        self.write("keystore.jks", b"\xfe\xed\xfe\xed\0\0\0\2" + bytes(60))
        self.write("nonsense", "nothing of use")

    def write(self, name: str, content: str | bytes) -> None:
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def settings(self, options: dict[str, str]) -> BrokerSettings:
        """Values that begin with @ are names of files here; in others LINES stands for line ends."""
        texts = {name: str(self.folder / text[1:]) if text[:1] == "@" else text for name, text in options.items()}
        return BrokerSettings({"listeners": "SSL://:9093", "security.inter.broker.protocol": "SSL", **texts})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


PEM = {"ssl.keystore.type": "PEM", "ssl.keystore.location": "@keystore.pem"}
P12 = {"ssl.keystore.type": "PKCS12", "ssl.keystore.location": "@keystore.p12", "ssl.keystore.password": PASSWORD}


def works(settings: BrokerSettings, files: Files) -> bool:
    """Whether a client that trusts the authority accepts what the broker shows."""
    identity = TlsIdentities(settings).of("SSL").now
    to_client, to_broker = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cadata=files.ca)
    client = context.wrap_bio(to_client, to_broker, server_hostname="broker.test")
    broker = identity.end(to_broker, to_client)
    for end in (client, broker, client):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.cipher() is not None


@pytest.mark.parametrize(
    "options",
    [
        PEM,
        {**PEM, "ssl.keystore.type": "pem"},
        {**PEM, "ssl.keystore.location": "@locked.pem", "ssl.key.password": PASSWORD},
        P12,
        {**P12, "ssl.keystore.type": "JKS"},
        {**P12, "ssl.key.password": PASSWORD},
        {"listener.name.ssl.ssl.keystore.type": "PEM", "listener.name.SSL.ssl.keystore.location": "@keystore.pem"},
        {**PEM, "ssl.keystore.location": "/nowhere", "listener.name.ssl.ssl.keystore.location": "@keystore.pem"},
        {**PEM, "ssl.client.auth": "requested", "ssl.truststore.type": "PEM", "ssl.truststore.location": "@ca.pem"},
        {
            **PEM,
            "ssl.client.auth": "requested",
            "ssl.truststore.type": "PKCS12",
            "ssl.truststore.location": "@truststore.p12",
            "ssl.truststore.password": PASSWORD,
        },
    ],
)
def test_keys_and_certificates_in_files(files: Files, options: dict[str, str]) -> None:
    assert works(files.settings(options), files)


@pytest.mark.parametrize("one_line", [False, True])
def test_keys_and_certificates_in_the_options_themselves(files: Files, one_line: bool) -> None:
    """Over several lines of a properties file the text loses its line ends."""
    texts = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": files.locked_key,
        "ssl.key.password": PASSWORD,
        "ssl.keystore.certificate.chain": files.chain,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": files.ca,
        "ssl.client.auth": "requested",
    }
    if one_line:
        texts = {name: text.replace("\n", "") for name, text in texts.items()}
    assert works(files.settings(texts), files)


def test_certificates_that_stand_in_one_line_are_all_found(files: Files) -> None:
    line = (files.ca + files.chain).replace("\n", "")
    found = tls_stores.trusted(StoreOptions("ssl.truststore", "PEM", None, None, certificates=line))
    assert found == files.ca + files.chain


REFUSED = [
    ({}, "ssl.keystore.location is not set"),
    ({**PEM, "ssl.keystore.location": "@nowhere"}, "No such file"),
    ({**PEM, "ssl.keystore.location": "@nonsense"}, "has no certificate"),
    ({**PEM, "ssl.keystore.location": "@ca.pem"}, "has no private key"),
    ({**PEM, "ssl.keystore.location": "@two.pem"}, "has 2 private keys"),
    ({**PEM, "ssl.keystore.location": "@foreign.pem"}, "not that of the first certificate"),
    ({**PEM, "ssl.keystore.location": "@locked.pem"}, "Set ssl.key.password"),
    ({**PEM, "ssl.keystore.location": "@locked.pem", "ssl.key.password": "wrong"}, "Correct ssl.key.password"),
    ({**PEM, "ssl.keystore.password": "x"}, "the key's own password is ssl.key.password"),
    ({**PEM, "ssl.keystore.type": "BKS"}, "Types are JKS, PKCS12, PEM"),
    ({"ssl.keystore.location": "@keystore.pem"}, "JKS, which is the default.\nSet ssl.keystore.type=PEM"),
    ({**PEM, "ssl.keystore.type": "PKCS12"}, "Set ssl.keystore.type=PEM"),
    ({**PEM, "ssl.keystore.location": "@keystore.p12"}, "Set ssl.keystore.type=PKCS12"),
    ({"ssl.keystore.location": "@keystore.jks"}, "keytool -importkeystore -srckeystore {0}/keystore.jks "
     "-destkeystore {0}/keystore.p12 -deststoretype PKCS12`, then set ssl.keystore.type=PKCS12"),
    ({"ssl.keystore.location": "@nonsense"}, "cannot be read as JKS"),
    ({**P12, "ssl.keystore.password": "wrong"}, "ssl.keystore.password is not the one"),
    ({**P12, "ssl.key.password": "another"}, "Remove ssl.key.password"),
    ({"ssl.keystore.location": "@keystore.p12", "ssl.keystore.type": "PKCS12"}, "ssl.keystore.password is not set"),
    ({"ssl.keystore.type": "PKCS12", "ssl.keystore.location": "@truststore.p12", "ssl.keystore.password": PASSWORD},
     "no private key with its certificate"),
    ({"ssl.keystore.key": "x"}, "Set ssl.keystore.type=PEM"),
    ({**PEM, "ssl.keystore.key": "x"}, "Only one of them can hold"),
    ({"ssl.keystore.type": "PEM", "ssl.keystore.key": "x"}, "Set certificate.chain"),
    ({"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": "x"}, "Set key"),
    ({**PEM, "ssl.client.auth": "required"}, "No truststore says whose certificates count"),
    ({**PEM, "listener.name.ssl.ssl.client.auth": "maybe"}, "must be one of required, requested, none"),
    ({**PEM, "ssl.truststore.location": "@keystore.jks"}, "set ssl.truststore.type=PKCS12"),
    ({**PEM, "ssl.truststore.location": "@ca.pem", "ssl.truststore.type": "PEM", "ssl.truststore.password": "x"},
     "Remove ssl.truststore.password"),
    ({**PEM, "ssl.truststore.location": "@broken.pem", "ssl.truststore.type": "PEM"}, "cannot be used"),
    ({**PEM, "ssl.enabled.protocols": "TLSv1.2,TLSv1.1"}, "Only TLSv1.2 and TLSv1.3 are spoken"),
    ({**PEM, "ssl.enabled.protocols": ""}, "Only TLSv1.2 and TLSv1.3 are spoken"),
    ({**PEM, "ssl.cipher.suites": "TLS_RSA_WITH_RC4_128_MD5"}, "TLS_RSA_WITH_RC4_128_MD5"),
    ({**PEM, "ssl.cipher.suites": "TLS_AES_256_GCM_SHA384"}, "on or off together"),
    ({**PEM, "ssl.cipher.suites": IGNORED[0]}, "names no suite"),
    ({**PEM, "ssl.cipher.suites": ",".join(TLS_1_3), "ssl.enabled.protocols": "TLSv1.2"}, "no suite of TLSv1.2"),
    ({**PEM, "ssl.principal.mapping.rules": "RULE:(/x/"}, "ssl.principal.mapping.rules of listener SSL"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_cannot_be_used_is_told_with_the_way_out(files: Files, options: dict[str, str], words: str) -> None:
    files.write("two.pem", files.key + files.key + files.chain)
    files.write("foreign.pem", files.key + trustme.CA().issue_cert("x").cert_chain_pems[0].bytes().decode())
    files.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(OperatorError) as told:
        TlsIdentities(files.settings(options))
    assert words.replace("{0}", str(files.folder)) in str(told.value)
    assert all((told.value.what, told.value.why, told.value.do_this))
    assert PASSWORD not in str(told.value)


def test_without_cryptography_a_pkcs12_file_is_refused_with_the_command_that_installs_it(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(OperatorError, match=r"pip install 'barnabas\[tls\]'"):
        TlsIdentities(files.settings(P12))


def test_every_suite_is_the_one_that_its_name_stands_for() -> None:
    """What OpenSSL says of it is what its name in Java says."""
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for java, ours in openssl_names():
        known.set_ciphers(ours)
        described = next(each for each in known.get_ciphers() if each["name"] == ours)
        assert described["protocol"] in ("TLSv1.2", "TLSv1.0", "SSLv3"), java
        exchange, _, cipher = java.removeprefix("TLS_").partition("_WITH_")
        assert ("ECDHE" in exchange) is ("ecdhe" in str(described["kea"])), java
        assert ("GCM" in cipher or "POLY" in cipher) is bool(described["aead"]), java
        bits = described["strength_bits"]
        assert ("256" in cipher.partition("_SHA")[0] or "CHACHA" in cipher) is (bits == 256), java


@pytest.mark.parametrize(
    ("suites", "lowest", "highest"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLSv1_2", "TLSv1_2"),
        (",".join(TLS_1_3), "TLSv1_3", "TLSv1_3"),
        (",".join([*TLS_1_3, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", *IGNORED]), "TLSv1_2", "TLSv1_3"),
    ],
)
def test_versions_follow_from_the_suites(files: Files, suites: str, lowest: str, highest: str) -> None:
    context = TlsIdentities(files.settings({**PEM, "ssl.cipher.suites": suites})).of("SSL").now.context
    assert (context.minimum_version.name, context.maximum_version.name) == (lowest, highest)


def test_a_file_written_anew_is_for_those_who_come_from_now_on(files: Files, tmp_path: Path) -> None:
    keystore = tmp_path / "keystore.pem"
    keystore.write_text(files.key + files.chain)
    settings = files.settings({**PEM, "ssl.keystore.location": str(keystore)})
    identities = TlsIdentities(settings)
    before = identities.of("SSL").now
    identities.renew(settings)
    assert identities.of("SSL").now is before, "nothing was written"
    other = files.authority.issue_cert("broker.test", key_type=EC)
    keystore.write_bytes(other.private_key_and_cert_chain_pem.bytes())
    identities.renew(settings)
    assert identities.of("SSL").now is not before


def test_what_cannot_be_used_leaves_the_old_and_is_told(
    files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keystore = tmp_path / "keystore.pem"
    keystore.write_text(files.key + files.chain)
    settings = files.settings({**PEM, "ssl.keystore.location": str(keystore)})
    identities = TlsIdentities(settings)
    before = identities.of("SSL").now
    for damage in (lambda: keystore.write_text("half a fi"), keystore.unlink):
        damage()
        with caplog.at_level(logging.ERROR, "barnabas.tls"):
            identities.renew(settings)
        assert "stay as they were" in caplog.messages[-1]
        assert identities.of("SSL").now is before
    keystore.write_text(files.key + files.chain)
    identities.renew(settings)
    assert identities.of("SSL").now is not before


def test_only_options_of_tls_are_checked_against_the_files(files: Files, tmp_path: Path) -> None:
    """Somebody who sets another option amid a change of files is not stopped by it."""
    keystore = tmp_path / "keystore.pem"
    keystore.write_text(files.key + files.chain)
    settings = files.settings({**PEM, "ssl.keystore.location": str(keystore)})
    identities = TlsIdentities(settings)
    keystore.unlink()
    identities.check(settings, ["log.retention.ms"])
    with pytest.raises(OperatorError):
        identities.check(settings, ["listener.name.ssl.ssl.keystore.location"])


def test_a_key_and_its_password_are_never_shown() -> None:
    assert "k" not in repr(tls_stores.KeyPair("c", "k", "p")).rpartition(".")[2]


def test_other_options_hold_for_those_who_come_from_now_on(files: Files) -> None:
    """As clients set them while the broker runs; here whether they must show a certificate."""
    trust = {"ssl.truststore.type": "PEM", "ssl.truststore.location": "@ca.pem"}
    identities = TlsIdentities(files.settings({**PEM, **trust}))
    assert identities.of("SSL").now.context.verify_mode is ssl.CERT_NONE
    identities.renew(files.settings({**PEM, **trust, "listener.name.ssl.ssl.client.auth": "required"}))
    assert identities.of("SSL").now.context.verify_mode is ssl.CERT_REQUIRED


def test_each_listener_has_keys_of_its_own(files: Files) -> None:
    options = {
        "listeners": "INSIDE://:1,OUTSIDE://:2",
        "listener.security.protocol.map": "INSIDE:SSL,OUTSIDE:SSL",
        "inter.broker.listener.name": "INSIDE",
        **PEM,
        "listener.name.outside.ssl.enabled.protocols": "TLSv1.3",
    }
    texts = {name: str(files.folder / text[1:]) if text[:1] == "@" else text for name, text in options.items()}
    identities = TlsIdentities(BrokerSettings(texts))
    lowest = [identities.of(name).now.context.minimum_version.name for name in ("INSIDE", "OUTSIDE")]
    assert lowest == ["TLSv1_2", "TLSv1_3"]
