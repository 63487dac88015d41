"""Samples of the processes of a deployment: memory, descriptors, Redis, PostgreSQL and their own metrics."""

import asyncio
import json
from collections.abc import Iterator
from typing import Final, cast

import httpx
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from tests.testkit.postgres import PostgresServer
from tests.testkit.process_memory import usage_of
from tests.testkit.redis_reading import execute
from tests.topology.components import Service
from tests.topology.deployment import Deployment
from tests.topology.soak.judging import HEAD

_MIB: Final = 2**20
_CACHES: Final = {
    "keyturn_node_cached_states": "cached states",
    "keyturn_token_cache_size": "cached tokens",
}
_DATABASE: Final = """
SELECT json_build_object(
  'database', pg_database_size(current_database()),
  'WAL', (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()),
  'tables', (SELECT json_object_agg(relname, pg_total_relation_size(relid)) FROM pg_stat_user_tables)
)
"""


class Sampler:
    """Takes a sample of everything at once; names of series begin with the name of the process."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._http = httpx.AsyncClient(trust_env=False, timeout=30)

    async def take(self) -> dict[str, float]:
        """Return the values by series."""
        parts = await asyncio.gather(
            *(self._service(service) for service in self._deployment.services),
            self._redis(),
            asyncio.to_thread(_database, self._deployment.database.server, self._deployment.database_name),
        )
        values = dict(self._processes())
        for part in parts:
            head = max(values.get(HEAD, 0.0), part.get(HEAD, 0.0))
            values |= part | {HEAD: head}
        return values

    async def close(self) -> None:
        await self._http.aclose()

    def _processes(self) -> Iterator[tuple[str, float]]:
        deployment = self._deployment
        pids = {service.name: service.pid for service in deployment.services}
        pids |= {"nginx": deployment.gateway.pid, "PostgreSQL": deployment.database.server.pid}
        redis = [*deployment.redis.group.servers, deployment.redis.group.sentinel]
        names = [*(f"Redis {number}" for number in range(1, len(redis))), "Sentinel"]
        pids |= {name: server.process.pid for name, server in zip(names, redis, strict=True)}
        for name, pid in pids.items():
            usage = usage_of(pid)
            yield f"{name}: RSS", usage.rss_mib
            yield f"{name}: descriptors", usage.descriptors
            yield f"{name}: threads", usage.threads

    async def _service(self, service: Service) -> dict[str, float]:
        page = (await self._http.get(f"{service.url}/metrics")).raise_for_status().text
        found, count = dict[str, float](), 0
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                count += 1
                if sample.name in _CACHES:
                    found[f"{service.name}: {_CACHES[sample.name]}"] = sample.value
                if sample.name == "keyturn_relay_head":
                    found[HEAD] = sample.value
        return found | {f"{service.name}: series of metrics": float(count)}

    async def _redis(self) -> dict[str, float]:
        primary = await self._deployment.redis.group.primary()
        async with primary.client() as client:
            memory = await client.info("memory")
            events = await _stream(client, Layout().events)
            refusals = await _stream(client, Layout().refusals)
            keys = await client.dbsize()
            length = await client.xlen(Layout().events)
        return {
            "Redis: memory without the logs": (memory["used_memory"] - events - refusals) / _MIB,
            "Redis: refusals": refusals / _MIB,
            "Redis: event log": events / _MIB,
            "Redis: entries of the event log": length,
            "Redis: keys": keys,
        }


async def _stream(client: Redis, key: str) -> int:
    """Return the bytes of a stream, estimated by Redis from all its nodes."""
    return cast("int | None", await execute(client, "MEMORY USAGE", key, "SAMPLES", 0)) or 0


def _database(server: PostgresServer, name: str) -> dict[str, float]:
    sizes = json.loads(server.execute(_DATABASE, name))
    tables = {f"table {table}": size for table, size in sizes.pop("tables").items()}
    return {f"PostgreSQL: {what}": size / _MIB for what, size in {**sizes, **tables}.items()}
