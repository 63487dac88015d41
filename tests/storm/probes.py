"""Probes: after a change, every node is asked about its subject; a stopped one is asked when it continues."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

from tests.storm.credentials import Shown
from tests.storm.history import Verdict
from tests.storm.recorder import Recorder
from tests.testkit.http_client import Server

_MAX_SECONDS: Final = 150.0
_AGAIN_SECONDS: Final = 0.3


class Probes:
    """Asks until there is an answer; ``until_decided``: a conclusive one. The expected answer is not known
    here. ``silent``: nodes that never gave one."""

    def __init__(self, recorder: Recorder, nodes: list[Server], gateway: Server) -> None:
        self.silent: list[str] = []
        self.until_decided = False
        self._recorder = recorder
        self._nodes = nodes
        self._gateway = gateway
        self._tasks: set[asyncio.Task[None]] = set()

    def any_server(self, draw: random.Random) -> Server:
        """Return a node."""
        return draw.choice(self._nodes)

    def any_way(self, draw: random.Random, *, gateway: bool) -> Server:
        """Return a node, or the gateway."""
        return draw.choice([*self._nodes, self._gateway] if gateway else self._nodes)

    def begin(self, make: Callable[[], Shown]) -> list[asyncio.Task[None]]:
        """Present to every node what ``make`` makes."""
        tasks = [asyncio.create_task(self._probe(node, make)) for node in self._nodes]
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return tasks

    async def finish(self) -> None:
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _probe(self, node: Server, make: Callable[[], Shown]) -> None:
        until = time.monotonic() + _MAX_SECONDS
        while time.monotonic() < until:
            shown = make()
            seen = await self._recorder.show(node, shown)
            if seen.verdict is not Verdict.UNDECIDED or (seen.answered and not self.until_decided):
                return
            await asyncio.sleep(_AGAIN_SECONDS)
        self.silent.append(f"{node.base_url} never answered about the {shown.name}")
