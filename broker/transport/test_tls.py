"""Handshakes and what follows, judged by OpenSSL at the other end (row 124 of the catalogue of bad input)."""

import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.config.settings import BrokerSettings
from broker.transport.contract import ANONYMOUS, Address, ConnectionLost, HandshakeFailed, Piece
from broker.transport.memory import MemoryListener, MemoryStream, memory_pair
from broker.transport.principals import PrincipalRules
from broker.transport.test_streams import AsClient, Range, read_exactly
from broker.transport.tls import BARREN_MAX_BYTES, CHUNK_BYTES, FIRST_BYTES, TURN_BYTES, TlsStream
from broker.transport.tls_contexts import End, Identity, TlsIdentities
from broker.transport.tls_listener import TlsListener

EC = trustme.KeyType.ECDSA
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


class House:
    """A broker's certificate, an authority for clients, and the options that name both."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.authority, self.of_clients = trustme.CA(key_type=EC), trustme.CA(key_type=EC)
        certificate = self.authority.issue_cert("broker.test", key_type=EC)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "keystore.pem")
        self.truststore = folder / "truststore.pem"
        self.of_clients.cert_pem.write_to_path(self.truststore)
        texts = {
            "listeners": "SSL://:9093",
            "security.inter.broker.protocol": "SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(folder / "keystore.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.truststore),
            **{name.replace("_", "."): text for name, text in options.items()},
        }
        self.settings = BrokerSettings(texts)
        self.identities = TlsIdentities(self.settings)
        self.wire = MemoryListener()
        self.listener = TlsListener(self.wire, self.identities.of("SSL"))

    def context(self, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
        """A client's, which trusts this broker."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        if certificate is not None:
            certificate.configure_cert(context)
        return context

    def certificate(self, *, not_before: datetime | None = None, not_after: datetime | None = None) -> trustme.LeafCert:
        """Of the client alice."""
        return self.of_clients.issue_cert(
            common_name="alice", organization_name="Ünit, Inc.", key_type=EC, not_before=not_before, not_after=not_after
        )

    def revoked(self) -> trustme.LeafCert:
        """Alice's, on the list that stands in the truststore from now on."""
        alice = self.certificate()
        lists = revocation_list(self.of_clients, alice)
        with self.truststore.open("a") as file:
            file.write(lists)
        self.identities.renew(self.settings)
        return alice

    def put_truststore_into_options(self) -> None:
        """In one line."""
        texts = dict(self.settings.texts) | {
            "ssl.truststore.certificates": self.truststore.read_text().replace("\n", "")
        }
        del texts["ssl.truststore.location"]
        self.identities.renew(BrokerSettings(texts))


def revocation_list(authority: trustme.CA, *revoked: trustme.LeafCert) -> str:
    """As an authority publishes it."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    made = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    made = made.last_update(YESTERDAY).next_update(YESTERDAY + timedelta(days=30))
    for each in revoked:
        number = x509.load_pem_x509_certificate(each.cert_chain_pems[0].bytes()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(YESTERDAY)
        made = made.add_revoked_certificate(entry.build())
    key: Any = load_pem_private_key(authority.private_key_pem.bytes(), None)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@dataclass
class Met:
    """How a handshake ended: the client's end and ours, or what was said instead."""

    client: TlsStream
    server: TlsStream
    refusal: str = ""
    """What the broker would log; empty if it went well."""
    told: str = ""
    """What the client was told."""


async def meet(house: House, context: ssl.SSLContext, asks_for: str = "broker.test") -> Met:
    """A handshake, and one byte from the broker: a client of TLS 1.3 hears only then that it was refused."""
    wire = house.wire.connect()
    server = await house.listener.accept()
    met = Met(TlsStream(wire, AsClient(context, asks_for), memoryview(bytearray(CHUNK_BYTES))), server)
    with trio.fail_after(5):
        async with trio.open_nursery() as both:
            both.start_soon(open_client, met)
            try:
                await server.open()
                await server.send([b"!"])
            except ConnectionLost as lost:
                met.refusal = str(lost)
                server.close()
    return met


async def open_client(met: Met) -> None:
    try:
        await met.client.open()
        assert await read_exactly(met.client, 1) == b"!"
    except (ConnectionLost, AssertionError) as lost:
        met.told = str(lost)
        met.client.close()


async def test_without_a_certificate_a_client_is_anonymous_and_known_by_the_name_it_asked_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    met = await meet(house, house.context())
    assert not met.refusal
    assert met.server.principal == ANONYMOUS
    assert met.server.local == Address("broker.test", 9092)


async def test_the_owner_of_a_certificate_is_the_principal(tmp_path: Path) -> None:
    house = House(tmp_path, ssl_client_auth="required")
    met = await meet(house, house.context(house.certificate()))
    assert met.server.principal.startswith(r"User:CN=alice,OU=Testing cert \#")
    assert met.server.principal.endswith(r",O=Ünit\, Inc.")


async def test_rules_make_a_user_of_it(tmp_path: Path) -> None:
    house = House(tmp_path, ssl_client_auth="required", ssl_principal_mapping_rules=r"RULE:^CN=(.*?),.*$/$1/U")
    assert (await meet(house, house.context(house.certificate()))).server.principal == "User:ALICE"


async def test_who_has_no_rule_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path, ssl_client_auth="required", ssl_principal_mapping_rules="RULE:^CN=bob,.*$/bob/")
    assert "no rule of ssl.principal.mapping.rules" in (await meet(house, house.context(house.certificate()))).refusal


async def test_a_certificate_that_is_only_requested_may_be_missing_but_not_be_foreign(tmp_path: Path) -> None:
    house = House(tmp_path, ssl_client_auth="requested")
    assert (await meet(house, house.context())).server.principal == ANONYMOUS
    assert (await meet(house, house.context(house.certificate()))).server.principal != ANONYMOUS
    foreign = trustme.CA(key_type=EC).issue_cert(common_name="alice", key_type=EC)
    assert "its certificate is refused" in (await meet(house, house.context(foreign))).refusal


REFUSED: dict[str, tuple[Callable[[House], ssl.SSLContext], str, str]] = {
    "no certificate": (lambda house: house.context(), "peer did not return a certificate", "certificate required"),
    "expired": (
        lambda house: house.context(house.certificate(not_before=YESTERDAY, not_after=YESTERDAY)),
        "its certificate is refused: certificate has expired",
        "certificate expired",
    ),
    "not valid yet": (
        lambda house: house.context(house.certificate(not_before=datetime.now(UTC) + timedelta(days=1))),
        "its certificate is refused: certificate is not yet valid",
        "certificate",
    ),
    "unknown authority": (
        lambda house: house.context(trustme.CA(key_type=EC).issue_cert(common_name="alice", key_type=EC)),
        "its certificate is refused: unable to get local issuer certificate",
        "unknown ca",
    ),
    "revoked": (
        lambda house: house.context(house.revoked()),
        "its certificate is refused: certificate revoked",
        "certificate revoked",
    ),
}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("case", REFUSED)
async def test_certificates_that_do_not_count(tmp_path: Path, case: str, version: ssl.TLSVersion) -> None:
    """Both sides are told why; the client gets the alert although it had more to say."""
    make, logged, told = REFUSED[case]
    house = House(tmp_path, ssl_client_auth="required")
    context = make(house)
    context.minimum_version = context.maximum_version = version
    met = await meet(house, context)
    assert met.refusal == logged
    assert told in met.told or version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("in_options", [False, True])
async def test_a_revocation_list_counts_for_those_whom_it_names(tmp_path: Path, in_options: bool) -> None:
    house = House(tmp_path, ssl_client_auth="required")
    revoked = house.revoked()
    if in_options:
        house.put_truststore_into_options()
    assert "certificate revoked" in (await meet(house, house.context(revoked))).refusal
    assert (await meet(house, house.context(house.certificate()))).refusal == ""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_versions_that_can_be_broken_are_not_spoken(tmp_path: Path, version: ssl.TLSVersion) -> None:
    house = House(tmp_path)
    context = house.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    met = await meet(house, context)
    assert met.refusal in ("unsupported protocol", "no shared cipher")
    assert met.told


async def test_a_client_that_asks_for_another_name_refuses_our_certificate(tmp_path: Path) -> None:
    house = House(tmp_path, ssl_enabled_protocols="TLSv1.2")
    met = await meet(house, house.context(), asks_for="elsewhere.test")
    assert met.refusal == "it refuses: bad certificate"
    assert "Hostname mismatch" in met.told


async def test_the_suites_of_the_options_are_those_that_are_spoken(tmp_path: Path) -> None:
    house = House(tmp_path, ssl_cipher_suites="TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
    met = await meet(house, house.context())
    assert met.client._tls is not None
    assert met.client._tls.cipher()[:2] == ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2")  # type: ignore[index]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (bytes.fromhex("00000012001200040000000100036b6f6e00000000000000"), "it does not speak TLS"),
        (b"GET / HTTP/1.1\r\n\r\n", "it does not speak TLS"),
        (bytes.fromhex("160301ffff") + bytes(100), ""),
        (b"\x16\x03\x01\x00\x02\x01\x00", "it hung up amid the handshake"),
    ],
)
async def test_bytes_that_are_no_handshake_end_the_connection(tmp_path: Path, sent: bytes, why: str) -> None:
    house = House(tmp_path)
    wire = house.wire.connect()
    server = await house.listener.accept()
    await wire.send([sent])
    wire.end()
    with trio.fail_after(5), pytest.raises(HandshakeFailed) as refused:
        await server.open()
    assert why in str(refused.value)


async def test_a_client_that_sends_for_ever_after_its_refusal_is_not_listened_to(
    tmp_path: Path, autojump_clock: object
) -> None:
    house = House(tmp_path)
    wire = house.wire.connect()
    server = await house.listener.accept()
    await wire.send([b"no TLS at all, and much of it"])

    async def babble() -> None:
        with contextlib.suppress(ConnectionLost):
            while True:
                await wire.send([bytes(1000)])
                await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(babble)
        with pytest.raises(HandshakeFailed):
            await server.open()
        server.close()
        wire.close()


async def test_a_reset_amid_the_handshake_is_a_lost_connection(tmp_path: Path) -> None:
    house = House(tmp_path)
    wire = house.wire.connect()
    server = await house.listener.accept()
    await wire.send([b"\x16\x03\x01"])
    wire.reset()
    with pytest.raises(ConnectionLost):
        await server.open()


async def test_a_farewell_is_said_and_heard(tmp_path: Path) -> None:
    house = House(tmp_path)
    met = await meet(house, house.context())
    met.server.close()
    assert await read_exactly(met.client, 1) == b""
    assert met.client._tls is not None
    met.client.close()
    met.client._tls.unwrap()  # both have said it: nothing is wanted any more


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_who_takes_up_an_earlier_session_is_who_it_was(tmp_path: Path, version: str) -> None:
    """Java clients do so at each new connection; no certificate is sent then."""
    house = House(tmp_path, ssl_client_auth="required", ssl_enabled_protocols=version)
    alice = AsClient(house.context(house.certificate()))
    principals = []
    for _ in range(2):
        wire = house.wire.connect()
        server = await house.listener.accept()
        client = TlsStream(wire, alice, memoryview(bytearray(CHUNK_BYTES)))
        met = Met(client, server)
        with trio.fail_after(5):
            async with trio.open_nursery() as both:
                both.start_soon(open_client, met)
                await server.open()
                await server.send([b"!"])
        principals.append(server.principal)
        assert client._tls is not None
        assert server._tls is not None
        assert server._tls.session_reused is (alice.session is not None)
        alice.session = client._tls.session
    assert principals[0] == principals[1] != ANONYMOUS


async def test_bytes_that_were_changed_on_their_way_end_the_connection(tmp_path: Path) -> None:
    house = House(tmp_path)
    met = await meet(house, house.context())
    await met.client.send([b"a request"])
    under_way = inner(met.server)._in.bytes
    under_way[-1] ^= 1
    with pytest.raises(ConnectionLost, match=r"bad record mac|decryption failed"):
        await read_exactly(met.server, 9)


async def test_a_request_behind_the_handshake_is_not_overlooked(tmp_path: Path) -> None:
    """It was received together with the last of the handshake: the wire itself will never be readable again."""
    house = House(tmp_path)
    wire = house.wire.connect()
    server = await house.listener.accept()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = house.context().wrap_bio(incoming, outgoing, server_hostname="broker.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    await wire.send([outgoing.read()])
    async with trio.open_nursery() as both:
        both.start_soon(server.open)
        incoming.write(await wire.receive())
        client.do_handshake()
        client.write(b"early")
        await wire.send([outgoing.read()])
    with trio.fail_after(1):
        await server.wait_readable()
        assert await read_exactly(server, 5) == b"early"


async def test_a_long_answer_lets_others_run(tmp_path: Path) -> None:
    """The wire takes everything at once, so only the checkpoints let go of the loop."""
    house = House(tmp_path)
    met = await meet(house, house.context())
    inner(met.server)._out.window_bytes = 1 << 30
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await trio.lowlevel.checkpoint()
        before = turns
        await met.server.send([bytes(8 * TURN_BYTES)])
        nursery.cancel_scope.cancel()
    assert turns - before >= 7


async def test_a_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(8 << 20))
    house = House(tmp_path)
    met = await meet(house, house.context())
    inner(met.server)._out.window_bytes = 1 << 30
    longest = 0

    class Wire(MemoryStream):
        async def send(self, pieces: Sequence[Piece]) -> None:
            nonlocal longest
            longest = max(longest, sum(map(len, pieces)))

    met.server._inner = Wire(met.server.local, met.server.peer, inner(met.server)._in, inner(met.server)._out)
    with (tmp_path / "log").open("rb") as file:
        whole = Range(file.fileno(), 0, 8 << 20)
        await met.server.send([b"head", whole])
    assert CHUNK_BYTES < longest < 2 * CHUNK_BYTES
    assert whole.released == 1


async def test_who_sends_only_what_is_no_plaintext_is_read_in_turns_and_then_not_at_all(tmp_path: Path) -> None:
    """As KeyUpdate messages without end would be: each costs us a new key and gives us nothing to answer."""
    house = House(tmp_path)
    met = await meet(house, house.context())

    class OnlyKeys(End):
        def read(self, len: int = 1024, buffer: object = None) -> NoReturn:
            raise ssl.SSLWantReadError

    met.server._tls = OnlyKeys.__new__(OnlyKeys)
    await inner(met.client).send([bytes(3 * BARREN_MAX_BYTES)])
    buffer = memoryview(bytearray(100))
    assert met.server.receive_into(buffer) is None
    assert len(inner(met.server)._in.bytes) == 3 * BARREN_MAX_BYTES - FIRST_BYTES
    with trio.fail_after(1):
        await met.server.wait_readable()
    with pytest.raises(ConnectionLost, match="nothing but changes of keys"):
        for _ in range(BARREN_MAX_BYTES // FIRST_BYTES):
            assert met.server.receive_into(buffer) is None
    met.server._tls = None


def inner(stream: TlsStream) -> MemoryStream:
    assert isinstance(stream._inner, MemoryStream)
    return stream._inner


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
    st.integers(0, 500),
    st.binary(max_size=40),
)
def test_whatever_comes_in_place_of_a_handshake_is_a_declared_error(
    changes: list[tuple[int, int]], length: int, more: bytes
) -> None:
    """A real first message with bytes changed, cut anywhere, nonsense behind it."""
    with pytest.raises(ConnectionLost):
        trio.run(meet_nonsense, changes, length, more)


async def meet_nonsense(changes: list[tuple[int, int]], length: int, more: bytes) -> None:
    hello = bytearray(HELLO)
    for at, byte in changes:
        hello[at % len(hello)] = byte
    wire, theirs = memory_pair()
    server = TlsStream(theirs, Identity(CONTEXT, PrincipalRules.parse("")), memoryview(bytearray(CHUNK_BYTES)))
    await wire.send([bytes(hello[:length]) + more])
    wire.end()
    with trio.fail_after(5):
        await server.open()


def hello_of_a_client() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, outgoing, server_hostname="broker.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def context_of_a_broker() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = End
    trustme.CA(key_type=EC).issue_cert("broker.test", key_type=EC).configure_cert(context)
    return context


HELLO, CONTEXT = hello_of_a_client(), context_of_a_broker()
