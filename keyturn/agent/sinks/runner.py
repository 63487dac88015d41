"""Deliver the secret in use to one sink, again and again until the sink has it."""

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import httpx
import msgspec

from keyturn.agent.sinks.delivery import Delivery, Sink, SinkDisabledError, SinkError
from keyturn.agent.sinks.record import Entry, Record, digest_of, new_salt
from keyturn.agent.sinks.status import Status, reason_of
from keyturn.client.secrets import ClientSecret
from keyturn_shared.runtime.backoff import Backoff

_LOOK_SECONDS: Final = 1.0
_ATTEMPT_SECONDS: Final = 30.0
_PAUSES: Final = Backoff(first=1.0, longest=300.0)

_log = logging.getLogger(__name__)


class SinkRunner:
    """Keeps one sink current. A failure is logged, without the secret, and tried again at growing intervals;
    another secret is tried at once. ``now``: seconds of Unix time, for the record. ``clock``: a monotonic
    one, for pauses. ``attempt_seconds``: limit of one attempt."""

    def __init__(
        self,
        sink: Sink,
        secret: ClientSecret,
        record: Record,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        attempt_seconds: float = _ATTEMPT_SECONDS,
    ) -> None:
        self._sink = sink
        self._secret = secret
        self._record = record
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._attempt_seconds = attempt_seconds
        self._seen: str | None = None
        self._waiting: Entry | None = None
        self._begun = self._next = 0.0
        self._failures = 0
        self._disabled = False
        self.status = Status(sink.label, now=now)

    async def run(self) -> NoReturn:
        """Look every second whether there is something to deliver, for as long as the task runs."""
        while True:
            await self.look()
            await self._sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Deliver the secret in use if it is time to."""
        secret = self._secret.reveal()
        if secret != self._seen:
            self._waiting, self._seen = self._undelivered(secret), secret
            self._begun = self._next = self._clock()
            self._failures = 0
        if self._waiting is None or self._disabled or self._clock() < self._next:
            return
        try:
            await self._deliver(secret, self._waiting)
        except SinkDisabledError as disabled:
            self._disabled = True
            _log.error("%s is disabled until the agent starts again: %s", self._sink.label, disabled)
        except (SinkError, httpx.HTTPError, OSError) as error:
            self._fail(reason_of(error))

    def _undelivered(self, secret: str) -> Entry | None:
        """Return the entry of a delivery that is to be made; None if the sink has this secret. A delivery
        that was begun before a restart goes on."""
        entry = self._record.read(self._sink.label)
        if entry is not None and entry.is_of(self._sink.settings, secret):
            if entry.delivered_at is None:
                return entry
            self.status.succeed(entry.delivered_at)
            return None
        self.status.current = False
        salt = new_salt()
        digest = digest_of(salt, self._sink.settings, secret)
        notes = {} if entry is None else entry.notes
        entry = Entry(salt=salt, digest=digest, id=uuid.uuid4().hex, since=self._now(), notes=notes)
        self._record.write(self._sink.label, entry)
        return entry

    async def _deliver(self, secret: str, entry: Entry) -> None:
        delivery = Delivery(id=entry.id, since=entry.since, secret=secret, notes=entry.notes)
        with self.status.watch():
            async with asyncio.timeout(self._attempt_seconds):
                notes = await self._sink.deliver(delivery)
        self._waiting = None
        done = msgspec.structs.replace(entry, delivered_at=self._now(), notes=dict(notes))
        self._record.write(self._sink.label, done)

    def _fail(self, reason: str) -> None:
        self._failures += 1
        patience = self._sink.patience
        if patience is not None and self._clock() - self._begun >= patience:
            self._waiting = None
            _log.error("%s: given up until there is another secret: %s", self._sink.label, reason)
            return
        _log.warning("%s does not have the secret in use: %s", self._sink.label, reason)
        self._next = self._clock() + _PAUSES.seconds(self._failures, self._jitter())
