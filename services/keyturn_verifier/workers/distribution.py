"""Gives each accepted connection to a worker, and counts it until it ends."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from keyturn_shared.http_server.acceptor import Acceptor
from keyturn_shared.http_server.connections import ConnectionLimits, Shortage
from keyturn_verifier.workers.balance import Balance
from keyturn_verifier.workers.given_connections import address_of
from keyturn_verifier.workers.records import Kind, Record
from keyturn_verifier.workers.worker_process import WorkerProcess

_RETRY_SECONDS: Final = 0.05
_NUMBERS: Final = 1 << 32
_KINDS: Final = {
    None: Kind.CONNECTION,
    Shortage.OF_ADDRESS: Kind.CONNECTION_BEYOND_ADDRESS,
    Shortage.OF_ALL: Kind.CONNECTION_BEYOND_ALL,
}


class Distribution:
    """The connections of a node. ``serving``: returns the workers that can be given one."""

    def __init__(self, limits: ConnectionLimits, serving: Callable[[], list[WorkerProcess]]) -> None:
        self._serving = serving
        self._held: deque[tuple[socket.socket, str]] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._number = 0
        self._acceptor: Acceptor | None = None
        self.balance: Final[Balance[WorkerProcess]] = Balance(limits)

    def open(self, listening: socket.socket) -> None:
        """Accept connections from now on."""
        self._acceptor = Acceptor(listening, self._take)

    def close(self) -> None:
        """Accept no further connection."""
        if self._retry is not None:
            self._retry.cancel()
        if self._acceptor is not None:
            self._acceptor.close()
        for accepted, _ in self._held:
            accepted.close()
        self._held.clear()

    def retry(self) -> None:
        """Give away what no worker would take, and accept again when that has been possible."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        while self._held:
            if not self._give(*self._held[0]):
                self._wait()
                return
            self._held.popleft()
        if self._acceptor is not None:
            self._acceptor.resume()

    def returned(self, worker: WorkerProcess, record: Record) -> None:
        """Ask the next worker to make room for a connection; when each was asked, have it refused. ``slot``
        of the record: how many were asked before this one."""
        self.balance.closed(worker, record.number)
        if record.descriptor is None:
            return
        accepted = socket.socket(fileno=record.descriptor)
        address = address_of(accepted)
        ranked, shortage = self.balance.rank(address, self._candidates())
        asked = record.slot + 1
        others, kind = ranked[asked:], _KINDS[shortage]
        if not others:
            others, kind = ranked, Kind.CONNECTION_REFUSED
        if not self._hand_over(accepted, address, record.number, others, kind, asked):
            accepted.close()

    def _take(self, accepted: socket.socket, address: str) -> None:
        if not self._give(accepted, address):
            self._held.append((accepted, address))
            self._wait()

    def _give(self, accepted: socket.socket, address: str) -> bool:
        ranked, shortage = self.balance.rank(address, self._candidates())
        self._number = (self._number + 1) % _NUMBERS
        return self._hand_over(accepted, address, self._number, ranked, _KINDS[shortage])

    def _candidates(self) -> list[WorkerProcess]:
        serving = self._serving()
        # One that is not ready refuses with the reason, as the only process of a node would.
        return [each for each in serving if each.is_ready and each.is_heard] or serving

    def _hand_over(
        self,
        accepted: socket.socket,
        address: str,
        number: int,
        workers: Sequence[WorkerProcess],
        kind: Kind,
        asked: int = 0,
    ) -> bool:
        for worker in workers:
            if worker.hand_over(accepted.fileno(), kind, number, asked):
                self.balance.opened(worker, number, address)
                accepted.close()
                return True
        return False

    def _wait(self) -> None:
        """Accept nothing while no worker takes anything: callers wait in the socket's queue."""
        if self._acceptor is not None:
            self._acceptor.pause()
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.retry)
