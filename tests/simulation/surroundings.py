"""What every part of a run shares."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.clients import Wallet
from tests.simulation.database import Database
from tests.simulation.deployment import Deployment
from tests.simulation.invariants import Invariants
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Network


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``draw`` is the one source of chance; ``trace`` takes a line for those who read along."""

    loop: VirtualLoop
    draw: random.Random
    network: Network
    redis: Deployment
    database: Database
    invariants: Invariants
    wallet: Wallet
    trace: Callable[[str], None]
