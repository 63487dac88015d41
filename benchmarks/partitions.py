"""Used assertions in one slot of a Redis Cluster, and spread over its three shards.

A driver marks assertions as a node does, sixteen in a batch and two marks each, first in the partition of the
event log, then in 48 partitions. What counts is the processor time of the busiest Redis process for each
assertion: its reciprocal is the rate at which that process would be the limit, wherever the driver runs.
Renewals are left out.

    python -m benchmarks.partitions [--rounds 3] [--assertions 60000]
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import provenance
from benchmarks.results import Figure, figure, ratio
from benchmarks.verifier.processor_time import processor_seconds
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.partitions import ONE_PARTITION, Partitioning
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import connect
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import ClusterGroup

_BATCH: Final = 16
_AT_ONCE: Final = 32
_SPREAD: Final = Partitioning((48,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--assertions", type=int, default=60_000)
    provenance.add_option(parser)
    chosen = parser.parse_args()
    before = provenance.busy_before()
    with tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(measure(Path(directory), chosen.rounds, chosen.assertions))
    provenance.hand_over(
        chosen.results,
        "partitions",
        found,
        excluded=("renewals of leases",),
        programs=("Redis",),
        busy=before,
    )


async def measure(directory: Path, rounds: int, assertions: int) -> list[Figure]:
    """Print what a mark costs the busiest Redis process, in both ways, and how they compare."""
    processes = Processes(directory)
    try:
        group = await ClusterGroup.start(processes, directory / "redis")
        redis = connect(group.url)
        scripts = RedisScripts(redis)
        for number in {0, *_SPREAD.all}:
            await _open(scripts, number)
        pids = [server.process.pid for server in group.servers if server is not group.replica]
        numbers = itertools.count()
        costs: dict[Partitioning, list[float]] = {ONE_PARTITION: [], _SPREAD: []}
        for _ in range(rounds):
            for partitioning, found in costs.items():
                before = [processor_seconds(pid) for pid in pids]
                await _mark(scripts, partitioning, assertions, numbers)
                used = [processor_seconds(pid) - at for pid, at in zip(pids, before, strict=True)]
                found.append(max(used) / assertions)
                shares = " ".join(f"{seconds / sum(used):.0%}" for seconds in used)
                print(f"partitions {partitioning}: {1e6 * found[-1]:.2f} µs of the busiest; shares {shares}")
        one, spread = (statistics.median(found) for found in costs.values())
        print(f"{1 / one:,.0f}/s and {1 / spread:,.0f}/s at the limit: {one / spread:.2f} times as many")
        await redis.aclose()
        in_one, in_many = ([1e6 * each for each in found] for found in costs.values())
        return [
            figure("processor time of the busiest", "one partition", "µs", in_one),
            figure(
                "processor time of the busiest",
                "48 partitions",
                "µs",
                in_many,
                ratios=[ratio("one partition", in_many, in_one)],
            ),
        ]
    finally:
        processes.end_all()


async def _open(scripts: RedisScripts, number: int) -> None:
    channel = RelayChannel(scripts, LeaseTerms(), Layout(number))
    seen = await channel.look()
    opened = await channel.open_epoch(
        1, 0, "", b"", seen=seen, closed_nonce=None, fresh=True, statement=b"", claimants=None
    )
    assert opened


async def _mark(
    scripts: RedisScripts, partitioning: Partitioning, assertions: int, numbers: Iterator[int]
) -> None:
    """Mark new assertions in full batches, several at the same time."""
    waiting: dict[int, list[AssertionUse]] = {number: [] for number in partitioning.all}
    batches: list[tuple[int, list[AssertionUse]]] = []
    for _ in range(assertions):
        jti = f"assertion-{next(numbers)}"
        (number,) = partitioning.of(jti)
        waiting[number].append(AssertionUse(("a" * 32, "b" * 36), jti, 60.0, 1.0))
        if len(waiting[number]) == _BATCH:
            batches.append((number, waiting[number]))
            waiting[number] = []
    work = iter(batches)

    async def drive() -> None:
        for number, uses in work:
            await AssertionRegistry(scripts, 15.0, Layout(number)).mark_used(uses)

    await asyncio.gather(*(drive() for _ in range(_AT_ONCE)))


if __name__ == "__main__":
    main()
