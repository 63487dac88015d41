"""A real Prometheus with the shipped jobs and rules, and its HTTP API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.testkit.debian import debian_program
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes
from tests.testkit.tools import REPOSITORY, ToolError
from tests.testkit.waiting import wait_until

_SHIPPED: Final = REPOSITORY / "deploy" / "prometheus" / "prometheus.yaml"
_START_SECONDS: Final = 60.0
_QUERY_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Series:
    """``points``: Unix times and values; of an instant query, one."""

    labels: dict[str, str]
    points: Sequence[tuple[float, float]]


class Prometheus:
    """Scrapes at ``addresses``, by the name that each has in the shipped configuration, such as
    ``verifier-1:8080``; names that have no address are left out. ``more``: jobs that others add to it, with
    their addresses by name."""

    def __init__(
        self,
        processes: Processes,
        directory: Path,
        addresses: Mapping[str, str],
        *,
        more: Mapping[str, Mapping[str, str]],
        scrape_seconds: int,
    ) -> None:
        self._directory, self._scrape_seconds = directory, scrape_seconds
        self._processes = processes
        port = find_free_port()
        self._port = port
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=_QUERY_SECONDS
        )
        self._configuration = configuration(
            yaml.safe_load(_SHIPPED.read_text()), addresses, more, scrape_seconds
        )

    async def start(self) -> None:
        """Start it, and wait until it has scraped every process and evaluated every rule."""
        self._directory.mkdir()
        file = self._directory / "prometheus.yaml"
        file.write_text(yaml.safe_dump(self._configuration))
        self._process = self._processes.start(
            [
                debian_program("prometheus", "usr/bin/prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={self._directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ],
            cwd=self._directory,
        )
        await wait_until(self._works, timeout=_START_SECONDS, interval=0.2)

    async def close(self) -> None:
        await self._http.aclose()

    async def range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Evaluate a query at equal steps. Raises ToolError if Prometheus refuses it."""
        found = await self._ask("/query_range", query=query, start=start, end=end, step=step)
        return [_series(each["metric"], each["values"]) for each in found["result"]]

    async def instant(self, query: str, at: float) -> list[Series]:
        """Evaluate a query at one time. Raises ToolError if Prometheus refuses it."""
        found = await self._ask("/query", query=query, time=at)
        if found["resultType"] == "scalar":
            return [_series({}, [found["result"]])]
        return [_series(each["metric"], [each["value"]]) for each in found["result"]]

    async def _ask(self, path: str, **parameters: str | float) -> dict[str, Any]:
        answer = (await self._http.get(path, params=parameters)).json()
        if answer["status"] != "success":
            raise ToolError(f"Prometheus: {answer['error']}: {parameters}")
        data: dict[str, Any] = answer["data"]
        return data

    async def _works(self) -> bool:
        if not self._process.alive:
            raise ToolError(f"Prometheus ended: {self._process.output()[-2000:]}")
        try:
            if (await self._http.get("/targets")).status_code == 503:  # it still loads
                return False
            targets = (await self._ask("/targets"))["activeTargets"]
            groups = (await self._ask("/rules"))["groups"]
        except httpx.HTTPError:
            return False
        rules = [rule for group in groups for rule in group["rules"]]
        return all(each["health"] == "up" for each in targets) and all(
            each["health"] == "ok" for each in rules
        )


def configuration(
    shipped: dict[str, Any],
    addresses: Mapping[str, str],
    more: Mapping[str, Mapping[str, str]],
    scrape_seconds: int,
) -> dict[str, Any]:
    """Return the shipped configuration for these addresses; the processes keep their shipped names. Jobs
    whose targets are found by DNS are left out: there is none."""
    interval = f"{scrape_seconds}s"
    jobs = []
    for job in shipped["scrape_configs"]:
        if "static_configs" not in job:
            continue
        named = [name for part in job["static_configs"] for name in part["targets"]]
        jobs.append(
            {
                **job,
                "static_configs": _targets({name: addresses[name] for name in named if name in addresses}),
            }
        )
    jobs += [{"job_name": name, "static_configs": _targets(targets)} for name, targets in more.items()]
    return {
        **shipped,
        "global": {**shipped["global"], "scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(_SHIPPED.parent / file) for file in shipped["rule_files"]],
        "scrape_configs": jobs,
    }


def _targets(addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"targets": [address], "labels": {"instance": name}} for name, address in addresses.items()]


def _series(labels: dict[str, str], values: Sequence[tuple[float, str]]) -> Series:
    return Series(labels, [(float(time), float(value)) for time, value in values])
