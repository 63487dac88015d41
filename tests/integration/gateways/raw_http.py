"""Requests as octets, from any loopback address."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

_SECONDS = 60.0


@dataclass(frozen=True)
class RawAnswer:
    """Everything received until the connection ended."""

    octets: bytes

    @property
    def status(self) -> int:
        """Return the status of the first answer; 0 for none."""
        return int(self.octets.split(b" ", 2)[1]) if self.octets.startswith(b"HTTP/") else 0

    @property
    def count(self) -> int:
        """Return the number of answers."""
        return self.octets.count(b"HTTP/1.1 ")


async def send(
    port: int, octets: bytes, *, source: str = "127.0.0.1", seconds: float = _SECONDS
) -> RawAnswer:
    """Send octets on a new connection. The answer is what has come back after ``seconds``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    answer = b""
    try:
        writer.write(octets)
        async with asyncio.timeout(seconds):
            while received := await reader.read(65536):
                answer += received
    except (TimeoutError, ConnectionError):
        pass  # the answer is what has come until then
    finally:
        writer.close()
    return RawAnswer(answer)


def request(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Build a request that is valid except for ``headers``, and the last one of its connection."""
    lines = [f"{method} {target} HTTP/1.1", "Host: keyturn.example"]
    if "Connection" not in headers:
        lines.append("Connection: close")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body and not {"Content-Length", "Transfer-Encoding"} & headers.keys():
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body: bytes, trailers: Mapping[str, str]) -> bytes:
    """Encode one chunk, and trailers after it (RFC 9112 7.1.2)."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in trailers.items()).encode()
    return b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, fields)


def http2(headers: Mapping[str, str], body: bytes, trailers: Mapping[str, str]) -> bytes:
    """Build an HTTP/2 connection with prior knowledge (RFC 9113 3.3), with one request that has trailers
    (8.1)."""
    frames = [(4, 0, 0, b""), (1, 4, 1, _fields(headers)), (0, 0, 1, body), (1, 5, 1, _fields(trailers))]
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
        for kind, flags, stream, payload in frames
    )


def _fields(fields: Mapping[str, str]) -> bytes:
    """Encode literals without indexing (RFC 7541 6.2.2), each shorter than 127 octets."""
    return b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )
