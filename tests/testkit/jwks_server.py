"""A real HTTP server on the loopback interface that serves JWK Sets, well or badly, and counts requests."""

import asyncio
import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

Jwk = dict[str, Any]


@dataclass
class Page:
    """Answer of a path. ``hang``: seconds before anything is sent. ``etag``: send 304s."""

    keys: list[Jwk] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    etag: bool = True

    def content(self) -> bytes:
        return self.body if self.body is not None else json.dumps({"keys": self.keys}).encode()


class JwksServer:
    """Serves ``pages`` by path; ``requests`` counts by path, ``answers`` by path and status."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: Counter[str] = Counter()
        self.answers: Counter[tuple[str, int]] = Counter()
        self.hanging = 0
        self._server: asyncio.Server | None = None
        self.base = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def url(self, path: str) -> str:
        return f"{self.base}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = head.split("\r\n")
                path = lines[0].split(" ")[1]
                sent = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                self.requests[path] += 1
                page = self.pages.get(path, Page(status=404, body=b"no such page"))
                content, status = page.content(), page.status
                if page.hang:
                    self.hanging += 1
                    try:
                        await asyncio.sleep(page.hang)
                    finally:
                        self.hanging -= 1
                tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
                headers = {"content-type": "application/jwk-set+json", **page.headers}
                if page.etag:
                    headers["etag"] = tag
                    if sent.get("if-none-match") == tag and status == 200:
                        status, content = 304, b""
                headers["content-length"] = str(len(content))
                self.answers[path, status] += 1
                text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + content)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[JwksServer]:
    server = JwksServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
