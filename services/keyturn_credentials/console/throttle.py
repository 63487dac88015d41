"""Slowing down those who guess at the sign-in."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from keyturn_shared.clock import Clock

ALLOWED_FAILURES: Final = 10
WINDOW_SECONDS: Final = 300.0
_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Throttle:
    """Counts failed sign-ins by address within a window. Each instance counts for itself: secrets have 256
    bits, so this keeps logs and processors quiet rather than guessers out."""

    clock: Clock
    _failures: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def is_open(self, address: str) -> bool:
        """Whether this address may try."""
        begun, count = self._failures.get(address, (0.0, 0))
        return count < ALLOWED_FAILURES or self.clock.elapsed() - begun > WINDOW_SECONDS

    def note_failure(self, address: str) -> None:
        now = self.clock.elapsed()
        begun, count = self._failures.pop(address, (now, 0))
        if now - begun > WINDOW_SECONDS:
            begun, count = now, 0
        self._failures[address] = (begun, count + 1)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def forgive(self, address: str) -> None:
        """A sign-in succeeded."""
        self._failures.pop(address, None)
