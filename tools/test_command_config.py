"""Files behind `--command-config`: what counts of them, and what is refused; brokers are in compat_tests."""

import ssl
from pathlib import Path

import pytest
import trustme

from broker.config.problems import OperatorError
from tools.command_config import CLIENT_ID, read_config


def config(folder: Path, *lines: str) -> Path:
    file = folder / "client.properties"
    file.write_text("\n".join(lines))
    return file


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """Lines that name one authority and speak TLS."""
    file = tmp_path_factory.mktemp("trust") / "ca.pem"
    trustme.CA(key_type=trustme.KeyType.ECDSA).cert_pem.write_to_path(str(file))
    return "security.protocol=SSL", "ssl.truststore.type=PEM", f"ssl.truststore.location={file}"


def test_an_empty_file_is_plain(tmp_path: Path) -> None:
    found = read_config(config(tmp_path))
    assert (found.tls, found.client_id, found.unused) == (None, CLIENT_ID, ())


def test_a_brokers_certificate_and_its_name_are_looked_at_unless_the_file_says_no(
    tmp_path: Path, trusted: tuple[str, str, str]
) -> None:
    tls = read_config(config(tmp_path, *trusted)).tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname, len(tls.get_ca_certs())) == (ssl.CERT_REQUIRED, True, 1)
    tls = read_config(config(tmp_path, *trusted, "ssl.endpoint.identification.algorithm=")).tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, False)


def test_versions_are_chosen_as_for_a_listener(tmp_path: Path, trusted: tuple[str, str, str]) -> None:
    tls = read_config(config(tmp_path, *trusted, "ssl.enabled.protocols=TLSv1.2")).tls
    assert tls is not None
    assert tls.minimum_version == tls.maximum_version == ssl.TLSVersion.TLSv1_2


def test_without_a_truststore_the_authorities_of_the_system_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: tuple[str, str, str]
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", trusted[2].partition("=")[2])
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    tls = read_config(config(tmp_path, "security.protocol=SSL")).tls
    assert tls is not None
    assert len(tls.get_ca_certs()) == 1


def test_names_that_nobody_heeds_are_told(tmp_path: Path) -> None:
    found = read_config(config(tmp_path, "client.id=me", "bootstrap.servers=x:1", "acks=all", "sasl.mechanism=PLAIN"))
    assert (found.client_id, found.unused) == ("me", ("acks", "sasl.mechanism"))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["security.protocol=SASL_SSL"], "is SASL_SSL.\nCommands speak PLAINTEXT and SSL."),
        (["ssl.keystore.location=@jks"], "Run `keytool -importkeystore -srckeystore @jks"),
        (["ssl.keystore.type=PEM", "ssl.keystore.location=@nowhere"], "ssl.keystore.location is @nowhere."),
        (["ssl.truststore.type=PEM", "ssl.truststore.location=@jks"], "set ssl.truststore.type=PKCS12"),
        (["ssl.enabled.protocols=TLSv1"], "ssl.enabled.protocols of the client has TLSv1."),
        (["ssl.cipher.suites=NONE_SUCH"], "ssl.cipher.suites of the client cannot be used."),
    ],
)
def test_what_cannot_be_used_is_told_with_the_way_out(tmp_path: Path, lines: list[str], words: str) -> None:
    (tmp_path / "jks").write_bytes(b"\xfe\xed\xfe\xed" + bytes(60))
    here = [line.replace("@", f"{tmp_path}/") for line in ("security.protocol=SSL", *lines)]
    with pytest.raises(OperatorError) as told:
        read_config(config(tmp_path, *here))
    assert words.replace("@", f"{tmp_path}/") in str(told.value)
