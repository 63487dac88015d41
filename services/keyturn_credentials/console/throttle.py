"""Throttling of repeated sign-in failures."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from keyturn_credentials.errors import UnauthenticatedError
from keyturn_shared.clock import Clock
from keyturn_shared.network.trusted_proxies import network_of

ALLOWED_FAILURES: Final = 10
WINDOW_SECONDS: Final = 300.0
WAIT_SECONDS: Final = 10.0
"""Seconds a sign-in waits for others from its address to be decided."""
_REMEMBERED: Final = 10_000


class TooManyFailuresError(Exception):
    """The address may not try for now."""


@dataclass(slots=True)
class _Attempts:
    """Attempts of one address: ``all`` of them, and those ``under_way``, which no longer wait for others."""

    all: int = 0
    under_way: int = 0
    decided: asyncio.Event = field(default_factory=asyncio.Event)

    def decide_one(self) -> None:
        self.under_way -= 1
        self.decided.set()
        self.decided = asyncio.Event()


@dataclass(slots=True)
class Throttle:
    """Counts failed sign-ins by address within a window, those of an IPv6 caller by its /64.

    Each instance counts for itself: secrets have 256 bits, so this protects logs and processors rather than
    secrets. Parallel guesses achieve no more than sequential ones: those in progress and those that failed
    never exceed ``ALLOWED_FAILURES`` together, and further ones wait.
    """

    clock: Clock
    wait_seconds: float = WAIT_SECONDS
    _failures: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)
    _attempts: dict[str, _Attempts] = field(default_factory=dict)

    def is_open(self, address: str) -> bool:
        """Return whether the address may try."""
        return self._failed(network_of(address)) < ALLOWED_FAILURES

    @asynccontextmanager
    async def attempt(self, address: str) -> AsyncIterator[None]:
        """Surround one sign-in.

        ``UnauthenticatedError`` inside counts as a failure, a normal end clears earlier failures, and any
        other error counts as neither. Raises ``TooManyFailuresError`` if the address has failed too often, or
        if others from it are not decided within ``wait_seconds``.
        """
        key = network_of(address)
        attempts = self._attempts.setdefault(key, _Attempts())
        attempts.all += 1
        try:
            await self._wait_for_turn(key, attempts)
            attempts.under_way += 1
            try:
                yield
                self._failures.pop(key, None)
            except UnauthenticatedError:
                self._note_failure(key)
                raise
            finally:
                attempts.decide_one()
        finally:
            attempts.all -= 1
            if not attempts.all:
                del self._attempts[key]

    async def _wait_for_turn(self, key: str, attempts: _Attempts) -> None:
        try:
            async with asyncio.timeout(self.wait_seconds):
                while (failed := self._failed(key)) + attempts.under_way >= ALLOWED_FAILURES:
                    if failed >= ALLOWED_FAILURES:
                        raise TooManyFailuresError
                    await attempts.decided.wait()
        except TimeoutError:
            raise TooManyFailuresError from None

    def _failed(self, key: str) -> int:
        begun, count = self._failures.get(key, (0.0, 0))
        return 0 if self.clock.elapsed() - begun > WINDOW_SECONDS else count

    def _note_failure(self, key: str) -> None:
        now = self.clock.elapsed()
        begun, count = self._failures.pop(key, (now, 0))
        if now - begun > WINDOW_SECONDS:
            begun, count = now, 0
        self._failures[key] = (begun, count + 1)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
