"""Polling at scale: fetches per core, and their lateness, with and without bad URLs."""

import asyncio
import contextlib
import random
import resource
import time
from dataclasses import dataclass, replace

from redis.asyncio import Redis

from benchmarks.key_sets.surroundings import LOOPBACK, Site, jwks_server, nodes_of, redis_server, seal
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.position import Position
from keyturn_shared.redis_client import connect
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.record_transitions import Attempt, with_keys
from keyturn_verifier.key_sets.redis_repository import FetchLeases, KeySetRepository, Queue

LAYOUT = KeySetLayout()
POLICY = KeySetPolicy(allowed_networks=LOOPBACK)


@dataclass(frozen=True)
class PollingResult:
    """One run. Seconds. ``late``: of good URLs, from due to the start of the fetch."""

    fetches_per_second: float
    cpu_per_fetch: float
    late_p50: float
    late_p99: float
    most_requests_to_one_url: int
    bad_requests: int
    redis_bytes_per_url: float
    overdue: int


class Lateness:
    """Notes how late polls of good URLs begin."""

    def __init__(self, channel: KeySetRepository, good: set[str]) -> None:
        self._lease = channel.lease
        self._good = good
        self.late: list[float] = []
        channel.lease = self.lease  # type: ignore[method-assign]  # to come between

    async def lease(self, queue: Queue, count: int, random: float) -> FetchLeases:
        granted = await self._lease(queue, count, random)
        self.late += [each.late_seconds for each in granted.leases if each.id in self._good]
        return granted


async def run(urls: int, bad_share: float, seconds: float, *, at_once: bool) -> PollingResult:
    """Poll for a while. ``at_once``: everything is due from the start, to measure a core's capacity."""
    with redis_server() as redis_url:
        async with jwks_server() as site, contextlib.aclosing(connect(redis_url)) as redis:
            before = (await redis.info("memory"))["used_memory"]
            good, _ = await fill(redis, site, urls, bad_share, spread=0.0 if at_once else 285.0)
            bytes_per_url = ((await redis.info("memory"))["used_memory"] - before) / urls
            policy = replace(POLICY, host_concurrency=1000) if at_once else POLICY
            async with nodes_of(1, redis_url, policy) as [node]:
                lateness = Lateness(node.channel, good)
                cpu, began = _cpu(), time.monotonic()
                await asyncio.sleep(seconds)
                cpu, took = _cpu() - cpu, time.monotonic() - began
                late = sorted(lateness.late)
                depth = await node.channel.depth()
            counts = await site.counts()
    of_bad = sum(count for path, count in counts.items() if path.count("/") > 1)
    total = sum(counts.values())
    return PollingResult(
        fetches_per_second=total / took,
        cpu_per_fetch=cpu / total,
        late_p50=late[len(late) // 2],
        late_p99=late[len(late) * 99 // 100],
        most_requests_to_one_url=max(counts.values()),
        bad_requests=of_bad,
        redis_bytes_per_url=bytes_per_url,
        overdue=depth[Queue.DUE].due,
    )


async def fill(
    redis: Redis, site: Site, urls: int, bad_share: float, spread: float
) -> tuple[set[str], set[str]]:
    """Write records as if every URL had been fetched within the last ``spread`` seconds. Return the ids of
    good and bad ones."""
    keys = KeySet.from_members(
        {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", **_POINT}]}
    )
    draw = random.Random(7)
    good: set[str] = set()
    bad: set[str] = set()
    due: dict[str, float] = {}
    now = time.time()
    pipeline = redis.pipeline(transaction=False)
    for number in range(urls):
        is_bad = draw.random() < bad_share
        kind = draw.choice(("hang/", "hang/", "fail/", "cut/")) if is_bad else ""
        address = KeySetAddress.of(site.url(number, kind))
        (bad if is_bad else good).add(address.id)
        due_in = draw.uniform(0, spread)
        began_at = now - 240 + due_in
        attempt = Attempt(int(began_at * 1000), Position(1, 1), began_at, draw.random())
        empty = KeySetRecord(url=address.url)
        record = with_keys(empty, attempt, keys, {"etag": f'"{number}-{int(number * 0.618 % 1)}"'}, POLICY)
        pipeline.set(LAYOUT.record(address.id), seal().write(record), px=7_200_000)
        pipeline.hset(LAYOUT.used, address.id, int(now * 1000))
        due[address.id] = due_in
        if number % 1000 == 999:
            await pipeline.execute()
    await pipeline.execute()
    # Writing takes a while, and dueness counts from here.
    now = time.time()
    await redis.zadd(LAYOUT.due, {one: int((now + due_in) * 1000) for one, due_in in due.items()})
    return good, bad


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


_POINT = {
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
