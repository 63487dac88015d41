"""Latency against the load that is offered, up to saturation, beside node-oidc-provider.

The load does not wait for answers (``open_loop``): requests are due at random, and latencies count from
when they are due. First the highest rate of each server is measured, then shares of it are offered, both
servers in turn; beyond 1 no server can keep up. The highest rate of the load itself is measured on
``node:http`` with a constant answer; what comes near it says more about the load than about a server.

The server under load has core 0 for itself; the load and Redis share core 1. Two kinds of requests: a token
(ES256) by secret, and introspection of a hundred tokens again and again (oidc-provider: opaque tokens in
memory).

    python -m benchmarks.verifier.offered_load [--rounds 2] [--seconds 2] [--shares 0.1 0.5 0.9]

Needs two cores, ``taskset``, and the packages of ``tests/node``. Log, metrics and limits are on. Excluded:
TLS.
"""

import argparse
import os
import statistics
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks import provenance
from benchmarks.results import Figure, figure, ratio
from benchmarks.verifier.open_loop import OpenLoopResult, run_open_loop
from benchmarks.verifier.target import LOAD_CORE, Target, until_answers
from benchmarks.verifier.token_endpoint import secret_requests, start_oidc_provider
from benchmarks.verifier.verification import SEEN_TOKENS, Bench, introspect, opaque_tokens
from benchmarks.verifier.wrk import RequestFile
from tests.testkit.ports import find_free_port

KINDS: Final = ("token by secret", "introspect-seen")
NAMES: Final = ("keyturn", "oidc-provider")
SHARES: Final = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.05)
BOUND_MS: Final = 10.0
"""A p99 that callers may expect; the greatest load below it is compared."""

Rounds = dict[str, dict[float, list[OpenLoopResult]]]
"""Results by server and share of its highest rate."""
Highest = dict[str, OpenLoopResult]
"""Results of sending on every connection as soon as it is free, by server."""


class Offering:
    """Both servers, and their requests."""

    def __init__(self, stack: ExitStack, seconds: float) -> None:
        self._stack = stack
        self._seconds = seconds
        bench = Bench(stack, seconds=seconds)
        issuing = Target.of_oidc_provider(find_free_port())
        process = start_oidc_provider("client_secret_basic", issuing.port, Path(os.devnull))
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        until_answers(f"http://127.0.0.1:{issuing.port}/.well-known/openid-configuration")
        introspection = f"{bench.oidc.path}/introspection"
        opaque = opaque_tokens(bench.oidc, SEEN_TOKENS)
        self._loads = {
            ("token by secret", "keyturn"): self._load(
                bench.node, islice(secret_requests(Target.of_keyturn(bench.node)), 1)
            ),
            ("token by secret", "oidc-provider"): self._load(
                issuing.port, islice(secret_requests(issuing), 1)
            ),
            ("introspect-seen", "keyturn"): self._load(bench.node, bench.seen_introspections()),
            ("introspect-seen", "oidc-provider"): self._load(
                bench.oidc.port, (introspect(introspection, bench.oidc.port, token) for token in opaque)
            ),
        }
        self._floor = self._load(bench.floors["node:http"], bench.seen_introspections())

    def limit(self) -> OpenLoopResult:
        """Return the highest rate of the load itself."""
        self._run(self._floor, 0, 0)  # for warming up
        return self._run(self._floor, 0, 0)

    def measure(self, kind: str, shares: Iterable[float], rounds: int) -> tuple[Highest, Rounds]:
        """Return the highest rate of each server, and the results of what was offered."""
        highest = {}
        for name in NAMES:
            self._run(self._loads[kind, name], 0, 0)  # for warming up
            highest[name] = self._run(self._loads[kind, name], 0, 0)
        found: Rounds = {name: {share: [] for share in shares} for name in NAMES}
        for turn in range(rounds):
            for share in shares:
                for name in NAMES:
                    result = self._run(self._loads[kind, name], share * highest[name].per_second, turn + 1)
                    found[name][share].append(result)
        return highest, found

    def _load(self, port: int, requests: Iterable[bytes]) -> tuple[int, RequestFile]:
        file = RequestFile(requests)
        self._stack.callback(file.remove)
        return port, file

    def _run(self, load: tuple[int, RequestFile], rate: float, seed: int) -> OpenLoopResult:
        port, file = load
        return run_open_loop(port, file, rate=rate, seconds=self._seconds, seed=seed, core=LOAD_CORE)


def figures(kind: str, highest: Highest, found: Rounds) -> list[Figure]:
    """Return the points of each server's curve, and the greatest load with a p99 below the bound."""
    points = []
    within: dict[str, list[float]] = {}
    for name, by_share in found.items():
        others = [other for other in NAMES if name == NAMES[0] and other != name]
        rate = highest[name].per_second
        compared = [ratio(other, [rate], [highest[other].per_second]) for other in others]
        points.append(figure(f"{kind}, highest rate", name, "1/s", [rate], ratios=compared))
        points.append(figure(f"{kind}, busy load", name, "of its core", [highest[name].busy]))
        for results in by_share.values():
            offered = round(statistics.median(each.offered for each in results))
            rates, p50, p99 = (
                [getattr(each, what) for each in results] for what in ("per_second", "p50", "p99")
            )
            points.append(figure(kind, name, "1/s", rates, p50=p50, p99=p99, at=offered))
        turns = zip(*by_share.values(), strict=True)
        within[name] = [
            max((each.offered for each in turn if each.p99 <= BOUND_MS), default=0.0) for turn in turns
        ]
    mine, theirs = (within[name] for name in NAMES)
    ratios = [ratio(NAMES[1], mine, theirs)] if all(theirs) else []
    bounded = f"{kind}, p99 within {BOUND_MS:.0f} ms"
    return [
        *points,
        figure(bounded, NAMES[0], "1/s", mine, ratios=ratios),
        figure(bounded, NAMES[1], "1/s", theirs),
    ]


def show(kind: str, highest: Highest, found: Rounds) -> None:
    print(kind)
    for name, by_share in found.items():
        print(
            f"  {name}: {highest[name].per_second:.0f}/s at most (the load was busy {highest[name].busy:.0%})"
        )
        for share, results in by_share.items():
            offered, answered, p50, p99, busy = (
                statistics.median(getattr(each, what) for each in results)
                for what in ("offered", "per_second", "p50", "p99", "busy")
            )
            print(
                f"    {share:4.2f}  offered {offered:7.0f}/s  answered {answered:7.0f}/s"
                f"  p50 {p50:8.2f} ms  p99 {p99:8.2f} ms  the load was busy {busy:.0%}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the highest rate")
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    with ExitStack() as stack:
        offering = Offering(stack, chosen.seconds)
        limit = offering.limit()
        print(f"the load itself: {limit.per_second:.0f}/s at most (busy {limit.busy:.0%})")
        found = [figure("the load itself", "node:http", "1/s", [limit.per_second])]
        for kind in KINDS:
            highest, rounds = offering.measure(kind, chosen.shares, chosen.rounds)
            show(kind, highest, rounds)
            found += figures(kind, highest, rounds)
    provenance.hand_over(
        chosen.results,
        "offered_load",
        found,
        excluded=("TLS",),
        programs=("uvloop", "Redis", "Node.js", "oidc-provider"),
        busy=before,
    )


if __name__ == "__main__":
    main()
