"""One request and its answer over a connection: HTTP/1.1 as h11 understands it, which is strictly."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

import h11

from keyturn_shared.network.connecting import Connection
from keyturn_shared.network.refusal import FetchRefused, Reason

_MAX_HEAD_BYTES: Final = 64 * 1024
"""Of an answer's status line and headers, and of a chunk's."""


class Exchange:
    """A GET. ``seconds``: the longest pause in what the server sends. Methods raise FetchRefused."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)

    async def ask(self, path: str, headers: Iterable[tuple[str, str]]) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer, names in lower case; interim answers are passed over."""
        request = h11.Request(method="GET", target=path, headers=list(headers))
        sent = (self._state.send(request) or b"") + (self._state.send(h11.EndOfMessage()) or b"")
        await self._connection.write(sent, self._seconds)
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                found = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                return event.status_code, found
            if not isinstance(event, h11.InformationalResponse):
                raise FetchRefused(Reason.PROTOCOL_ERROR, "the server ended without an answer")

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the body as sent, without their framing."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise FetchRefused(Reason.PROTOCOL_ERROR, "the server ended in the middle")

    async def _next(self) -> object:
        while True:
            try:
                event = self._state.next_event()
                if event is not h11.NEED_DATA:
                    return event
                data = await self._connection.read(self._seconds)
                self._state.receive_data(data)
            except h11.RemoteProtocolError as error:
                raise FetchRefused(Reason.PROTOCOL_ERROR, str(error)) from None
