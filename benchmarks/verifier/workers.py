"""Throughput of a node with one process and with several workers, and what each request costs.

Two loads: introspection of access tokens that were never seen, and ``/verify`` with a hundred of them. The
node, the load (wrk) and Redis share the cores, so several workers get less than their number times the rate
of one: the load takes its part, a seventh with introspection, next to nothing with ``/verify``. So the
processor time of each request is measured too, for each kind of process; it says what several workers would
do on as many cores of their own. Rounds alternate, and ratios are taken within a round.

    python -m benchmarks.verifier.workers [--workers 2] [--rounds 5] [--seconds 3] [--only verify]

Needs ``taskset`` and Linux. Log, metrics and limits are on. Excluded: TLS.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import provenance
from benchmarks.results import Figure, figure, ratio
from benchmarks.verifier.processor_time import children_of, processor_seconds
from benchmarks.verifier.target import start_node, until_answers
from benchmarks.verifier.token_endpoint import CLIENT, SECRET
from benchmarks.verifier.verification import BATCH, Tokens, introspect, verify
from benchmarks.verifier.wrk import RequestFile, run_wrk
from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of, projected_key, realm_of
from tests.testkit.ports import find_free_port
from tests.testkit.waiting import wait_until

_PATH: Final = "/realms/acme/protocol/openid-connect/token/introspect"
_MOST_PER_SECOND: Final = {"introspect": 9_000, "verify": 170}
"""Requests, by kind of load, that no worker reaches: so many new tokens are made."""
_CONNECTIONS: Final = 32
_WARM_UP_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Measured:
    """One round. ``per_second``: answers. Times in seconds of a processor for each request. ``shares``: each
    worker's part of all workers' time."""

    per_second: float
    p99: float
    parent: float
    workers: float
    load: float
    redis: float
    shares: tuple[float, ...]


class Node:
    """A running node with so many workers."""

    def __init__(self, count: int, port: int, process: subprocess.Popen[bytes]) -> None:
        self.count = count
        self.port = port
        self._process = process

    @property
    def parent(self) -> int | None:
        return self._process.pid if self.count > 1 else None

    @property
    def workers(self) -> list[int]:
        return children_of(self._process.pid) if self.count > 1 else [self._process.pid]


class Bench:
    """The nodes, and tokens that none of them has seen."""

    def __init__(self, stack: ExitStack, counts: tuple[int, ...]) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyturn-bench-")))
        realm = realm_of("acme", signing_keys=(projected_key(SigningKey.generate("ES256")),))
        client = client_of(realm, CLIENT, secret=SECRET)
        redis = EmbeddedRedis(directory / "redis").start()
        stack.callback(redis.stop)
        self._redis_pid = redis.pid
        public_url = "http://127.0.0.1:8080"
        self._tokens = Tokens(realm, client, public_url)

        async def start() -> list[Node]:
            connected = connect(redis.url)
            filling = Filling.on(connected)
            await filling.open(realm, client)
            nodes = []
            for count in counts:
                port = find_free_port()
                log = directory / f"node-{count}.log"
                settings = {"KEYTURN_PUBLIC_URL": public_url, "KEYTURN_WORKERS": str(count)}
                process = start_node(redis.url, port, log, **settings)
                stack.callback(process.wait, 30)
                stack.callback(process.terminate)
                nodes.append(Node(count, port, process))

            async def all_joined() -> bool:
                return len((await filling.registry.view()).nodes) == sum(counts)

            await wait_until(all_joined)
            await connected.aclose()
            return nodes

        self.nodes = asyncio.run(start())
        for node in self.nodes:
            until_answers(f"http://127.0.0.1:{node.port}/health/ready")

    def measure(self, node: Node, kind: str, seconds: float) -> Measured:
        count = int((seconds + 0.5) * _MOST_PER_SECOND[kind] * node.count) + _CONNECTIONS
        file = RequestFile((self._request(kind, node.port) for _ in range(count)), once=True)
        parent = [] if node.parent is None else [node.parent]
        measured = [*parent, *node.workers, self._redis_pid]
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        try:
            before, children = {pid: processor_seconds(pid) for pid in measured}, os.times()
            result = run_wrk(node.port, file, seconds=seconds, core=cores, connections=_CONNECTIONS)
            spent = {pid: processor_seconds(pid) - before[pid] for pid in measured}
            after = os.times()
        finally:
            file.remove()
        answers = result.per_second * seconds
        load = after.children_user + after.children_system - children.children_user - children.children_system
        of_workers = [spent[pid] for pid in node.workers]
        return Measured(
            result.per_second,
            result.p99,
            sum(spent[pid] for pid in parent) / answers,
            sum(of_workers) / answers,
            load / answers,
            spent[self._redis_pid] / answers,
            tuple(each / sum(of_workers) for each in of_workers),
        )

    def _request(self, kind: str, port: int) -> bytes:
        if kind == "introspect":
            return introspect(_PATH, port, self._tokens.issue())
        return verify(port, [self._tokens.issue() for _ in range(BATCH)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", choices=_MOST_PER_SECOND, action="append")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before, found = provenance.busy_before(), list[Figure]()
    counts = (1, chosen.workers)
    with ExitStack() as stack:
        bench = Bench(stack, counts)
        print(f"{os.cpu_count()} cores, load of this machine before: {os.getloadavg()[0]:.1f}")
        for kind in chosen.only or _MOST_PER_SECOND:
            rounds: dict[int, list[Measured]] = {count: [] for count in counts}
            for node in bench.nodes:
                bench.measure(node, kind, _WARM_UP_SECONDS)
            for _ in range(chosen.rounds):
                for node in bench.nodes:
                    rounds[node.count].append(bench.measure(node, kind, chosen.seconds))
            print(kind)
            show(rounds, chosen.workers)
            found += figures(kind, rounds, chosen.workers)
    provenance.hand_over(
        chosen.results,
        "workers",
        found,
        excluded=("TLS",),
        programs=("uvloop", "Redis", "wrk"),
        busy=before,
    )
    return 0


def figures(kind: str, rounds: dict[int, list[Measured]], several: int) -> list[Figure]:
    """Return rate and processor time of a request for both numbers of processes, and the ratios of several to
    one; those on cores of their own are computed from the processor times."""
    one, more = rounds[1], rounds[several]
    rates = {count: [each.per_second for each in results] for count, results in rounds.items()}
    costs = {
        count: [1e6 * (each.workers + each.parent) for each in results] for count, results in rounds.items()
    }
    p99 = {count: [each.p99 for each in results] for count, results in rounds.items()}
    compared = ratio("one process", rates[several], rates[1], p99=(p99[several], p99[1]))
    own_cores = [
        several * mine.workers / (theirs.workers + theirs.parent)
        for mine, theirs in zip(one, more, strict=True)
    ]
    of_several = f"{several} workers"
    return [
        figure(kind, "one process", "1/s", rates[1], p99=p99[1]),
        figure(kind, of_several, "1/s", rates[several], p99=p99[several], ratios=[compared]),
        figure(f"{kind}, processor time", "one process", "µs", costs[1]),
        figure(f"{kind}, processor time", of_several, "µs", costs[several]),
        figure(f"{kind}, load", of_several, "µs", [1e6 * each.load for each in more]),
        figure(f"{kind}, on cores of their own", of_several, "times the rate of one", own_cores),
    ]


def show(rounds: dict[int, list[Measured]], several: int) -> None:
    """Print the medians, and the ratios within a round."""

    def median(count: int, name: str) -> float:
        return float(statistics.median(getattr(each, name) for each in rounds[count]))

    for count in rounds:
        times = {name: median(count, name) * 1e6 for name in ("parent", "workers", "redis", "load")}
        each = ", ".join(f"{name} {spent:.0f}" for name, spent in times.items())
        print(f"  {count} workers  {median(count, 'per_second'):7.0f}/s  p99 {median(count, 'p99'):6.2f} ms")
        print(f"     processor time of a request in µs: {each}")
        shares = [
            statistics.median(share) for share in zip(*(each.shares for each in rounds[count]), strict=True)
        ]
        print(f"     parts of the workers: {', '.join(f'{share:.2f}' for share in shares)}")
    pairs = list(zip(rounds[1], rounds[several], strict=True))
    rates = statistics.median(more.per_second / one.per_second for one, more in pairs)
    costs = statistics.median(several * one.workers / (more.workers + more.parent) for one, more in pairs)
    print(f"  with the load on the same cores: {rates:.2f} times the rate of one")
    print(f"  by processor time, on cores of its own: {costs:.2f} times")


if __name__ == "__main__":
    sys.exit(main())
