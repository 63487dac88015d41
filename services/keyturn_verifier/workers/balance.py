"""The choice of a worker for a connection, and the limits on connections over all workers. Pure."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from keyturn_shared.http_server.connections import ConnectionLimits, Shortage
from keyturn_shared.network.trusted_proxies import network_of

W = TypeVar("W", bound=Hashable)


class Balance(Generic[W]):
    """Counts the open connections of each worker, in all and by address (IPv6: by /64 network)."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._networks: dict[W, dict[int, str]] = {}
        self._by_network: Counter[str] = Counter()
        self._by_worker: dict[W, Counter[str]] = {}
        self._chosen_at: dict[W, int] = {}
        self._turn = 0
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def open_of(self, worker: W) -> int:
        """Return the number of its open connections."""
        return len(self._networks.get(worker, ()))

    def rank(self, address: str, workers: Sequence[W]) -> tuple[list[W], Shortage | None]:
        """Return the workers in the order in which they should get a connection, and the limit beyond which
        it is.

        The one with the fewest open connections is first; of several, the one that was chosen longest ago.
        Beyond a limit it is the one with the most connections, of that address or of all, since one of those
        must give way.
        """
        network = network_of(address)
        is_exempt = not address or self._limits.is_exempt(address)
        if not is_exempt and self._by_network[network] >= self._limits.per_address:
            most = sorted(workers, key=lambda worker: self._of(worker)[network], reverse=True)
            return most, Shortage.OF_ADDRESS
        if self._total >= self._limits.total:
            return sorted(workers, key=self.open_of, reverse=True), Shortage.OF_ALL
        return sorted(workers, key=lambda each: (self.open_of(each), self._chosen_at.get(each, 0))), None

    def opened(self, worker: W, number: int, address: str) -> None:
        """Count a connection that a worker was given."""
        network = network_of(address)
        self._turn += 1
        self._chosen_at[worker] = self._turn
        self._networks.setdefault(worker, {})[number] = network
        self._by_worker.setdefault(worker, Counter())[network] += 1
        self._by_network[network] += 1
        self._total += 1

    def closed(self, worker: W, number: int) -> None:
        """Note the end of a connection, if it was counted."""
        network = self._networks.get(worker, {}).pop(number, None)
        if network is None:
            return
        self._total -= 1
        _take_one(self._by_worker[worker], network)
        _take_one(self._by_network, network)

    def forget(self, worker: W) -> None:
        """Note that a worker has ended, and its connections with it."""
        for number in list(self._networks.get(worker, ())):
            self.closed(worker, number)
        self._networks.pop(worker, None)
        self._by_worker.pop(worker, None)
        self._chosen_at.pop(worker, None)

    def _of(self, worker: W) -> Counter[str]:
        return self._by_worker.get(worker, Counter())


def _take_one(counts: Counter[str], network: str) -> None:
    counts[network] -= 1
    if not counts[network]:
        del counts[network]
