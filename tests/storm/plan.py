"""Size of a storm, and its guarantee."""

from dataclasses import dataclass
from typing import Final

from tests.storm.history import Promise

_MARGIN_SECONDS: Final = 1.0
"""``KEYTURN_LEASE_MARGIN_SECONDS``."""


@dataclass(frozen=True)
class Plan:
    """``nodes``, ``clients``: numbers. ``rate``: changes per second, ``asks``: other requests per second, for
    ``seconds``. ``lease``: seconds.

    ``rest``: mean seconds between two faults of nodes, ``network``: between two at an edge. ``patience``:
    seconds for which callers wait for an answer beyond the requested wait. ``seed``: of all draws.
    ``without``: protections that the first nodes lack, joined by + for one node, and separated by commas; the
    check must notice. ``sqlite``: the database, which then has no edge.
    """

    nodes: int = 20
    seconds: float = 60.0
    rate: float = 10.0
    asks: float = 60.0
    clients: int = 200
    lease: float = 3.0
    rest: float = 2.0
    network: float = 1.2
    patience: float = 4.0
    seed: int = 1
    without: str = ""
    sqlite: bool = False

    @property
    def staleness(self) -> float:
        """Seconds without a look at the database after which nodes refuse."""
        return 2 * self.lease

    @property
    def promise(self) -> Promise:
        """Return the guarantee: a lease that was renewed before the relay saw a change has ended after that
        time."""
        return Promise(max(self.lease, self.staleness) + _MARGIN_SECONDS)
