"""Gives each accepted connection to a worker, and counts it until it ends."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from keyturn_shared.http_server.acceptor import Acceptor
from keyturn_shared.http_server.connections import ConnectionLimits, Shortage
from keyturn_verifier.workers.balance import Balance
from keyturn_verifier.workers.records import Kind, Record
from keyturn_verifier.workers.worker_process import WorkerProcess

_RETRY_SECONDS: Final = 0.05
_NUMBERS: Final = 1 << 32
_KINDS: Final = {
    None: Kind.CONNECTION,
    Shortage.OF_ADDRESS: Kind.CONNECTION_BEYOND_ADDRESS,
    Shortage.OF_ALL: Kind.CONNECTION_BEYOND_ALL,
}


class _Untaken(NamedTuple):
    """A connection that a worker was given and has not taken yet."""

    accepted: socket.socket
    address: str


class Distribution:
    """The connections of a node. ``serving``: returns the workers that can be given one.

    The parent keeps each connection until its worker has taken it. If the worker ends before, another one
    gets it.
    """

    def __init__(self, limits: ConnectionLimits, serving: Callable[[], list[WorkerProcess]]) -> None:
        self._serving = serving
        self._held: deque[_Untaken] = deque()
        self._untaken: dict[WorkerProcess, dict[int, _Untaken]] = {}
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
        for untaken in (self._held, *(given.values() for given in self._untaken.values())):
            for each in untaken:
                each.accepted.close()
        self._held.clear()
        self._untaken.clear()

    def retry(self) -> None:
        """Give away what no worker would take, and accept again when that has been possible."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        while self._held:
            if not self._give(self._held[0]):
                self._wait()
                return
            self._held.popleft()
        if self._acceptor is not None:
            self._acceptor.resume()

    def taken(self, worker: WorkerProcess, number: int) -> None:
        """Let go of a connection that a worker has."""
        untaken = self._untaken.get(worker, {}).pop(number, None)
        if untaken is not None:
            untaken.accepted.close()

    def returned(self, worker: WorkerProcess, record: Record) -> None:
        """Ask the next worker to make room for a connection; when each was asked, have it refused."""
        self.balance.closed(worker, record.number)
        untaken = self._untaken.get(worker, {}).pop(record.number, None)
        if untaken is None:
            return
        ranked, shortage = self.balance.rank(untaken.address, self._candidates())
        asked = record.slot + 1
        others, kind = ranked[asked:], _KINDS[shortage]
        if not others:
            others, kind = ranked, Kind.CONNECTION_REFUSED
        if not self._hand_over(untaken, others, kind, asked):
            untaken.accepted.close()

    def forget(self, worker: WorkerProcess) -> None:
        """Note that a worker has ended, and give to others what it had not taken."""
        self.balance.forget(worker)
        for untaken in self._untaken.pop(worker, {}).values():
            self._take(*untaken)

    def _take(self, accepted: socket.socket, address: str) -> None:
        untaken = _Untaken(accepted, address)
        if not self._give(untaken):
            self._held.append(untaken)
            self._wait()

    def _give(self, untaken: _Untaken) -> bool:
        ranked, shortage = self.balance.rank(untaken.address, self._candidates())
        return self._hand_over(untaken, ranked, _KINDS[shortage])

    def _candidates(self) -> list[WorkerProcess]:
        serving = self._serving()
        # One that is not ready refuses with the reason, as the only process of a node would.
        return [each for each in serving if each.is_ready and each.is_heard] or serving

    def _hand_over(
        self, untaken: _Untaken, workers: Sequence[WorkerProcess], kind: Kind, asked: int = 0
    ) -> bool:
        self._number = (self._number + 1) % _NUMBERS
        for worker in workers:
            if worker.hand_over(untaken.accepted.fileno(), kind, self._number, asked):
                self.balance.opened(worker, self._number, untaken.address)
                self._untaken.setdefault(worker, {})[self._number] = untaken
                return True
        return False

    def _wait(self) -> None:
        """Accept nothing while no worker takes anything: callers wait in the socket's queue."""
        if self._acceptor is not None:
            self._acceptor.pause()
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.retry)
