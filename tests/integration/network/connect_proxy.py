"""An HTTP proxy whose every tunnel leads to the server of a test."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.integration.network.hostile_tls import AUTHORITY, server_context
from tests.testkit.certificates import issue

PUBLIC = "93.184.216.34"


class ConnectProxy:
    """Accepts every tunnel and leads it to the server of the test. ``answer``: instead of accepting;
    ``refused``: unreachable targets."""

    def __init__(self, target: int) -> None:
        self.requests: list[bytes] = []
        self.answer: bytes | None = None
        self.refused: tuple[bytes, ...] = ()
        self.port = 0
        self._target = target

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            answer = self.answer
            if self.requests[-1].split()[1] in self.refused:
                answer = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
            if answer is not None:
                writer.write(answer)
                await writer.drain()
                writer.close()
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._target)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def connect_proxy(target: int) -> AsyncIterator[ConnectProxy]:
    running = ConnectProxy(target)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()


def proxied_context(directory: Path) -> ssl.SSLContext:
    """Make the TLS context of a server for client.example and PUBLIC, issued by the authority in ca.pem."""
    names = (x509.DNSName("client.example"), x509.IPAddress(ip_address(PUBLIC)))
    certified = issue(AUTHORITY, "CN=c", names=names, usages=(ExtendedKeyUsageOID.SERVER_AUTH,))
    (directory / "ca.pem").write_bytes(AUTHORITY.pem)
    return server_context(directory, certified)
