"""One storm from start to verdict."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.storm.admin import REALM, Admin
from tests.storm.agreement import disagreements
from tests.storm.callers import Callers, Tally
from tests.storm.clients import KeyClient, SecretClient, StormClient
from tests.storm.faults import Faults
from tests.storm.fleet import StormFleet, until_ready
from tests.storm.probes import Probed, Probes

_REGISTER_AT_ONCE = 8
_KEY_CLIENTS = 3
"""Every third client has keys."""


@dataclass(frozen=True)
class Plan:
    """``nodes``, ``clients``: how many. ``rate``: changes a second, for ``seconds``. ``lease``: its seconds.
    ``rest``: mean seconds between two faults of nodes. ``seed``: draws the faults."""

    nodes: int = 20
    seconds: float = 60.0
    rate: float = 50.0
    clients: int = 1200
    lease: float = 3.0
    rest: float = 2.0
    seed: int = 1


@dataclass(frozen=True)
class Verdict:
    """``missing``: faults that did not happen. ``disagreements``: nodes that differ from the database."""

    plan: Plan
    tally: Tally
    probed: Probed
    faults: Counter[str]
    missing: set[str]
    disagreements: list[str]

    @property
    def failures(self) -> list[str]:
        """What went wrong, in words; nothing in a storm that was survived."""
        probes = self.tally.safe * self.plan.nodes
        found = [*self.probed.violations, *self.tally.abandoned, *self.disagreements]
        found += [f"this fault did not happen: {name}" for name in sorted(self.missing)]
        if self.probed.total < probes or probes == 0:
            found.append(f"{self.probed.total} probes for {self.tally.safe} safe changes")
        return found


async def storm(directory: Path, plan: Plan) -> Verdict:
    """Run a storm; the directory keeps the logs."""
    fleet = StormFleet(directory, plan.nodes, plan.lease)
    try:
        await fleet.start()
        admin = Admin(fleet.admin_server, fleet.servers)
        clients = await _register(admin, plan, fleet.admin_server.base_url)
        probes = Probes(fleet.servers)
        callers = Callers(admin, clients, probes)
        faults = Faults(fleet, plan.seed, lease=plan.lease, rest=plan.rest)
        async with asyncio.TaskGroup() as raging:
            raging.create_task(faults.run(plan.seconds))
            raging.create_task(callers.run(rate=plan.rate, seconds=plan.seconds))
        await faults.recover()
        await callers.finish()
        await probes.finish()
        for server in (fleet.admin_server, *fleet.servers):
            await until_ready(server, seconds=60)
        differing = await disagreements(admin, fleet.servers, clients)
        missing = faults.kinds - faults.counts.keys()
        return Verdict(plan, callers.tally, probes.seen, faults.counts, missing, differing)
    finally:
        fleet.stop()


async def _register(admin: Admin, plan: Plan, base_url: str) -> list[StormClient]:
    """Clients with secrets, and clients with as many keys as can be revoked in the time."""
    keys = int(plan.rate * plan.seconds / plan.clients) + 3
    audience = f"{base_url}/realms/{REALM}"
    turns = asyncio.Semaphore(_REGISTER_AT_ONCE)

    async def register(number: int) -> StormClient:
        async with turns:
            if number % _KEY_CLIENTS == 0:
                return await KeyClient.register(admin, f"storm-{number}", audience, keys)
            return await SecretClient.register(admin, f"storm-{number}")

    return list(await asyncio.gather(*(register(number) for number in range(plan.clients))))
