"""An upstream that records the octets of every request."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

_GRANTED = (
    b"HTTP/1.1 204 No Content\r\nX-Keyturn-Client: reader\r\nX-Keyturn-Scope: all\r\n"
    b"Content-Length: 0\r\n\r\n"
)
_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)\r$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding: *chunked\r$")


@dataclass(frozen=True)
class Recorded:
    """``head``: in lower case. ``rest``: the body as received, with chunks and trailers. ``by``: its
    recorder."""

    head: str
    rest: str
    by: str = ""

    @property
    def target(self) -> str:
        return self.head.split(" ", 2)[1]

    @property
    def names(self) -> set[str]:
        return {line.partition(":")[0] for line in self.head.split("\r\n")[1:] if line}

    def value(self, name: str) -> str | None:
        lines = [line for line in self.head.split("\r\n")[1:] if line.startswith(f"{name}:")]
        assert len(lines) < 2, lines
        return lines[0].partition(":")[2].strip() if lines else None


@dataclass
class Recorder:
    """Answers forward-auth like keyturn for a valid token, and everything else with ``status``."""

    name: str = ""
    status: int = 200
    requests: list[Recorded] = field(default_factory=list)
    connections: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = field(default_factory=dict)

    @property
    def asked(self) -> list[Recorded]:
        """Return callers' requests, without the proxy's own readiness checks."""
        return [each for each in self.requests if not each.target.startswith("/health/")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections[writer] = asyncio.current_task()
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    request = replace(await _read(reader), by=self.name)
                    self.requests.append(request)
                    if request.target.startswith("/realms/acme/forward-auth"):
                        below = request.target.startswith("/realms/acme/forward-auth/")
                        writer.write(_GRANTED.replace(b"204", b"200") if below else _GRANTED)
                    else:
                        ready = request.target.startswith("/health/")
                        status = 200 if ready else self.status
                        writer.write(b"HTTP/1.1 %d Said\r\nContent-Length: 2\r\n\r\nok" % status)
                    await writer.drain()
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Recorded:
    head = await reader.readuntil(b"\r\n\r\n")
    rest = b""
    if _CHUNKED.search(head):
        while True:
            size = await reader.readuntil(b"\r\n")
            rest += size
            octets = int(size.split(b";")[0], 16)
            if octets == 0:
                break
            rest += await reader.readexactly(octets + 2)
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            rest += line
    elif found := _LENGTH.search(head):
        rest = await reader.readexactly(int(found[1]))
    return Recorded(head.decode("latin-1").lower(), rest.decode("latin-1"))


@contextlib.asynccontextmanager
async def recording(
    name: str = "", requests: list[Recorded] | None = None
) -> AsyncIterator[tuple[Recorder, str]]:
    """Run a recorder; yield it and its ``host:port``. ``requests``: a list shared with other recorders."""
    recorder = Recorder(name, requests=[] if requests is None else requests)
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield recorder, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in recorder.connections:
            writer.close()
        await asyncio.gather(*filter(None, recorder.connections.values()))
