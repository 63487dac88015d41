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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``draw`` is the only source of randomness; ``trace`` takes lines for a reader. ``tokens``: issued by
    nodes, the newest last."""

    loop: VirtualLoop
    draw: random.Random
    network: Network
    redis: Deployment
    database: Database
    invariants: Invariants
    wallet: Wallet
    trace: Callable[[str], None]
    tokens: list[HeldToken] = field(default_factory=list)
