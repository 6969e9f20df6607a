"""A listener whose clients speak TLS."""

from broker.transport.contract import Address, Listener
from broker.transport.tls import CHUNK_BYTES, TlsStream
from broker.transport.tls_contexts import Renewable


class TlsListener:
    """Clients of `inner`. Each keeps the identity that held when it came."""

    def __init__(self, inner: Listener, identity: Renewable) -> None:
        self._inner = inner
        self._identity = identity
        self._scratch = memoryview(bytearray(CHUNK_BYTES))

    @property
    def address(self) -> Address:
        return self._inner.address

    async def accept(self) -> TlsStream:
        return TlsStream(await self._inner.accept(), self._identity.now, self._scratch)

    def close(self) -> None:
        self._inner.close()
