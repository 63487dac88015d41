"""One engine from start to verdict: each fault, followed by recovery."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.engines.deployment import Deployment
from tests.engines.engine import Engine, UnknownFaultError
from tests.engines.judging import ENGINE, Report, Span, report, tasks_dead
from tests.engines.load import STEADY, Load, Rates
from tests.engines.postgresql import PostgreSql
from tests.engines.record import Record, Sample, of_kind
from tests.engines.redis_faults import Cluster, WatchedBySentinel
from tests.testkit.processes import Processes
from tests.testkit.redis_groups import start_server
from tests.testkit.waiting import wait_until

ENGINES: Final = ("cluster", "sentinel", "postgresql")
_PROBE_SECONDS: Final = 0.05
_OK, _AWAY = 200, 503


@dataclass(frozen=True)
class Plan:
    """``faults``: by name; all if empty. ``quiet``: seconds without a refusal after which a fault is over;
    ``patience``: limit for that. ``keys``: how many of each client's keys can be revoked."""

    engine: str
    faults: Sequence[str] = ()
    nodes: int = 3
    rates: Rates = field(default_factory=Rates)
    quiet: float = 5.0
    patience: float = 120.0
    keys: int = 60


async def run(directory: Path, plan: Plan) -> list[Report]:
    """Run the faults of one engine; the directory keeps the processes' logs. Raises UnknownFaultError."""
    processes = Processes(directory)
    try:
        async with started(processes, directory, plan.engine) as engine:
            if unknown := set(plan.faults) - engine.faults.keys():
                raise UnknownFaultError(
                    f"{engine.name} has no {sorted(unknown)}; it has {list(engine.faults)}"
                )
            deployment = Deployment(processes, directory, engine.redis_url, engine.database_url, plan.nodes)
            await deployment.start()
            return await _faults(engine, deployment, plan)
    finally:
        processes.end_all()


@asynccontextmanager
async def started(processes: Processes, directory: Path, name: str) -> AsyncIterator[Engine]:
    """Start the engine of that name, with the simplest possible form of everything else."""
    sqlite = f"sqlite+aiosqlite:///{directory / 'keyturn.db'}"
    match name:
        case "cluster":
            yield await Cluster.start(processes, directory / "redis", sqlite)
        case "sentinel":
            yield await WatchedBySentinel.start(processes, directory / "redis", sqlite)
        case "postgresql":
            server = start_server(processes, directory / "redis", appendonly="yes")
            await wait_until(server.answers, timeout=60)
            async with PostgreSql.started(directory, f"redis://127.0.0.1:{server.port}/0") as engine:
                yield engine
        case _:
            raise ValueError(f"there is no engine {name!r}")


async def _faults(engine: Engine, deployment: Deployment, plan: Plan) -> list[Report]:
    record, stop = Record(), asyncio.Event()
    load = Load(deployment.base_url, record)
    await load.register(plan.keys)
    async with asyncio.TaskGroup() as running:
        running.create_task(load.run(plan.rates, stop))
        running.create_task(_watch(engine, record, stop))
        try:
            await _until_quiet(engine, record, plan, since=time.monotonic())
            names = plan.faults or engine.faults
            happened = [await _one(engine, deployment, load, record, plan, name) for name in names]
        finally:
            stop.set()
    # Not before every request has ended: those in progress are the slow ones.
    reports = [
        replace(made, failures=each.failures + made.failures)
        for each in happened
        for made in [report(engine.name, each.name, record, each.span)]
    ]
    reports[-1].failures.extend(record.violations[sum(each.violations for each in happened) :])
    return reports


@dataclass(frozen=True)
class _Happened:
    """A fault that is over. ``violations``: how many the record gained meanwhile; ``failures`` has them."""

    name: str
    span: Span
    failures: list[str]
    violations: int


async def _one(
    engine: Engine, deployment: Deployment, load: Load, record: Record, plan: Plan, name: str
) -> _Happened:
    before = await deployment.tasks()
    begun, already = time.monotonic(), len(record.violations)
    failures = []
    await engine.faults[name]()
    try:
        await _until_quiet(engine, record, plan, since=time.monotonic())
    except AssertionError as error:
        failures.append(f"not well again: {error}")
    over = time.monotonic()
    failures += tasks_dead(before, await deployment.tasks())
    failures += [
        f"{client} is lost, although its creation was acknowledged" for client in await load.missing()
    ]
    new = record.violations[already:]
    moved = engine.moved if isinstance(engine, PostgreSql) else None
    return _Happened(name, Span(begun, over, moved), failures + new, len(new))


async def _until_quiet(engine: Engine, record: Record, plan: Plan, *, since: float) -> None:
    """Wait until there was no refusal for a while, and the engine is complete."""

    async def quiet() -> bool:
        begun = time.monotonic() - plan.quiet
        if begun < since:
            return False
        recent = record.between(begun, time.monotonic())
        for kind in (*STEADY, ENGINE):
            those = of_kind(recent, kind)
            if not those or not all(each.accepted for each in those):
                return False
        return await engine.whole()

    await wait_until(quiet, timeout=plan.patience, interval=0.25)


async def _watch(engine: Engine, record: Record, stop: asyncio.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        status = _OK if await engine.takes_writes() else _AWAY
        record.samples.append(Sample(ENGINE, began, time.monotonic(), status))
        await asyncio.sleep(_PROBE_SECONDS)
