"""Checks the settings of Redis, at the start and regularly: a failover may bring another server."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from keyturn_credentials.relay.redis_settings import CHECKS, SETTINGS_READ, Shortcoming, shortcomings
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.redis_failures import redis_answers
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

CHECK_SECONDS: Final = 60.0
_RETRY: Final = Backoff(first=2.0, longest=2.0)

_log = structlog.get_logger(__name__)


class RedisCheck:
    """Warns once about each shortcoming, and shows it as a metric while it lasts, as a task. ``replicated``:
    the URL names Sentinels or a cluster. Other servers are recognised by the replicas they have."""

    def __init__(
        self,
        redis: Redis,
        metrics: CollectorRegistry,
        *,
        replicated: bool,
        lease_seconds: float,
        elapsed: Callable[[], float],
    ) -> None:
        self.task: Final = SupervisedTask("redis-check", self._check, elapsed=elapsed, backoff=_RETRY)
        self._redis: Any = redis  # a cluster client has these commands too, with a target
        self._replicated = replicated
        self._lease_seconds = lease_seconds
        self._known: set[Shortcoming] = set()
        self._reported_hidden = False
        self._gauge = Gauge(
            "keyturn_redis_setting_wrong",
            "1 for a setting of Redis that keyturn depends on and that is not as it should be",
            ["setting"],
            registry=metrics,
        )
        self._readable = Gauge(
            "keyturn_redis_settings_readable", "1 if Redis reports its settings", registry=metrics
        )

    async def _check(self) -> float:
        with redis_answers("looking at its settings"):
            await self.look()
        return CHECK_SECONDS

    async def look(self) -> list[Shortcoming]:
        """Compare now. Raises ``REDIS_FAILURES``."""
        try:
            found = await self._settings()
        except ResponseError as error:
            # Some providers and users lack the right to CONFIG GET, so nothing can be said.
            if not self._reported_hidden:
                _log.info("redis_settings_hidden", error=str(error))
            self._reported_hidden = True
            self._readable.set(0)
            return []
        self._readable.set(1)
        replication = await self._redis.info("replication", **await primary_of(self._redis))
        replicas = int(only_answer(replication).get("connected_slaves", 0))
        wrong = shortcomings(
            found,
            replicated=self._replicated or replicas > 0,
            lease_seconds=self._lease_seconds,
            replicas=replicas,
        )
        self._report(wrong)
        return wrong

    def _report(self, wrong: list[Shortcoming]) -> None:
        for setting in CHECKS:
            self._gauge.labels(setting).set(any(each.setting == setting for each in wrong))
        for each in wrong:
            if each not in self._known:
                _log.warning(
                    "redis_setting_wrong",
                    setting=each.setting,
                    found=each.found,
                    wanted=each.wanted,
                    consequence=each.consequence,
                )
        self._known = set(wrong)

    async def _settings(self) -> dict[str, str]:
        answer = await self._redis.config_get(*SETTINGS_READ, **await primary_of(self._redis))
        return {str(name): str(value) for name, value in only_answer(answer).items()}


async def primary_of(redis: Redis | RedisCluster) -> dict[str, Any]:
    """Return options of a command that lead it, in a cluster, to the server that has the partition."""
    if isinstance(redis, RedisCluster):
        await redis.initialize()  # before that, it does not know its servers
        return {"target_nodes": redis.get_node_from_key(Layout().head)}
    return {}


def only_answer(answer: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return the answer itself: a cluster's answer names the server that gave it."""
    only = next(iter(answer.values()), None)
    return only if isinstance(only, Mapping) and len(answer) == 1 else answer
