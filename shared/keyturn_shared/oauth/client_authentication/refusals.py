"""Recorder of refused authentications: a sample, so that no caller can fill Redis or push others' out."""

from collections import Counter, deque
from collections.abc import Iterable
from itertools import islice
from typing import Final, Protocol

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.refusals import Refusal
from keyturn_shared.network.trusted_proxies import network_of
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

MAX_OF_CLIENT: Final = 5
MAX_OF_ADDRESS: Final = 30
MAX_OF_ALL: Final = 200
"""Refusals that a process records in a minute: of one client, from one address (IPv6: /64), in all."""
MAX_UNWRITTEN: Final = 1000
WRITE_SECONDS: Final = 2.0
_MINUTE: Final = 60
_BATCH: Final = 200
_MAX_NAME: Final = 255
_RETRY: Final = Backoff(first=2.0, longest=30.0)


class Registry(Protocol):
    """Stores refusals. Raises RedisUnavailableError."""

    async def write(self, refusals: Iterable[Refusal]) -> None: ...


class RefusalRecorder:
    """Takes refusals without waiting, and writes them together. ``task``: run it."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._minute = 0
        self._of_clients: Counter[tuple[str, str]] = Counter()
        self._of_addresses: Counter[str] = Counter()
        self._unwritten: deque[Refusal] = deque()
        self.task: Final = SupervisedTask("refusals", self.write, backoff=_RETRY, elapsed=clock.elapsed)

    def note(self, realm: str, client_id: str, *, code: str, method: str, address: str | None) -> None:
        """Note that this client was refused now, unless enough of that is known for this minute."""
        now = self._clock.now()
        if int(now) // _MINUTE != self._minute:
            self._minute = int(now) // _MINUTE
            self._of_clients.clear()
            self._of_addresses.clear()
        client = (realm[:_MAX_NAME], client_id[:_MAX_NAME])
        network = "" if address is None else network_of(address)
        if (
            self._of_clients.total() >= MAX_OF_ALL
            or self._of_clients[client] >= MAX_OF_CLIENT
            or self._of_addresses[network] >= MAX_OF_ADDRESS
            or len(self._unwritten) >= MAX_UNWRITTEN
        ):
            return
        self._of_clients[client] += 1
        self._of_addresses[network] += 1
        self._unwritten.append(Refusal(*client, code, method, address, now))

    async def write(self) -> float:
        """Write everything noted so far. Return the seconds until the next write. Raises
        RedisUnavailableError; what was not written stays noted."""
        while self._unwritten:
            batch = list(islice(self._unwritten, _BATCH))
            await self._registry.write(batch)
            for _ in batch:
                self._unwritten.popleft()
        return WRITE_SECONDS
