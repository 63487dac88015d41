"""A document of the provider that is fetched when it is needed, and at most so often."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from keyturn_credentials.oidc.errors import SignInError, unavailable
from keyturn_shared.clock import Clock

FRESH_SECONDS: Final = 600.0
LEAST_INTERVAL: Final = 10.0
"""Seconds between two fetches because something was missing, whatever callers send."""
RETRY_SECONDS: Final = 1.0
"""Seconds after a failed fetch in which there is no other."""
MAX_WAITING: Final = 64

T = TypeVar("T")
_NEVER: Final = float("-inf")


class Refreshed(Generic[T]):
    """Keeps a document for ten minutes. ``fetch`` raises SignInError, and has a time limit of its own."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._value: T | None = None
        self._fetched_at = _NEVER
        self._attempted_at = _NEVER
        self._failure: SignInError | None = None

    async def get(self) -> T:
        """Return the document, fetched within the last ten minutes. Raises SignInError."""
        if (fresh := self._fresh()) is not None:
            return fresh
        async with self._turn:
            if (fresh := self._fresh()) is not None:
                return fresh
            if self._failure and self._clock.elapsed() - self._attempted_at < RETRY_SECONDS:
                raise self._failed_again(self._failure)
            return await self._refresh()

    async def newer(self) -> T:
        """Return the document as it was fetched after this call, at the next time at which that is allowed.
        Callers that wait for it share one fetch. Raises SignInError, also if too many wait already."""
        if self._waiting >= MAX_WAITING:
            raise unavailable(f"{MAX_WAITING} requests are waiting for the provider's keys")
        called_at = self._clock.elapsed()
        self._waiting += 1
        try:
            async with self._turn:
                if self._attempted_at <= called_at:
                    pause = self._allowed_from() - self._clock.elapsed()
                    if pause > 0:
                        await self._sleep(pause)
                    return await self._refresh()
                if self._failure is not None:
                    raise self._failed_again(self._failure)
                assert self._value is not None  # noqa: S101 - an attempt succeeds or fails
                return self._value
        finally:
            self._waiting -= 1

    def _fresh(self) -> T | None:
        return self._value if self._clock.elapsed() - self._fetched_at < FRESH_SECONDS else None

    def _allowed_from(self) -> float:
        """Return when something that was missing may be fetched, by the monotonic clock."""
        least = self._fetched_at + LEAST_INTERVAL
        return least if self._failure is None else max(least, self._attempted_at + RETRY_SECONDS)

    @staticmethod
    def _failed_again(failure: SignInError) -> SignInError:
        """Return a new error for the same reason: one that is raised again keeps growing."""
        return SignInError(failure.reason, failure.detail)

    async def _refresh(self) -> T:
        self._attempted_at = begun = self._clock.elapsed()
        try:
            self._value = await self._fetch()
        except SignInError as error:
            self._failure = error
            raise
        self._failure, self._fetched_at = None, begun
        return self._value
