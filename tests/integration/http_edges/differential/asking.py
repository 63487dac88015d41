"""Sends every stream to a server, repeatedly if wanted, and judges its reading."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from tests.testkit.http_reading.exchange import Received, cut, exchange
from tests.testkit.http_reading.stream import End, Stream
from tests.testkit.http_reading.verdict import Judged, Verdict, addressed

_MAX_CONCURRENT: Final = 24

Judge = Callable[[Stream, Received], Judged]


async def faults_of(
    port: int,
    streams: Iterable[Stream],
    judge: Judge,
    *,
    pieces: bool = False,
    path: bytes = b"/PATH",
    tls: ssl.SSLContext | None = None,
) -> list[str]:
    """Return one line for each stream that the server neither reads correctly nor refuses. ``pieces``: cut
    the streams, each at the same places every time."""
    turns = asyncio.Semaphore(_MAX_CONCURRENT)

    def sent(stream: Stream) -> list[bytes]:
        wire = addressed(stream.wire, path)
        return cut(wire, Random(stream.name)) if pieces else [wire]

    async def ask(stream: Stream, sent: list[bytes]) -> str | None:
        async with turns:
            received = await exchange(port, sent, half_close=stream.end is End.WAITS, tls=tls)
        judged = judge(stream, received)
        refused = judged.verdict is Verdict.REFUSES and stream.ordinary
        if judged.verdict is Verdict.DIFFERS or refused:
            return f"{stream.name} ({stream.source}): {', '.join(judged.reading)}"
        return None

    # All of it before the first connection: a server ends one on which nothing arrives meanwhile.
    prepared = [(stream, sent(stream)) for stream in streams]
    return [fault for fault in await asyncio.gather(*(ask(*each) for each in prepared)) if fault]
