"""Watching the nodes while a change is made."""

import asyncio
import time
from collections.abc import Awaitable

from keyturn.demo.operator import Change, Operator


class FleetWatch:
    """Looks at the fleet all the time while a change is made: when had each node applied it?"""

    def __init__(self, operator: Operator, realm: str) -> None:
        self._operator = operator
        self._realm = realm
        self._seen: list[tuple[float, dict[str, int]]] = []

    async def during(self, change: Awaitable[Change]) -> tuple[Change, float, dict[str, float]]:
        """The change, the ms until its call returned, and per node the ms until it was seen to be applied."""
        begun = time.perf_counter()
        watching = asyncio.create_task(self._look(), name="fleet-watch")
        try:
            made = await change
            returned = (time.perf_counter() - begun) * 1000
            if made.confirmed:
                await self._look_once()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        first_seen: dict[str, float] = {}
        for moment, applied in self._seen:
            for node, sequence in applied.items():
                if sequence >= made.sequence:
                    first_seen.setdefault(node, (moment - begun) * 1000)
        return made, returned, first_seen

    async def _look(self) -> None:
        while True:
            await self._look_once()

    async def _look_once(self) -> None:
        document = await self._operator.fleet(self._realm)
        self._seen.append((time.perf_counter(), {node["id"]: node["applied"] for node in document["nodes"]}))
