"""A client of a few lines: sends messages of kproto over a stream and reads their answers, in order."""

from types import TracebackType
from typing import Any, Self

from broker.transport.contract import Stream
from kproto.connection import ClientConnection
from kproto.schema import Message


class WireClient:
    """One connection; `ask` for one question at a time, `send` and `receive` to pipeline."""

    def __init__(self, stream: Stream, client_id: str | None = "test") -> None:
        self.stream = stream
        self._end = ClientConnection(client_id)
        self._received = bytearray()

    async def ask(self, message: Message, version: int) -> Any:
        """The answer. Raises: ConnectionLost: the broker hung up."""
        await self.send(message, version)
        return await self.receive()

    async def send(self, message: Message, version: int, *, answered: bool = True) -> None:
        await self.stream.send(self._end.request(message, version, answered=answered))

    async def send_together(self, *questions: tuple[Message, int]) -> None:
        """Several requests in one run of bytes, so that they lie in one read buffer."""
        pieces = [piece for message, version in questions for piece in self._end.request(message, version)]
        await self.stream.send([b"".join(bytes(piece) for piece in pieces)])

    @property
    def is_quiet(self) -> bool:
        """Whether no answer has come but those that were received."""
        return not self._received and self.stream.receive_into(memoryview(bytearray(1))) is None

    async def receive(self) -> Any:
        """The next answer. Raises: EOFError: the broker hung up before it."""
        while True:
            answer = self._end.next_answer(memoryview(bytes(self._received)), 0, len(self._received))
            if answer is not None:
                del self._received[: answer.size]
                return answer.message
            await self._receive_more()

    async def _receive_more(self) -> None:
        buffer = bytearray(65536)
        while (size := self.stream.receive_into(memoryview(buffer))) is None:
            await self.stream.wait_readable()
        if size == 0:
            raise EOFError("the broker hung up")
        self._received += buffer[:size]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stream.close()
