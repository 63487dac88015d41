"""The wait of callers of a node while somebody else has a thousand tokens verified at a time.

Introspection of tokens seen before over 16 connections, without and with one more connection that sends
requests of ``/verify`` one after the other, each with 1,000 tokens never seen.

    python -m benchmarks.verifier.batches [--rounds 3] [--seconds 4]
"""

import argparse
import os
import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from benchmarks import provenance
from benchmarks.verifier.target import LOAD_CORE
from benchmarks.verifier.verification import Bench
from benchmarks.verifier.wrk import RequestFile, WrkResult, figure_of, run_wrk

_TOKENS: Final = 1000
_MOST_PER_SECOND: Final = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    alone: list[WrkResult] = []
    beside: list[WrkResult] = []
    batches: list[WrkResult] = []
    with ExitStack() as stack, ThreadPoolExecutor(1) as thread:
        bench = Bench(stack, seconds=chosen.seconds)
        seen = RequestFile(bench.seen_introspections())
        stack.callback(seen.remove)

        def introspect() -> WrkResult:
            return run_wrk(bench.node, seen, seconds=chosen.seconds, core=LOAD_CORE, connections=16)

        introspect()
        for _ in range(chosen.rounds):
            alone.append(introspect())
            count = int(chosen.seconds + 2) * _MOST_PER_SECOND
            file = RequestFile((bench.new_batch(_TOKENS) for _ in range(count)), once=True)
            other = thread.submit(
                run_wrk, bench.node, file, seconds=chosen.seconds, core=LOAD_CORE, connections=1
            )
            beside.append(introspect())
            batches.append(other.result())
            file.remove()
    for name, results in (("alone", alone), ("beside batches", beside), ("the batches", batches)):
        rate, p50, p99 = (
            statistics.median(getattr(each, what) for each in results)
            for what in ("per_second", "p50", "p99")
        )
        print(f"{name:16} {rate:8.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms")
    ratio = statistics.median(one.p99 / other.p99 for one, other in zip(beside, alone, strict=True))
    print(f"p99 of introspection beside batches: {ratio:.2f} of that alone")
    provenance.hand_over(
        chosen.results,
        "batches",
        [
            figure_of("introspect-seen", "alone", alone),
            figure_of("introspect-seen", "beside batches", beside, ("alone", alone)),
            figure_of("the batches", "beside introspection", batches),
        ],
        excluded=("TLS",),
        programs=("uvloop", "Redis", "wrk"),
        busy=before,
    )


if __name__ == "__main__":
    main()
