"""Faults at the edges of a storm, drawn from a seed: each kind at each edge."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

from tests.storm.edges import EDGES, Edges, proxies
from tests.testkit.tcp_proxy import TcpProxy

_ALL: Final = 0.4
"""Probability that a fault affects all pairs of an edge, not one."""
_SLOW_BYTES_PER_SECOND: Final = (2_000.0, 50_000.0)
_IDLE_SECONDS: Final = 0.2


class NetworkFaults:
    """``counts``: by kind and edge. ``lease``: seconds, to which the faults' durations relate."""

    def __init__(self, edges: Edges, seed: int, *, lease: float) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._edges = edges
        self._random = random.Random(f"network {seed}")
        self._lease = lease
        self._kinds: dict[str, Callable[[TcpProxy], None]] = {
            "delay": self._delay,
            "cut": TcpProxy.cut,
            "idle cut": lambda proxy: proxy.cut_idle(_IDLE_SECONDS),
            "freeze": TcpProxy.fall_silent,
            "half-open": TcpProxy.lose_peers,
            "bandwidth": self._narrow,
        }

    @property
    def all(self) -> set[tuple[str, str]]:
        """Return every kind at every edge."""
        return set(itertools.product(self._kinds, EDGES))

    async def run(self, seconds: float, *, count: int) -> None:
        """Inject ``count`` faults in that time. All combinations come before any comes again."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as lasting:
            for number, (kind, edge) in enumerate(itertools.islice(self._drawn(), count)):
                await asyncio.sleep(max(0.0, begun + seconds * number / count - loop.time()))
                pairs = self._edges.links[edge]
                struck = pairs if self._random.random() < _ALL else [self._random.choice(pairs)]
                lasting.create_task(self._strike(kind, [proxy for pair in struck for proxy in pair]))
                self.counts[kind, edge] += 1

    def recover(self) -> None:
        for proxy in proxies(self._edges.links):
            proxy.restore()

    def _drawn(self) -> itertools.chain[tuple[str, str]]:
        faults = sorted(self.all)
        return itertools.chain.from_iterable(
            self._random.sample(faults, len(faults)) for _ in itertools.count()
        )

    async def _strike(self, kind: str, struck: list[TcpProxy]) -> None:
        long = self._random.random() < 0.25
        seconds = self._random.uniform(1.0, 2.0) * self._lease if long else self._random.uniform(0.05, 1.0)
        for proxy in struck:
            self._kinds[kind](proxy)
        try:
            await asyncio.sleep(seconds)
        finally:
            for proxy in struck:
                proxy.restore()

    def _delay(self, proxy: TcpProxy) -> None:
        proxy.delay = self._random.uniform(0.005, 0.3)

    def _narrow(self, proxy: TcpProxy) -> None:
        proxy.bytes_per_second = self._random.uniform(*_SLOW_BYTES_PER_SECOND)
