"""Looks at the settings of Redis, at the start and now and then: a fail-over may bring another server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError, ResponseError

from keyturn_credentials.relay.redis_settings import ASKED, Shortcoming, shortcomings
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.tasks import Background

CHECK_SECONDS: Final = 60.0
_SOON_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


class RedisCheck(Background):
    """Warns once of each shortcoming, and shows it as a metric for as long as it is there.

    ``replicated``: the URL names Sentinels or a cluster. Other servers show it by the replicas they have.
    """

    def __init__(
        self,
        redis: Redis,
        metrics: CollectorRegistry,
        *,
        replicated: bool,
        lease_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__("redis-check")
        self._redis: Any = redis  # a cluster's client has these commands too, with a target
        self._replicated = replicated
        self._lease_seconds = lease_seconds
        self._sleep = sleep
        self._known: set[Shortcoming] = set()
        self._told_hidden = False
        self._gauge = Gauge(
            "keyturn_redis_setting_wrong",
            "1 for a setting of Redis that keyturn depends on and that is not as it should be",
            ["setting"],
            registry=metrics,
        )
        self._readable = Gauge(
            "keyturn_redis_settings_readable", "Whether Redis tells its settings", registry=metrics
        )

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
                pause = CHECK_SECONDS
            except (RedisError, OSError, TimeoutError) as error:
                # Redis is away; that is told by those who need it more.
                _log.debug("redis_settings_not_read", error=repr(error))
                pause = _SOON_SECONDS
            await self._sleep(pause)

    async def look(self) -> list[Shortcoming]:
        """Compare now. Raises RedisError, OSError, TimeoutError."""
        try:
            found = await self._settings()
        except ResponseError as error:
            # Providers and users without the right to CONFIG GET; nothing can be said.
            if not self._told_hidden:
                _log.info("redis_settings_hidden", error=str(error))
            self._told_hidden = True
            self._readable.set(0)
            return []
        self._readable.set(1)
        replication = await self._redis.info("replication", **await self._target())
        replicated = self._replicated or int(_first(replication).get("connected_slaves", 0)) > 0
        wrong = shortcomings(found, replicated=replicated, lease_seconds=self._lease_seconds)
        self._tell(wrong)
        return wrong

    def _tell(self, wrong: list[Shortcoming]) -> None:
        for setting in ASKED:
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
        answer = await self._redis.config_get(*ASKED, **await self._target())
        return {str(name): str(value) for name, value in _first(answer).items()}

    async def _target(self) -> dict[str, Any]:
        """In a cluster, the server that has the partition."""
        if isinstance(self._redis, RedisCluster):
            await self._redis.initialize()  # before it has, it does not know its servers
            return {"target_nodes": self._redis.get_node_from_key(Layout().head)}
        return {}


def _first(answer: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """An answer of a cluster names the server that gave it."""
    only = next(iter(answer.values()), None)
    return only if isinstance(only, Mapping) and len(answer) == 1 else answer
