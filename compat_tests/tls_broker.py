"""A broker whose only listener speaks TLS and asks for certificates, with the files that its clients need."""

import socket
import ssl
from pathlib import Path

from compat_tests.broker_process import BrokerProcess
from compat_tests.certificates import Certificates


class TlsBroker(BrokerProcess):
    """A broker with one TLS listener, and the files that its clients need."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.files = Certificates.made_in(folder)
        super().__init__(folder, properties={})
        properties = {
            "listeners": f"SSL://127.0.0.1:{self.port}",
            "security.inter.broker.protocol": "SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.files.keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.files.truststore),
            "ssl.client.auth": "required",
            "barnabas.advertise.local.address": "true",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "broker.id": "0",
            "log.dirs": str(self.data),
            **{name.replace("_", "."): text for name, text in options.items()},
        }
        (folder / "server.properties").write_text("".join(f"{name}={text}\n" for name, text in properties.items()))

    def context(self) -> ssl.SSLContext:
        """Of the client alice."""
        context = ssl.create_default_context(cafile=str(self.files.truststore))
        context.load_cert_chain(self.files.client)
        return context

    def connect(self, context: ssl.SSLContext | None = None, name: str = "localhost") -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        return (context or self.context()).wrap_socket(sock, server_hostname=name)
