"""``make simulate SEEDS=10000``: run the fleet protocol under many seeds, or one with its trace."""

import argparse
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.simulation.protections import PROTECTIONS
from tests.simulation.redis_model.branches import Taken
from tests.simulation.results import Total, append_result, next_seed
from tests.simulation.session import frozen, session
from tests.simulation.shrinking import shrink
from tests.simulation.world import Outcome

_CHUNK = 25
_SAMPLED = 20
"""Branches are counted in one seed of so many: counting takes a while."""


Run = tuple[list[Outcome], Taken]


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seconds", type=float, help="begin no more of them after this time")
    parser.add_argument(
        "--results", type=Path, help="a file to append a line to: what was run, of which commit, how fast"
    )
    parser.add_argument(
        "--resume", action="store_true", help="with --results: go on after the last seed that is there"
    )
    parser.add_argument("--seed", type=int, help="replay this one and show what happens")
    parser.add_argument(
        "--shrink",
        action="store_true",
        help="with --seed: leave out every fault that the violation does not need",
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="processes to run seeds in, by default one for each processor",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=sorted(PROTECTIONS),
        metavar="PROTECTION",
        help="switch a protection off, and stop at the first violation; may be repeated",
    )
    parser.add_argument(
        "--intruded",
        action="store_true",
        help="somebody writes to Redis as he likes, and nothing may come of it",
    )
    parser.add_argument("--protections", action="store_true", help="list the protections")
    chosen = parser.parse_args()
    if chosen.protections:
        for protection in PROTECTIONS.values():
            print(f"{protection.name:24} {protection.means}")
        return 0
    if chosen.seed is not None:
        dropped: Collection[int] = ()
        if chosen.shrink:
            dropped, _ = shrink(chosen.seed, chosen.without)
        return _replay(chosen.seed, chosen.without, intruded=chosen.intruded, dropped=dropped)
    first, end = chosen.first, chosen.first + chosen.seeds
    if chosen.resume and chosen.results is not None:
        first = max(first, next_seed(chosen.results))
    total = _explore(
        range(first, end), chosen.without, chosen.processes, intruded=chosen.intruded, seconds=chosen.seconds
    )
    if chosen.results is not None:
        append_result(chosen.results, total, first=first, without=chosen.without, intruded=chosen.intruded)
    return 1 if total.violations else 0


def _replay(seed: int, missing: list[str], *, intruded: bool, dropped: Collection[int]) -> int:
    with session(missing, intruded=intruded, dropped=dropped) as run:
        outcome = run(seed, print)
    print(_line(outcome, missing, intruded=intruded) if outcome.violation else f"seed {seed}: no violation")
    return 1 if outcome.violation else 0


def _explore(
    seeds: range, missing: list[str], processes: int, *, intruded: bool, seconds: float | None
) -> Total:
    total, begun = Total(), time.monotonic()
    chunks = _chunks(seeds, until=None if seconds is None else begun + seconds)
    for outcome in _outcomes(chunks, missing, processes, total.taken, intruded=intruded):
        total.add(outcome)
        if outcome.violation is not None:
            print(_line(outcome, missing, intruded=intruded), flush=True)
            if missing:
                break
    total.seconds = time.monotonic() - begun
    print(f"{total.seeds} seeds in {total.seconds:.1f} s, {total.seeds_per_second:.1f} seeds/s")
    print(f"{total.checks} checks; {total.safe_waits} waits safe, {total.pending_waits} not in time")
    print("answers: " + ", ".join(f"{count} {code}" for code, count in total.answers.most_common()))
    missed = total.taken.missed()
    print(
        f"branches of the scripts: {len(total.taken.counts) - len(missed)} of {len(total.taken.counts)} taken"
        f" by one seed in {_SAMPLED}"
    )
    for branch in missed:
        print(f"  not taken: {branch}")
    print(f"{len(total.violations) or 'no'} violation{'' if len(total.violations) == 1 else 's'}")
    return total


def _chunks(seeds: range, *, until: float | None) -> Iterator[range]:
    for at in range(0, len(seeds), _CHUNK):
        if until is not None and time.monotonic() >= until:
            return
        yield seeds[at : at + _CHUNK]


def _outcomes(
    chunks: Iterator[range], missing: list[str], processes: int, taken: Taken, *, intruded: bool
) -> Iterator[Outcome]:
    work = partial(_run, missing=missing, intruded=intruded)
    with ExitStack() as stack:
        if processes == 1:
            results: Iterator[Run] = map(work, chunks)
        else:
            executor = stack.enter_context(ProcessPoolExecutor(processes, get_context("fork")))
            stack.callback(executor.shutdown, cancel_futures=True)
            results = _in_order(executor, work, chunks, ahead=2 * processes)
        for outcomes, seen in results:
            taken.add(seen)
            yield from outcomes


def _in_order(
    executor: Executor, work: Callable[[range], Run], chunks: Iterator[range], *, ahead: int
) -> Iterator[Run]:
    """Results in the order of their seeds. Few chunks wait for a process, so that the time limit holds."""
    under_way: deque[Future[Run]] = deque()
    for chunk in chunks:
        under_way.append(executor.submit(work, chunk))
        if len(under_way) >= ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _run(seeds: range, missing: list[str], intruded: bool) -> Run:
    taken = Taken()
    with session(missing, intruded=intruded, taken=taken, sampled=_SAMPLED) as run:
        outcomes = [run(seed, None) for seed in seeds]
    return outcomes, taken


def _line(outcome: Outcome, missing: list[str], *, intruded: bool) -> str:
    flags = "".join(f" --without {name}" for name in missing) + (" --intruded" if intruded else "")
    return (
        f"VIOLATION with seed {outcome.seed} after {outcome.at:.2f} s: {outcome.violation}\n"
        f"  replay: python -m tests.simulation --seed {outcome.seed}{flags}"
    )


if __name__ == "__main__":
    with frozen():
        status = main()
    sys.exit(status)
