"""Objects shared by all parts of a run."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.access_tokens import HeldToken
from tests.simulation.database import Database
from tests.simulation.deployment import Deployment
from tests.simulation.invariants import Invariants
from tests.simulation.network import Network
from tests.simulation.wallet import Wallet
from tests.testkit.virtual_loop import VirtualLoop


@dataclass(slots=True)
class FleetSettings:
    """Settings that operators change during a run. ``partitions``: of used assertions."""

    partitions: int = 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``draw`` is the only source of randomness; ``trace`` takes lines for a reader. ``tokens``: issued by
    nodes, the newest last. ``other_redis``: a shard with some of the partitions of used assertions."""

    loop: VirtualLoop
    draw: random.Random
    network: Network
    redis: Deployment
    database: Database
    invariants: Invariants
    wallet: Wallet
    trace: Callable[[str], None]
    tokens: list[HeldToken] = field(default_factory=list)
    other_redis: Deployment | None = None
    settings: FleetSettings = field(default_factory=FleetSettings)

    def redis_of(self, partition: int) -> Deployment:
        """Return the Redis that has a partition of used assertions: every second one is elsewhere, if there
        is a second Redis."""
        elsewhere = self.other_redis is not None and partition > 0 and partition % 2 == 0
        return self.other_redis if elsewhere and self.other_redis is not None else self.redis
