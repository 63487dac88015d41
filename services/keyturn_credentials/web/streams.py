"""Server-sent event streams: limited in number, and open only while their caller may see them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as CounterMetric
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import (
    ForbiddenError,
    StreamsExhaustedError,
    TooManyStreamsError,
    UnauthenticatedError,
)
from keyturn_credentials.fleet.broadcast import FleetBroadcast, Watcher
from keyturn_shared.clock import Clock
from keyturn_shared.errors import KeyturnError

STREAM_SECONDS: Final = 300.0
"""Maximum duration of a stream; the browser reconnects by itself."""
_UNREAD_SECONDS: Final = 30.0
"""Additional time to end when the caller does not read."""
AUTHORISED_SECONDS: Final = 60.0
"""Longest time a stream continues without re-authenticating its caller."""
CHECK_SECONDS: Final = 20.0
"""Interval of re-authentication without any event: a session may have been signed out, a token expired."""
_LEAST_PAUSE: Final = 1.0
"""Pause between two such checks of one stream, however many events concern its caller; nothing is sent
meanwhile."""

Authorise = Callable[[], Awaitable[Principal]]
"""Returns the caller as it is now. Raises UnauthenticatedError and ForbiddenError."""


class StreamLimits:
    """Limits on streams, in all and per caller."""

    def __init__(self, most: int, most_of_one: int, metrics: CollectorRegistry) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._open: Counter[tuple[str, str]] = Counter()
        self._gauge = Gauge("keyturn_streams", "Open event streams", registry=metrics)
        self._refusals = CounterMetric(
            "keyturn_stream_refusals", "Event streams refused, by limit", ["limit"], registry=metrics
        )

    def take(self, principal: Principal) -> Callable[[], None]:
        """Take a place for one stream of this caller, and return the function that gives it back. Raises
        TooManyStreamsError and StreamsExhaustedError."""
        caller = principal.identity
        if self._open[caller] >= self._most_of_one:
            self._refusals.labels("caller").inc()
            raise TooManyStreamsError(
                f"this caller has {self._open[caller]} open streams; the limit is {self._most_of_one}"
            )
        if self._open.total() >= self._most:
            self._refusals.labels("all").inc()
            raise StreamsExhaustedError(f"{self._most} streams are open, the maximum")
        self._open[caller] += 1
        self._gauge.inc()

        def release() -> None:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
            self._gauge.dec()

        return release


class EventStream(StreamingResponse):
    """A response that gives its place back however it ends, and ends even if the caller does not read."""

    def __init__(self, lines: AsyncIterator[bytes], release: Callable[[], None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(lines, media_type="text/event-stream", headers=headers)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(STREAM_SECONDS + _UNREAD_SECONDS):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            pass  # unread data goes with the connection
        finally:
            self._release()


async def fleet_lines(
    broadcast: FleetBroadcast, principal: Principal, authorise: Authorise, clock: Clock
) -> AsyncIterator[bytes]:
    """Yield the fleet as server-sent events, until the time is over or the caller may no longer see it."""
    yield b"retry: 1000\n\n"
    ends_at = clock.elapsed() + STREAM_SECONDS
    async with broadcast.watch(principal) as watcher:
        standing = _Authorisation(watcher, authorise, clock)
        while clock.elapsed() < ends_at:
            await watcher.next(_LEAST_PAUSE)
            if not await standing.holds():
                return
            # Nothing is sent while the permission is unchecked: news waits for the result.
            notice = None if watcher.stale else watcher.take()
            if notice is not None:
                yield b"data: " + notice.text(watcher.principal) + b"\n\n"


class _Authorisation:
    """Authorization state of a stream's caller."""

    def __init__(self, watcher: Watcher, authorise: Authorise, clock: Clock) -> None:
        self._watcher = watcher
        self._authorise = authorise
        self._clock = clock
        self._held_at = clock.elapsed()
        self._asked_at = float("-inf")

    async def holds(self) -> bool:
        """Check again if it is due. Return False if the caller may no longer see the stream, or if no check
        has succeeded for ``AUTHORISED_SECONDS``."""
        now = self._clock.elapsed()
        if now - self._held_at >= CHECK_SECONDS:
            self._watcher.stale = True
        if not self._watcher.stale or now - self._asked_at < _LEAST_PAUSE:
            return True
        self._asked_at = now
        self._watcher.stale = False  # an event during the check marks it as stale again
        try:
            self._watcher.principal = await self._authorise()
        except (UnauthenticatedError, ForbiddenError):
            return False
        except KeyturnError:
            self._watcher.stale = True
            return now - self._held_at < AUTHORISED_SECONDS
        self._held_at = now
        return True
