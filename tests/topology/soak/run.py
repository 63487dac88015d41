"""One soak: a deployment under a steady load, sampled at equal intervals."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Final

import httpx
from redis.exceptions import RedisError

from tests.testkit.threaded_key_server import KeyServer
from tests.testkit.tools import ToolError
from tests.topology.callers import Callers, Rates
from tests.topology.deployment import Deployment, Size
from tests.topology.record import Record, Sample, failures
from tests.topology.run import lost_secrets, under_load
from tests.topology.soak.judging import Judgement, judge
from tests.topology.soak.sampling import Sampler

LOAD: Final = Rates(
    secrets=60.0,
    keys=40.0,
    url_keys=10.0,
    introspections=40.0,
    verifications=34.0,
    rotations=1.0,
    ended=5.0,
    console=2.0,
    admin_reads=2.0,
    passing=0.2,
)
"""200 requests a second: a rotation makes three of them, a passing client six, and a console poll two."""
_MILLISECONDS: Final = 1000


@dataclass(frozen=True)
class Plan:
    """``interval``: seconds between samples. ``warm_up``: seconds before the first sample that counts."""

    seconds: float
    interval: float
    warm_up: float
    size: Size = field(default_factory=Size)
    rates: Rates = LOAD


@dataclass
class Results:
    """``samples``: seconds since the start, and values by series. ``requests``: by kind. ``failed``: the same
    with the failure, and ``told`` examples of them. ``wrong``: answers that must never be given."""

    warm_up: float
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def judgements(self) -> list[Judgement]:
        return judge(self.samples, self.warm_up)

    @property
    def passed(self) -> bool:
        return not self.wrong and not self.failed and all(each.holds for each in self.judgements)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)))

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read what ``write`` has written."""
        document = json.loads(path.read_text())
        return cls(
            document["warm_up"],
            [(at, values) for at, values in document["samples"]],
            Counter(document["requests"]),
            Counter(document["failed"]),
            document["told"],
            document["wrong"],
        )


async def run(directory: Path, plan: Plan, kept: Path | None = None) -> Results:
    """Run it. ``kept``: a file that gets the results after each sample, so that an aborted run has some."""
    deployment, results = Deployment(directory, plan.size), Results(plan.warm_up)
    try:
        await deployment.start()
        with KeyServer() as keys:
            record = Record()
            callers = Callers(deployment.base_url, record, keys)
            await callers.register()
            sampler = Sampler(deployment)
            async with under_load(callers, plan.rates):
                await _sample(plan, sampler, callers, record, results, kept)
            await sampler.close()
            results.wrong += await lost_secrets(callers)
            return results
    finally:
        deployment.end()


async def _sample(
    plan: Plan, sampler: Sampler, callers: Callers, record: Record, results: Results, kept: Path | None
) -> None:
    begun = time.monotonic()
    for number in range(1, round(plan.seconds / plan.interval) + 1):
        due = begun + number * plan.interval
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        ended, record.samples = record.samples, []
        values = _load(ended, callers, results, plan.interval)
        try:
            values |= await sampler.take()
        except (httpx.HTTPError, RedisError, ToolError) as error:
            results.failed[f"sample: {type(error).__name__}"] += 1
        results.samples.append((time.monotonic() - begun, values))
        if kept is not None:
            results.write(kept)


def _load(ended: Sequence[Sample], callers: Callers, results: Results, seconds: float) -> dict[str, float]:
    """Count the requests that ended since the sample before; return the series of the load."""
    failed = failures(list(ended))
    results.requests.update(each.kind for each in ended)
    results.failed.update(failed)
    results.told += [
        f"{each.kind}: {each.verdict.failure}: {each.told}" for each in ended if each.verdict.failure
    ]
    results.wrong += [f"{each.kind}: {each.verdict.wrong}" for each in ended if each.verdict.wrong]
    took = [_MILLISECONDS * (each.ended - each.began) for each in ended]
    hundredths = quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    return {
        "requests a second": len(ended) / seconds,
        "failed requests": failed.total(),
        "calls left out": callers.left_out,
        "latency: median": hundredths[49],
        "latency: 99th percentile": hundredths[98],
    }
