"""A bounded load on one HTTP endpoint over raw connections, too cheap to distort the measurement."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from benchmarks.verifier.answers import is_whole


@dataclass(frozen=True)
class LoadResult:
    """``statuses``: count of each HTTP status. Latencies in ms."""

    per_second: float
    p50: float
    p99: float
    statuses: dict[int, int]


class _Connection(asyncio.Protocol):
    """One request at a time on one connection."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self._requests = requests
        self._until = until
        self._buffer = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not is_whole(self._buffer):
            return
        self.statuses[int(self._buffer[9:12])] += 1
        self._buffer = b""
        now = time.perf_counter()
        self.latencies.append(now - self._sent_at)
        if now < self._until:
            self._send()
        else:
            self._finish()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None or self._transport is None:
            self._finish()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, requests: Iterator[bytes], *, seconds: float, connections: int = 32) -> LoadResult:
    """Send until the time is over or the requests are used up."""
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(requests, begun + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(each.done for _, each in made))
    elapsed = time.perf_counter() - begun
    for transport, _ in made:
        transport.close()
    latencies = sorted(1000 * latency for _, each in made for latency in each.latencies)
    statuses: Counter[int] = Counter()
    for _, each in made:
        statuses += each.statuses
    return LoadResult(
        per_second=len(latencies) / elapsed,
        p50=statistics.median(latencies),
        p99=latencies[int(0.99 * (len(latencies) - 1))],
        statuses=dict(statuses),
    )
