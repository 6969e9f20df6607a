"""TLS with Java's own tools and OpenSSL's: console clients with certificates, keystores of keytool, row 124."""

import subprocess
from pathlib import Path

import pytest

from compat_tests.broker_process import CHECKOUT, BrokerProcess, free_port
from compat_tests.command import barnabas
from compat_tests.jars import NEWEST, run_tool
from compat_tests.tls_broker import TlsBroker
from compat_tests.tools_at_hand import needs

PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
LINES = [f"line {number}" for number in range(1000)]
PASSWORD = "changeit"

pytestmark = pytest.mark.campaign


def client_options(broker: TlsBroker, *, certificate: bool = True) -> Path:
    """A properties file of Java's clients: PEM on both sides."""
    lines = [
        "security.protocol=SSL",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={broker.files.truststore}",
    ]
    if certificate:
        lines += ["ssl.keystore.type=PEM", f"ssl.keystore.location={broker.files.client}"]
    file = broker.folder / f"client-{certificate}.properties"
    file.write_text("\n".join(lines))
    return file


def produce_and_consume(broker: TlsBroker, topic: str) -> list[str]:
    options = ("--bootstrap-server", f"localhost:{broker.port}", "--topic", topic)
    file = ("--command-config", str(client_options(broker)))
    sent = run_tool(NEWEST, PRODUCER, *options, *file, stdin="\n".join(LINES) + "\n")
    assert sent.returncode == 0, sent.stderr
    limit = ("--from-beginning", "--max-messages", str(len(LINES)), "--timeout-ms", "20000")
    got = run_tool(NEWEST, CONSUMER, *options, *file, *limit)
    assert got.returncode == 0, got.stderr
    return got.stdout.splitlines()


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_the_console_clients_with_certificates_of_both_sides(tmp_path: Path, version: str) -> None:
    broker = TlsBroker(tmp_path, ssl_enabled_protocols=version)
    broker.start()
    try:
        assert produce_and_consume(broker, "t") == LINES
        nobody = ("--command-config", str(client_options(broker, certificate=False)))
        refused = run_tool(
            NEWEST, PRODUCER, "--bootstrap-server", broker.bootstrap, "--topic", "t", *nobody, stdin="x\n"
        )
        assert "SslAuthenticationException" in refused.stderr or "SSL handshake failed" in refused.stderr
    finally:
        assert broker.stop() == 0


def test_stores_of_keytool(tmp_path: Path) -> None:
    """JKS is refused with a line; that line, run as it stands, makes what the broker takes."""
    needs("keytool")
    jks = tmp_path / "broker.jks"
    keytool(
        *("-genkeypair", "-alias", "b", "-dname", "CN=broker,O=Test", "-ext", "san=dns:localhost,ip:127.0.0.1"),
        *("-keyalg", "EC", "-keystore", str(jks), "-storetype", "JKS", "-storepass", PASSWORD, "-keypass", PASSWORD),
    )
    options = {
        "ssl_keystore_type": "JKS",
        "ssl_keystore_location": str(jks),
        "ssl_keystore_password": PASSWORD,
        "ssl_key_password": PASSWORD,
        "ssl_client_auth": "none",
    }
    code, said = TlsBroker(tmp_path, **options).fails_to_start()
    assert code == 1
    command = said[said.index("`keytool ") + 1 :].partition("`")[0].split()
    keytool(*command[1:], "-srcstorepass", PASSWORD, "-deststorepass", PASSWORD)
    options |= {"ssl_keystore_type": "PKCS12", "ssl_keystore_location": str(tmp_path / "broker.p12")}
    broker = TlsBroker(tmp_path, **options)
    keytool(
        *("-exportcert", "-rfc", "-alias", "b", "-keystore", str(tmp_path / "broker.p12"), "-storepass", PASSWORD),
        *("-file", str(broker.files.truststore)),
    )
    broker.start()
    try:
        assert produce_and_consume(broker, "t") == LINES
    finally:
        broker.stop()


def keytool(*arguments: str) -> None:
    ended = subprocess.run(
        [needs("keytool"), "-noprompt", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


OPENSSL = {
    "TLS 1.0": (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], "", "alert protocol version"),
    "TLS 1.1": (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "", "alert protocol version"),
    "renegotiation": (["-tls1_2"], "R\n", "no renegotiation"),
    "wrong name": (["-verify_hostname", "elsewhere.test", "-verify_return_error"], "", "hostname mismatch"),
    "unknown authority": (["-no-CAfile", "-no-CApath", "-no-CAstore", "-verify_return_error"], "", "verify error"),
}


def test_what_openssl_is_refused_or_refuses(tmp_path: Path) -> None:
    broker = TlsBroker(tmp_path, ssl_client_auth="none")
    broker.start()
    try:
        for case, (options, typed, words) in OPENSSL.items():
            said = s_client(broker, *options, typed=typed)
            assert words in said.lower(), f"{case}: {said}"
        assert produce_and_consume(broker, "after-all-that") == LINES
    finally:
        broker.stop()


def test_the_page_on_security_says_what_works(tmp_path: Path) -> None:
    """Its certificates, made by its commands, under its options; the client is one of its own."""
    from kafka import KafkaConsumer, KafkaProducer

    subprocess.run(["bash", "-ec", block("sh", 0)], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    tls, plain = free_port(), free_port()
    lines = f"{block('properties', 0)}\n{block('properties', 1)}".replace("/etc/barnabas", str(tmp_path))
    lines = lines.replace(":9092", f":{plain}").replace(":9093", f":{tls}").replace("SSL://broker:", "SSL://localhost:")
    broker = BrokerProcess(tmp_path, properties=dict(line.split("=", 1) for line in lines.splitlines() if line))
    broker.start()
    client = {
        "bootstrap_servers": f"localhost:{tls}",
        "security_protocol": "SSL",
        "ssl_cafile": str(tmp_path / "ca.pem"),
        "ssl_certfile": str(tmp_path / "alice.pem"),
    }
    try:
        producer = KafkaProducer(**client)
        producer.send("t", b"x").get(10)
        producer.close()
        consumer = KafkaConsumer("t", auto_offset_reset="earliest", **client)
        assert next(consumer).value == b"x"
        consumer.close()
        file = tmp_path / "alice.properties"
        file.write_text(block("properties", 2).replace("/etc/barnabas", str(tmp_path)))
        _, *command = block("sh", 2).replace("broker:9093", f"localhost:{tls}").split()
        assert barnabas(*command, folder=tmp_path).stdout.split()[-3:] == ["t", "1", "1"]
    finally:
        broker.stop()


def block(language: str, number: int) -> str:
    """The code block of docs/security.md, without its fences."""
    page = (CHECKOUT / "docs" / "security.md").read_text()
    return page.split(f"```{language}\n")[number + 1].partition("\n```")[0]


def s_client(broker: TlsBroker, *options: str, typed: str) -> str:
    trust = [] if "-no-CAfile" in options else ["-CAfile", str(broker.files.truststore)]
    command = [needs("openssl"), "s_client", "-connect", broker.bootstrap, "-servername", "localhost", *trust, *options]
    ended = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=20, check=False)
    return ended.stdout + ended.stderr
