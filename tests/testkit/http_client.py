"""A small HTTP/1.1 client with kept connections, cheap enough for a thousand probes a second."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools


@dataclass(slots=True)
class Answer:
    """``sent``: when the request went out, by ``time.monotonic``."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: float = 0.0


class NoAnswerError(Exception):
    """The other side refused, broke off, or took too long."""


class Server:
    """One server, with at most ``connections`` connections; more callers wait for a free one. Nothing is
    retried: the caller knows what a lost answer means. ``source``: address of the caller, by default one
    that the system chooses."""

    def __init__(self, base_url: str, *, connections: int, source: str = "") -> None:
        parts = urlsplit(base_url)
        self.base_url = base_url
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._source = (source, 0) if source else None
        self._turns = asyncio.Semaphore(connections)
        self._free: deque[_Connection] = deque()

    async def ask(
        self,
        method: str,
        target: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 30.0,
    ) -> Answer:
        """Send one request; its time begins when it has a connection. Raises NoAnswerError."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines.append(f"Content-Length: {len(body)}")
        async with self._turns:
            try:
                async with asyncio.timeout(timeout):
                    connection = await self._connection()
                    answer = await connection.ask("\r\n".join([*lines, "", ""]).encode() + body)
            except (OSError, TimeoutError) as error:
                raise NoAnswerError(f"{method} {self.base_url}{target}: {error!r}") from error
            if connection.usable:
                self._free.append(connection)
            return answer

    def close(self) -> None:
        while self._free:
            self._free.pop().close()

    async def _connection(self) -> "_Connection":
        while self._free:
            kept = self._free.pop()
            if kept.usable:
                return kept
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Connection, self._host, self._port, local_addr=self._source)
        return made


class _Connection(asyncio.Protocol):
    """One request at a time; it also receives the callbacks of httptools' parser."""

    def __init__(self) -> None:
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        assert self._transport is not None
        self._answer = Answer(sent=time.monotonic())
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("broken off"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(ConnectionError(repr(error)))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        self.usable = self.usable and self._parser.should_keep_alive()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(self._answer)
