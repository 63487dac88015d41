"""One request per connection, so that a refused connection proves that nothing was sent."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswerError(Exception):
    """The other side refused, broke off, or took too long."""


async def send(
    method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"", timeout: float = 30.0
) -> Answer:
    """Send one request on its own connection. Raises NoAnswerError."""
    try:
        async with asyncio.timeout(timeout):
            return await _send(method, url, headers or {}, body)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
        raise NoAnswerError(f"{method} {url}: {error!r}") from error


async def _send(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        raw = await reader.read()
    finally:
        writer.close()
    head, _, rest = raw.partition(b"\r\n\r\n")
    status_line, *fields = head.decode("latin-1").split("\r\n")
    received = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
    if len(rest) < (announced := int(received.get("content-length", "0"))):
        raise asyncio.IncompleteReadError(rest, announced)  # the instance ended in the middle of its answer
    return Answer(int(status_line.split(" ")[1]), received, _unchunked(rest, received))


def _unchunked(rest: bytes, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return rest
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        body, rest = body + rest[:length], rest[length + 2 :]
    return body


async def until_ready(url: str, *, seconds: float) -> None:
    """Wait until ``/health/ready`` answers 200. Raises TimeoutError."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        try:
            if (await send("GET", f"{url}/health/ready", timeout=2)).status == 200:
                return
        except NoAnswerError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} did not become ready within {seconds} s")
