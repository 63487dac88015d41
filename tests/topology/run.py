"""One run from start to verdict: each component in turn, under load."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.testkit.admin_client import REALM
from tests.testkit.http_client import Server
from tests.testkit.threaded_key_server import KeyServer
from tests.testkit.tools import run as run_to_end
from tests.topology.callers import Callers, Rates
from tests.topology.components import THIS, Killable, Restartable, Service
from tests.topology.deployment import Deployment, Size
from tests.topology.kept_data import KeptData
from tests.topology.record import Record, failures
from tests.topology.releases import unpack_previous

RESTART: Final = "restart"
KILL: Final = "kill -9"
UPGRADE: Final = "upgrade"
STEADY: Final = "load alone"

Action = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    """One step of a run: what is done to a component. ``may_fail``: requests may fail meanwhile."""

    part: str
    name: str
    action: Action
    may_fail: bool


@dataclass(frozen=True)
class Outcome:
    """``took``: seconds until the component was ready again. ``kinds``: requests by kind. ``failed``:
    the same with the failure. ``wrong``: answers that must never be given."""

    part: str
    name: str
    took: float
    kinds: Counter[str]
    failed: Counter[str]
    may_fail: bool
    wrong: list[str]
    slowest: float
    told: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.wrong and (self.may_fail or not self.failed)


@dataclass(frozen=True)
class Result:
    """``rotated``: rotations of secrets that were in force everywhere when their call returned."""

    outcomes: Sequence[Outcome]
    rotated: int
    wrong: list[str]

    @property
    def passed(self) -> bool:
        return not self.wrong and all(each.passed for each in self.outcomes)


def restarts(components: Sequence[Restartable]) -> list[Step]:
    return [Step(RESTART, each.name, each.restart, may_fail=False) for each in components]


def kills(components: Sequence[Killable]) -> list[Step]:
    return [Step(KILL, each.name, each.kill, may_fail=True) for each in components]


def upgrades(deployment: Deployment) -> list[Step]:
    """Return the steps of docs/operations.md. The former workers of nginx have the former files, by which
    they may close a connection on which a request is on its way."""

    async def upgrade(service: Service) -> None:
        service.release = THIS
        await service.restart()

    gateway = Step(UPGRADE, deployment.gateway.name, deployment.upgrade_gateway, may_fail=True)
    services = deployment.services
    return [
        gateway,
        *(Step(UPGRADE, each.name, partial(upgrade, each), may_fail=False) for each in services),
    ]


@dataclass(frozen=True)
class Plan:
    """``seconds``: the time for all steps; each takes at least ``quiet`` seconds after its component is ready
    again."""

    seconds: float
    quiet: float = 3.0
    size: Size = field(default_factory=Size)
    rates: Rates = field(default_factory=Rates)


async def run(directory: Path, plan: Plan, steps: Callable[[Deployment], list[Step]]) -> Result:
    """Start everything, put it under load, and take the steps."""
    deployment = Deployment(directory, plan.size)
    try:
        await deployment.start()
        with KeyServer() as keys:
            record = Record()
            callers = Callers(deployment.base_url, record, keys)
            await callers.register()
            async with under_load(callers, plan.rates):
                outcomes = await take(steps(deployment), record, plan)
            return Result(outcomes, callers.rotated, await lost_secrets(callers))
    finally:
        deployment.end()


async def run_upgrade(directory: Path, plan: Plan) -> Result:
    """Start the previous release with data, put it under load, and replace its services one by one by this
    release: the credentials services first."""
    deployment = Deployment(directory, plan.size, unpack_previous(directory))
    try:
        await deployment.start()
        with KeyServer() as keys:
            record = Record()
            callers = Callers(deployment.base_url, record, keys)
            await callers.register()
            kept = await KeptData.make(callers.admin, f"{deployment.base_url}/realms/{REALM}")
            async with under_load(callers, plan.rates):
                outcomes = await take(upgrades(deployment), record, plan)
            wrong = [*await lost_secrets(callers), *await kept.lost()]
            server = Server(deployment.base_url, connections=1)
            wrong += [*await kept.refused(server), *await _found_by_doctor(deployment)]
            server.close()
            return Result(outcomes, callers.rotated, wrong)
    finally:
        deployment.end()


async def _found_by_doctor(deployment: Deployment) -> list[str]:
    """Run the last command of the upgrade in docs/operations.md."""
    command, variables = [sys.executable, "-m", "keyturn", "doctor"], deployment.credentials[0].variables
    ended = await asyncio.to_thread(run_to_end, command, environment=variables)
    return [] if ended.returncode == 0 else [f"keyturn doctor: {ended.stdout}{ended.stderr}"]


@asynccontextmanager
async def under_load(callers: Callers, rates: Rates) -> AsyncIterator[None]:
    """Let the callers call; at the end, wait for their last answers."""
    stop = asyncio.Event()
    running = asyncio.create_task(callers.run(rates, stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def take(steps: Sequence[Step], record: Record, plan: Plan) -> list[Outcome]:
    """Take each step, with an equal part of the time; first comes load alone."""
    each_seconds = plan.seconds / (len(steps) + 1)
    outcomes = []
    for step in (Step("-", STEADY, _nothing, may_fail=False), *steps):
        begun = time.monotonic()
        record.strict = not step.may_fail
        await step.action()
        took = time.monotonic() - begun
        await asyncio.sleep(max(plan.quiet, each_seconds - took))
        outcomes.append(_outcome(step, record, begun, took))
    return outcomes


async def lost_secrets(callers: Callers) -> list[str]:
    """Return clients whose secret is not the one that an acknowledged call gave them."""
    wrong = []
    for uuid, secret in callers.known_secrets.items():
        answer = await callers.admin.call("GET", f"/clients/{uuid}/client-secret")
        if json.loads(answer.body)["value"] != secret:
            wrong.append(f"client {uuid} has another secret than the one that was acknowledged")
    return wrong


def _outcome(step: Step, record: Record, begun: float, took: float) -> Outcome:
    samples = record.between(begun, time.monotonic())
    return Outcome(
        step.part,
        step.name,
        took,
        Counter(each.kind for each in samples),
        failures(samples),
        step.may_fail,
        [f"{each.kind}: {each.verdict.wrong}" for each in samples if each.verdict.wrong],
        max((each.ended - each.began for each in samples), default=0.0),
        [f"{each.kind}: {each.verdict.failure}: {each.told}" for each in samples if each.verdict.failure],
    )


async def _nothing() -> None:
    """Change nothing."""
