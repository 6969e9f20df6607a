"""The file behind `--command-config`: how a command reaches brokers that want TLS, in the words of Kafka's clients."""

import ssl
from pathlib import Path

from broker.config.problems import OperatorError
from kproto.values import frozen

CLIENT_ID = "barnabas"
PLAINTEXT, SSL = "PLAINTEXT", "SSL"
NAME_CHECK = "ssl.endpoint.identification.algorithm"
_OURS = ("security.protocol", "client.id", "bootstrap.servers")


@frozen
class CommandConfig:
    """What counts of such a file.

    Args:
        tls: what connections are made with; None where they are plain.
        unused: names in the file that no command of ours heeds.
    """

    tls: ssl.SSLContext | None = None
    client_id: str = CLIENT_ID
    unused: tuple[str, ...] = ()


def read_config(path: Path) -> CommandConfig:
    """Raises: OperatorError: a value that cannot be, keys or certificates that cannot be used."""
    from broker.config.load import settings_of
    from broker.config.server_properties import read_properties
    from broker.config.tls_options import TlsOptions
    from broker.transport.tls_setup import client_context

    written = read_properties(path)
    texts = {each.name: each.text.strip() for each in written}
    about_tls = [each for each in written if each.name.startswith("ssl.")]
    tls = None
    if _protocol(texts, path) == SSL:
        options = TlsOptions.of(settings_of(about_tls).settings, listener="")
        tls = client_context(options, check_names=texts.get(NAME_CHECK, "https") != "")
    unused = sorted(name for name in texts if not name.startswith("ssl.") and name not in _OURS)
    return CommandConfig(tls, texts.get("client.id", CLIENT_ID), tuple(unused))


def _protocol(texts: dict[str, str], path: Path) -> str:
    protocol = texts.get("security.protocol", PLAINTEXT).upper()
    if protocol not in (PLAINTEXT, SSL):
        raise OperatorError(
            f"security.protocol of {path} is {protocol}.",
            f"Commands speak {PLAINTEXT} and {SSL}.",
            "Set it to one of them, and name such a listener with --bootstrap-server.",
        )
    return protocol
