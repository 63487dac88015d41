"""A load whose requests arrive by a schedule that waits for no answer, in a process of its own.

Requests arrive at random (a Poisson process), as those of many independent callers do. One that finds all
connections in use waits for the next that is free. Its latency counts from the moment when it was due, so
that a server which is late for one request is late for all that were due meanwhile: a load that waits for
answers leaves these out (coordinated omission).

    python -m benchmarks.verifier.open_loop PORT FILE RATE SECONDS SEED

``FILE``: raw requests, as for wrk, which are sent in turn. ``RATE``: a second; with 0, each connection sends
as soon as it is free, which measures the highest rate of server and load together. Prints one line of JSON.
"""

import math
import random
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from benchmarks.results import percentile
from benchmarks.verifier.answers import is_whole
from benchmarks.verifier.wrk import LoadError, RequestFile

_CONNECTIONS: Final = 64
_END_SECONDS: Final = 1.0
"""After the last arrival; what has no answer by then counts as if it came at this moment."""
_GRACE_SECONDS: Final = 30.0
_OCTETS: Final = 65_536


class OpenLoopResult(msgspec.Struct, frozen=True):
    """``offered`` and ``per_second``: requests that were due, and answers, a second. Latencies in ms.
    ``unanswered``: requests without an answer at the end. ``refused``: answers other than 200. ``busy``:
    share of the time in which the load did not rest; near 1, the load itself may be the limit."""

    offered: float
    per_second: float
    p50: float
    p99: float
    unanswered: int
    refused: int
    busy: float


class Scheduled(NamedTuple):
    """A sent request and the moment when it was due."""

    connection: socket.socket
    due: float


def arrivals(rate: float, seconds: float, seed: int) -> Iterator[float]:
    """Yield the moments of a Poisson process, in seconds from its beginning; the same for the same
    seed."""
    chance, at = random.Random(seed), 0.0
    while (at := at + chance.expovariate(rate)) < seconds:
        yield at


def read_requests(path: Path) -> list[bytes]:
    """Read raw requests, each after its length and a line feed."""
    octets, at, found = path.read_bytes(), 0, []
    while at < len(octets):
        end = octets.index(b"\n", at)
        length = int(octets[at:end])
        found.append(octets[end + 1 : end + 1 + length])
        at = end + 1 + length
    return found


class OpenLoop:
    """The connections of one load."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self._requests = cycle(requests)
        self._epoll = select.epoll()
        self._idle: list[socket.socket] = []
        self._open: dict[int, Scheduled] = {}
        self._received: dict[int, bytes] = {}
        self._refused = 0
        self._rested = 0.0
        self._latencies: list[float] = []
        for _ in range(_CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=_GRACE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            self._epoll.register(connection, select.EPOLLIN)
            self._idle.append(connection)

    def run(self, rate: float, seconds: float, seed: int) -> OpenLoopResult:
        """Send all that is due, until everything is answered or the time is over. Raises LoadError if the
        server closes a connection."""
        begun = time.perf_counter()
        last = begun + seconds + _END_SECONDS
        schedule = (begun + at for at in arrivals(rate, seconds, seed))
        due = next(schedule, math.inf)
        waiting: deque[float] = deque()
        while True:
            now = time.perf_counter()
            while due <= now:
                waiting.append(due)
                due = next(schedule, math.inf)
            while waiting and self._idle:
                self._send(waiting.popleft())
            over = due == math.inf and not waiting and not self._open
            if over or now >= last:
                break
            self._receive(min(due, last) - time.perf_counter())
        unanswered = [now - at for at in (*waiting, *(each.due for each in self._open.values()))]
        return self._result(seconds, max(seconds, now - begun), now - begun, unanswered)

    def saturate(self, seconds: float) -> OpenLoopResult:
        """Send on every connection as soon as it is free: the highest rate of server and load together."""
        begun = time.perf_counter()
        while (now := time.perf_counter()) < begun + seconds:
            while self._idle:
                self._send(now)
            self._receive(begun + seconds - now)
        return self._result(seconds, now - begun, now - begun, [])

    def _result(
        self, seconds: float, answering: float, took: float, unanswered: list[float]
    ) -> OpenLoopResult:
        latencies = self._latencies + unanswered
        if not latencies:
            raise LoadError("nothing was answered")
        return OpenLoopResult(
            offered=len(latencies) / seconds,
            per_second=len(self._latencies) / answering,
            p50=1000 * percentile(latencies, 0.5),
            p99=1000 * percentile(latencies, 0.99),
            unanswered=len(unanswered),
            refused=self._refused,
            busy=1 - self._rested / took,
        )

    def _send(self, due: float) -> None:
        connection = self._idle.pop()
        request = next(self._requests)
        if connection.send(request) != len(request):
            raise LoadError("a connection does not take a whole request")
        self._open[connection.fileno()] = Scheduled(connection, due)

    def _receive(self, longest: float) -> None:
        """Take what has arrived; wait for it if there is nothing."""
        ready = self._epoll.poll(0)
        if not ready and longest > 0:
            # An epoll waits for whole milliseconds; a select of it does not.
            paused = time.perf_counter()
            select.select([self._epoll.fileno()], [], [], longest)
            self._rested += time.perf_counter() - paused
            ready = self._epoll.poll(0)
        for number, _ in ready:
            scheduled = self._open.get(number)
            octets = scheduled.connection.recv(_OCTETS) if scheduled else b""
            if scheduled is None or not octets:
                raise LoadError("the server closed a connection")
            octets = self._received.pop(number, b"") + octets
            if not is_whole(octets):
                self._received[number] = octets
                continue
            self._latencies.append(time.perf_counter() - scheduled.due)
            self._refused += octets[9:12] != b"200"
            del self._open[number]
            self._idle.append(scheduled.connection)


def run_open_loop(
    port: int, requests: RequestFile, *, rate: float, seconds: float, seed: int, core: str
) -> OpenLoopResult:
    """Run the load on a core. Raises LoadError if it fails, or if any answer is not a success."""
    command = ["taskset", "-c", core, sys.executable, "-m", "benchmarks.verifier.open_loop"]
    ended = subprocess.run(
        [*command, str(port), str(requests.path), str(rate), str(seconds), str(seed)],
        capture_output=True,
        text=True,
        timeout=seconds + _END_SECONDS + _GRACE_SECONDS,
        check=False,
    )
    if ended.returncode != 0:
        raise LoadError(f"the load failed: {ended.stderr[-2000:]}")
    result = msgspec.json.decode(ended.stdout, type=OpenLoopResult)
    if result.refused:
        raise LoadError(f"{result.refused} requests were refused")
    return result


def main() -> None:
    port, file, rate, seconds, seed = sys.argv[1:]
    load = OpenLoop(int(port), read_requests(Path(file)))
    if float(rate):
        result = load.run(float(rate), float(seconds), int(seed))
    else:
        result = load.saturate(float(seconds))
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
