"""One storm from start to verdict."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.storm.agreement import unsettled
from tests.storm.callers import Callers
from tests.storm.faults import Faults
from tests.storm.fleet import until_ready
from tests.storm.linearizability import Judged, check
from tests.storm.network_faults import NetworkFaults
from tests.storm.plan import Plan
from tests.storm.stage import Stage, staged


@dataclass(frozen=True)
class Verdict:
    """``missing``: faults of processes that did not happen. ``unsettled``: what is wrong at the end."""

    plan: Plan
    stage: Stage
    callers: Callers
    judged: Judged
    faults: Counter[str]
    network: Counter[tuple[str, str]]
    missing: set[str]
    unsettled: list[str]

    @property
    def failures(self) -> list[str]:
        """Return what went wrong, in words, once per register; empty if the fleet survived."""
        first = {(each.rule, each.about): each for each in reversed(self.judged.violations)}
        found = [str(violation) for violation in first.values()]
        found += [*self.stage.probes.silent, *self.callers.abandoned, *self.unsettled]
        return found + [f"this fault did not happen: {name}" for name in sorted(self.missing)]


async def storm(directory: Path, plan: Plan) -> Verdict:
    """Run a storm; the directory keeps the logs."""
    async with staged(directory, plan) as stage:
        fleet, recorder, probes = stage.fleet, stage.recorder, stage.probes
        callers = Callers(stage.actors, recorder, probes, random.Random(f"callers {plan.seed}"))
        faults = Faults(fleet, plan.seed, lease=plan.lease, rest=plan.rest)
        network = NetworkFaults(fleet.edges, plan.seed, lease=plan.lease)
        async with asyncio.TaskGroup() as raging:
            raging.create_task(faults.run(plan.seconds))
            raging.create_task(network.run(plan.seconds, count=round(plan.seconds / plan.network)))
            raging.create_task(callers.run(rate=plan.rate, asks=plan.asks, seconds=plan.seconds))
        network.recover()
        await faults.recover()
        await callers.finish()
        await probes.finish()
        for server in (fleet.admin_server, *fleet.servers, fleet.gateway):
            await until_ready(server, seconds=180)
        wrong = await unsettled(stage.admin, plan.nodes)
        await _ask_once_more(stage, callers)
        judged = await asyncio.to_thread(check, recorder.history, plan.promise)
        missing = faults.kinds - faults.counts.keys()
        return Verdict(plan, stage, callers, judged, faults.counts, network.counts, missing, wrong)


async def _ask_once_more(stage: Stage, callers: Callers) -> None:
    """Check that everything seen at one node holds at all of them once another change is complete."""
    await callers.ask_about_everything(1)
    await stage.make("last")
    await callers.ask_about_everything(3)
