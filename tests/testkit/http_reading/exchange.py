"""Sends a stream, whole or in pieces, and receives the answer until the connection ends."""

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from itertools import islice, pairwise
from random import Random
from typing import Final

_END_SECONDS: Final = 60.0
"""A waiting server of keyturn's gives up long before; this ends a test whose server does not."""
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.001
"""Pause between pieces, so that they arrive separately. A slow machine joins some, which is just another
cut."""


@dataclass(frozen=True)
class Received:
    """``closed``: the server ended the connection."""

    octets: bytes
    closed: bool


async def _connect(
    port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect. A machine that stands still for longer than a handshake may take has sent nothing yet, so it
    tries again."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(ConnectionResetError):
            return await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    return await asyncio.open_connection("127.0.0.1", port, ssl=tls)


async def exchange(
    port: int,
    pieces: list[bytes],
    *,
    half_close: bool = False,
    quiet: float | None = None,
    tls: ssl.SSLContext | None = None,
    most: float = _END_SECONDS,
) -> Received:
    """``half_close``: signal the end to a server that would wait for more; ``quiet``: to one that has not
    ended after this many seconds. ``most``: seconds after which it counts as open."""
    reader, writer = await _connect(port, tls)
    received = bytearray()
    closed = False

    async def read() -> None:
        nonlocal closed
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while octets := await reader.read(65536):
                received.extend(octets)
        closed = True

    async def write() -> None:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                if len(pieces) > 1:
                    await asyncio.sleep(_PAUSE_SECONDS)
            if half_close and writer.can_write_eof():
                writer.write_eof()
            elif half_close:
                writer.close()  # TLS has no half-close

    reading, writing = asyncio.create_task(read()), asyncio.create_task(write())
    if quiet is not None:
        await asyncio.wait([reading], timeout=quiet)
        with contextlib.suppress(OSError):
            (writer.write_eof if writer.can_write_eof() else writer.close)()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(most):
            await reading
    writing.cancel()
    reading.cancel()
    await asyncio.gather(reading, writing, return_exceptions=True)
    writer.transport.abort()
    return Received(bytes(received), closed)


def cut(wire: bytes, random: Random) -> list[bytes]:
    """Cut it into pieces. Line ends are cut in the middle more often than the rest."""
    ends = [found.start() + 1 for found in islice(re.finditer(b"\r\n", wire), 40)]
    count = random.randint(1, 5)
    places = {random.randrange(1, len(wire)) for _ in range(count)}
    places |= set(random.sample(ends, min(len(ends), random.randint(0, 3))))
    edges = [0, *sorted(places), len(wire)]
    return [wire[begin:end] for begin, end in pairwise(edges)]
