"""Cost of a request against the number of clients in Redis.

For each number there is a Redis of its own; a node that has just started has core 0, the load (32
connections) and Redis have core 1. Counted is the node's processor time for each request, asked by the same
hundred clients again and again, and by clients that ask once, each of which the node reads from Redis first.
Rounds alternate between the numbers. The time of a cold node is that until it has issued its first token,
with the start of its process.

    python -m benchmarks.verifier.clients [--clients 1 1000 100000] [--rounds 3] [--seconds 2]

A million clients (``--clients 1 1000000``) take some minutes to fill. Needs two cores and ``taskset``.
Excluded: TLS.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import uvloop

from benchmarks import provenance
from benchmarks.results import Figure, Ratio, figure, ratio
from benchmarks.verifier.load import load
from benchmarks.verifier.processor_time import thread_seconds
from benchmarks.verifier.target import LOAD_CORE, SERVER_CORE, Target, form_request, start_node
from benchmarks.verifier.wrk import LoadError
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.grant import Grant
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import RING, Filling, client_of, projected_key, realm_of
from tests.testkit.ports import find_free_port

REALM: Final = realm_of("acme", signing_keys=(projected_key(SigningKey.generate("ES256")),))
KINDS: Final = ("token by secret", "introspection")
WAYS: Final = ("the same hundred clients", "clients that ask once")
_SAME: Final = 100
_WRITTEN_AT_ONCE: Final = 2000
_COUNTABLE: Final = 1000
"""Fewer clients take less of Redis than its own buffers, and have asked once before anything is measured."""
_ANSWER_SECONDS: Final = 60.0
_WARM_UP_SECONDS: Final = 0.5


@dataclass
class Measured:
    """``costs``: processor time of a request in µs, by kind and way. ``cold``: seconds until an answer."""

    bytes_per_client: float
    costs: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    cold: list[float] = field(default_factory=list)


def name_of(number: int) -> str:
    return f"payments-settlement-worker-{number:07}"


def secret_of(number: int) -> str:
    return f"a-secret-of-many-octets-{number:07}"


class Estate:
    """A Redis with so many clients, and a node."""

    def __init__(self, stack: ExitStack, clients: int) -> None:
        self.clients = clients
        self._stack = stack
        self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyturn-bench-")))
        redis = EmbeddedRedis(self._directory / "redis").start()
        stack.callback(redis.stop)
        os.sched_setaffinity(redis.pid, {int(LOAD_CORE)})
        self._redis_url = redis.url
        self.port = find_free_port()
        self._target = Target.of_keyturn(self.port)
        self._tokens: list[str] = []
        self.measured = Measured(asyncio.run(self._fill()))
        self._node: subprocess.Popen[bytes] | None = None
        stack.callback(self.stop)

    def start(self) -> None:
        """Start the node anew, and count until it has issued a token."""
        self.stop()
        begun = time.monotonic()
        log = self._directory / "node.log"
        self._node = start_node(self._redis_url, self.port, log, core=SERVER_CORE)
        request = self._request("token by secret", self.clients - 1)
        while not asyncio.run(_answers(self.port, request)):
            if time.monotonic() > begun + _ANSWER_SECONDS:
                raise LoadError("a node does not answer")
            time.sleep(0.01)
        self.measured.cold.append(time.monotonic() - begun)

    def stop(self) -> None:
        if self._node is not None:
            self._node.terminate()
            self._node.wait(10)
            self._node = None

    def measure(self, kind: str, way: str, seconds: float, *, counted: bool = True) -> None:
        """Ask for some seconds. Raises LoadError if any answer is not a success."""
        assert self._node is not None
        if way == WAYS[0]:
            same = [self._request(kind, number) for number in range(min(_SAME, self.clients))]
            requests: Iterator[bytes] = cycle(same)
        else:
            requests = (self._request(kind, number) for number in self._once(kind))
        before = thread_seconds(self._node.pid)
        result = uvloop.run(load(self.port, requests, seconds=seconds))
        used = thread_seconds(self._node.pid) - before
        if result.statuses.keys() != {200}:
            raise LoadError(f"answers were {result.statuses}")
        if counted:
            cost = 1e6 * used / result.statuses[200]
            self.measured.costs.setdefault((kind, way), []).append(cost)

    def _once(self, kind: str) -> range:
        """Return clients that have not asked this node: half of them for each kind of request, without the
        same hundred and the one who asked first."""
        middle = (_SAME + self.clients) // 2
        return range(_SAME, middle) if kind == KINDS[0] else range(middle, self.clients - 1)

    def _request(self, kind: str, number: int) -> bytes:
        body = f"client_id={name_of(number)}&client_secret={secret_of(number)}"
        if kind == "token by secret":
            return form_request(self._target, f"grant_type=client_credentials&{body}")
        introspection = Target("keyturn", self.port, f"{self._target.path}/introspect", self._target.issuer)
        return form_request(introspection, f"{body}&token={self._tokens[number % len(self._tokens)]}")

    async def _fill(self) -> float:
        """Write the clients; return the bytes that each takes in Redis."""
        redis, issuer = connect(self._redis_url), AccessTokenIssuer(SystemClock())
        filling = Filling.on(redis)
        realm = RealmState(REALM, RING, f"http://127.0.0.1:{self.port}")
        await filling.open(REALM, complete=False)
        before = (await redis.info("memory"))["used_memory"]
        numbers = iter(range(self.clients))
        while some := list(islice(numbers, _WRITTEN_AT_ONCE)):
            clients = [client_of(REALM, name_of(number), secret=secret_of(number)) for number in some]
            await filling.write(*clients)
            for client in clients[: _SAME - len(self._tokens)]:
                projection = ClientState(client).projection
                self._tokens.append(issuer.issue(realm, projection, Grant("read", ())).token)
        taken = (await redis.info("memory"))["used_memory"] - before
        assert await filling.channel.complete_epoch(filling.epoch)
        await redis.aclose()
        return float(taken) / self.clients


async def _answers(port: int, request: bytes) -> bool:
    """Ask once over a new connection; tell if it was a success."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            status = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return status.startswith(b"HTTP/1.1 200 ")


def figures(measured: dict[int, Measured]) -> list[Figure]:
    """Return costs by number of clients, each compared with that of the fewest."""
    fewest = min(measured)
    first, found = measured[fewest], []
    for clients, each in measured.items():
        for (kind, way), costs in each.costs.items():
            compared = _compared(clients, costs, fewest, first.costs.get((kind, way)))
            found.append(figure(kind, way, "µs", costs, at=clients, ratios=compared))
        compared = _compared(clients, each.cold, fewest, first.cold)
        found.append(figure("cold node", "first token", "s", each.cold, at=clients, ratios=compared))
        if clients >= _COUNTABLE:
            found.append(figure("Redis", "each client", "bytes", [each.bytes_per_client], at=clients))
    return found


def _compared(clients: int, mine: list[float], fewest: int, theirs: list[float] | None) -> list[Ratio]:
    return [ratio(_clients(fewest), mine, theirs)] if theirs and clients != fewest else []


def _clients(count: int) -> str:
    return f"{count:,} client{'s' if count > 1 else ''}"


def show(measured: dict[int, Measured]) -> None:
    for clients, each in measured.items():
        size = f": {each.bytes_per_client:.0f} bytes in Redis for each" if clients >= _COUNTABLE else ""
        print(f"{_clients(clients)}{size}")
        print(f"  first token of a cold node after {statistics.median(each.cold):.2f} s")
        for (kind, way), costs in each.costs.items():
            print(f"  {kind}, {way}: {statistics.median(costs):.1f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 1000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    with ExitStack() as stack:
        estates = [Estate(stack, clients) for clients in chosen.clients]
        for _ in range(chosen.rounds):
            for estate in estates:
                estate.start()
                for kind in KINDS:
                    estate.measure(kind, WAYS[0], _WARM_UP_SECONDS, counted=False)
                for way in WAYS if estate.clients >= _COUNTABLE else WAYS[:1]:
                    for kind in KINDS:
                        estate.measure(kind, way, chosen.seconds)
                estate.stop()
    measured = {estate.clients: estate.measured for estate in estates}
    show(measured)
    provenance.hand_over(
        chosen.results,
        "clients",
        figures(measured),
        excluded=("TLS",),
        programs=("uvloop", "Redis"),
        busy=before,
    )


if __name__ == "__main__":
    main()
