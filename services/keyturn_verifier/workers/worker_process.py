"""A worker as its parent sees it."""

import asyncio
import contextlib
import signal
import socket
import subprocess
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from keyturn_verifier.workers.records import Kind, Record, RecordChannel

HEARD_SECONDS: Final = 3.0
"""Seconds without a report after which a worker gets no further connection, if another one can."""
HANGING_CHECKS: Final = 30
"""Checks in a row without a report between them, after which a worker is killed. They are counted, since time
also passes while the whole machine stands still."""


class WorkerProcess:
    """A process in a slot. ``received``: gets its first report, and each record that is not one. ``over``:
    called at its end.

    ``up``: it serves. ``ready``: it was ready once. ``gone``: it wants no further connection, or has ended.
    ``ended``: the process is over, after which the other events are set too.
    """

    def __init__(
        self,
        slot: int,
        received: "Callable[[WorkerProcess, Record], None]",
        over: "Callable[[WorkerProcess], None]",
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = received
        self._over = over
        self._process: Process
        self._channel: RecordChannel
        self._watching: asyncio.Task[None]
        self._heard_at = 0.0
        self._is_silent = False
        self._silent_checks = 0
        self.slot = slot
        self.started_at = self._loop.time()
        self.is_ready = False
        self.exit_code: int | None = None
        self.up = asyncio.Event()
        self.ready = asyncio.Event()
        self.gone = asyncio.Event()
        self.ended = asyncio.Event()

    @classmethod
    async def start(
        cls,
        slot: int,
        command: Sequence[str],
        environment: Mapping[str, str],
        received: "Callable[[WorkerProcess, Record], None]",
        over: "Callable[[WorkerProcess], None]",
    ) -> "WorkerProcess":
        """Start a process. It gets its slot and the number of its descriptor as further arguments."""
        worker = cls(slot, received, over)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                worker._process = await asyncio.create_subprocess_exec(
                    *(*command, str(slot), str(theirs.fileno())),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # Ctrl-C in a terminal is for the parent, which tells the workers
                )
            except BaseException:  # also on cancellation: nothing else closes it
                ours.close()
                raise
        worker._channel = RecordChannel(ours, worker._note, worker._leave, with_descriptors=False)
        worker._watching = asyncio.create_task(worker._watch())
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_serving(self) -> bool:
        """Tell whether it can be given connections."""
        return self.up.is_set() and not self.gone.is_set()

    @property
    def is_heard(self) -> bool:
        """Tell whether it has reported lately: one that hangs does not."""
        return self._loop.time() - self._heard_at < HEARD_SECONDS

    def check(self) -> bool:
        """Return whether it hangs. Called about once a second."""
        self._silent_checks = self._silent_checks + 1 if self._is_silent and self.up.is_set() else 0
        self._is_silent = True
        return self._silent_checks >= HANGING_CHECKS

    def hand_over(self, descriptor: int, kind: Kind, number: int = 0, slot: int = 0) -> bool:
        """Send a record with a copy of a descriptor. Return whether there was room for it."""
        return self._channel.send_with(descriptor, kind, number, slot)

    def tell(self, kind: Kind, number: int = 0, slot: int = 0) -> None:
        """Send a record."""
        self._channel.send(kind, number, slot)

    def retire(self) -> None:
        """Give it no further connection, and let it end those that it has."""
        self.gone.set()
        self.tell(Kind.RETIRE)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def wait(self, seconds: float) -> None:
        """Wait for its end, and kill it after these seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        except TimeoutError:
            self.kill()
            await self.ended.wait()

    def _note(self, record: Record) -> None:
        if record.kind in (Kind.READY, Kind.NOT_READY):
            self._heard_at = self._loop.time()
            self._is_silent = False
            self.is_ready = record.kind is Kind.READY
            is_first = not self.up.is_set()
            self.up.set()
            if self.is_ready:
                self.ready.set()
            if not is_first:
                return
        elif record.kind is Kind.LEAVING:
            self.retire()
            return
        self._received(self, record)

    def _leave(self) -> None:
        self.gone.set()

    async def _watch(self) -> None:
        self.exit_code = await self._process.wait()
        self.is_ready = False
        self._channel.close()
        for event in (self.ended, self.gone, self.up, self.ready):
            event.set()
        self._over(self)
