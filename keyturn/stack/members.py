"""Ids of the stack's nodes in the fleet: each run of a node has its own."""

import asyncio
import time
from collections.abc import Collection
from types import TracebackType
from typing import Final, Self

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.redis_client import connect

_POLL_SECONDS: Final = 0.05


class Members:
    """Reads the registry of nodes."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url)
        self._registry = FleetRegistry(RedisScripts(self._client))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def ids(self, pids: Collection[int], *, seconds: float) -> dict[int, str]:
        """Map process ids to node ids, once all have joined; without the missing ones after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            known = await self._known()
            if known.keys() >= set(pids) or time.monotonic() > deadline:
                return {pid: known[pid] for pid in pids if pid in known}
            await asyncio.sleep(_POLL_SECONDS)

    async def _known(self) -> dict[int, str]:
        try:
            view = await self._registry.view()
        except RedisUnavailableError:
            return {}
        newest_last = sorted(view.nodes, key=lambda node: node.renewed_at)
        return {node.details["pid"]: node.node_id for node in newest_last if "pid" in node.details}
