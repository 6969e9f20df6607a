"""Our commands at a broker that wants TLS and a certificate, with the properties files of Kafka's own tools."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from broker.config.problems import OperatorError
from compat_tests.command import barnabas
from compat_tests.tls_broker import TlsBroker
from tools.client import Cluster, must_be_reachable
from tools.command_config import CommandConfig, read_config

PASSWORD = "secret word"


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBroker]:
    process = TlsBroker(tmp_path_factory.mktemp("tls"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
def alice(tls_broker: TlsBroker) -> dict[str, str]:
    """Her properties."""
    return {
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(tls_broker.files.truststore),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(tls_broker.files.client),
    }


class Asking:
    """A broker, asked with these properties of a client, or with none."""

    def __init__(self, broker: TlsBroker, folder: Path, properties: dict[str, str] | None) -> None:
        self._address = f"localhost:{broker.port}"
        self.file = None if properties is None else folder / "client.properties"
        if self.file is not None:
            self.file.write_text("".join(f"{name}={text}\n" for name, text in (properties or {}).items()))

    def __call__(self, *arguments: str, option: str = "--command-config", stdin: str = "") -> str:
        """What a command printed."""
        ended = barnabas(*arguments, "--bootstrap-server", self._address, option, str(self.file), stdin=stdin)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def get_in(self) -> None:
        """What every command does before all else. Raises: OperatorError."""
        must_be_reachable(Cluster(self._address, CommandConfig() if self.file is None else read_config(self.file)))


def test_every_command_gets_in_with_its_certificate(
    tls_broker: TlsBroker, tmp_path: Path, alice: dict[str, str], topic: str
) -> None:
    run = Asking(tls_broker, tmp_path, alice)
    assert run("topics", "create", topic, "--partitions", "1") == f"Created topic {topic}.\n"
    assert topic in run("topics", "list")
    assert run("produce", topic, option="--producer.config", stdin="one\ntwo\n") == ""
    read = ("consume", topic, "--group", topic, "--count", "2")
    assert run(*read, option="--consumer.config") == "one\ntwo\n"
    [group] = map(json.loads, run("groups", "describe", topic, "--output", "json").splitlines())
    assert [each["current_offset"] for each in group["partitions"]] == [2]
    assert run("topics", "delete", topic) == f"Deleted topic {topic}.\n"


def test_stores_of_pkcs12(tls_broker: TlsBroker, tmp_path: Path) -> None:
    text, lock = tls_broker.files.client.read_bytes(), BestAvailableEncryption(PASSWORD.encode())
    own, trusted = (x509.load_pem_x509_certificate(each) for each in (text, tls_broker.files.truststore.read_bytes()))
    key: Any = load_pem_private_key(text, None)
    (tmp_path / "alice.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"a", key, own, None, lock))
    (tmp_path / "trusted.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"t", None, None, [trusted], lock))
    properties = {
        "security.protocol": "SSL",
        "ssl.truststore.location": str(tmp_path / "trusted.p12"),
        "ssl.truststore.password": PASSWORD,
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(tmp_path / "alice.p12"),
        "ssl.keystore.password": PASSWORD,
    }
    Asking(tls_broker, tmp_path, properties).get_in()


def without(properties: dict[str, str], store: str) -> dict[str, str]:
    return {name: text for name, text in properties.items() if not name.startswith(store)}


def test_who_does_not_get_in_is_told_why_at_once(tls_broker: TlsBroker, tmp_path: Path, alice: dict[str, str]) -> None:
    foreign = tmp_path / "foreign.pem"
    trustme.CA().cert_pem.write_to_path(str(foreign))
    cases: dict[str, dict[str, str] | None] = {
        "it refuses: certificate required": without(alice, "ssl.keystore"),
        "its certificate is refused: self-signed": {**alice, "ssl.truststore.location": str(foreign)},
        f"localhost:{tls_broker.port} speaks TLS": None,
    }
    for words, properties in cases.items():
        with pytest.raises(OperatorError, match=words) as refused:
            Asking(tls_broker, tmp_path, properties).get_in()
        assert "--command-config: security.protocol=SSL" in refused.value.do_this


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_broker_by_another_name_is_refused_unless_names_do_not_count(
    tmp_path: Path, alice: dict[str, str], version: str
) -> None:
    broker = TlsBroker(tmp_path, ssl_enabled_protocols=version)
    elsewhere = broker.files.authority.issue_cert("elsewhere.test")
    elsewhere.private_key_and_cert_chain_pem.write_to_path(str(broker.files.keystore))
    ours = {
        "ssl.truststore.location": str(broker.files.truststore),
        "ssl.keystore.location": str(broker.files.client),
    }
    broker.start()
    try:
        with pytest.raises(OperatorError, match="its certificate is refused: Hostname mismatch"):
            Asking(broker, tmp_path, alice | ours).get_in()
        Asking(broker, tmp_path, alice | ours | {"ssl.endpoint.identification.algorithm": ""}).get_in()
        with pytest.raises(OperatorError, match="speaks TLS"):
            Asking(broker, tmp_path, None).get_in()
    finally:
        broker.stop()
