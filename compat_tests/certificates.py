"""Certificates for tests of TLS: an authority, a broker of this machine, clients; as PEM files."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


@dataclass(slots=True)
class Certificates:
    """Files in one folder.

    Args: keystore: the broker's key and certificate. client: alice's. truststore: the authority of all.
    """

    folder: Path
    authority: trustme.CA
    keystore: Path
    client: Path
    truststore: Path

    @classmethod
    def made_in(cls, folder: Path) -> "Certificates":
        made = cls(folder, trustme.CA(), folder / "broker.pem", folder / "alice.pem", folder / "trusted.pem")
        made.authority.cert_pem.write_to_path(str(made.truststore))
        made.renew_broker()
        alice = made.authority.issue_cert("alice@client.test", common_name="alice", organization_name="Test, Inc.")
        made.client.write_bytes(in_pkcs8(alice) + alice.cert_chain_pems[0].bytes())
        return made

    def renew_broker(self) -> None:
        """Another key and certificate in the same file."""
        broker = self.authority.issue_cert("127.0.0.1", "localhost", "broker.test", common_name="broker")
        broker.private_key_and_cert_chain_pem.write_to_path(str(self.keystore))


def in_pkcs8(certificate: trustme.LeafCert) -> bytes:
    """Its private key in the one form of PEM that Java reads."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
