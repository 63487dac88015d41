"""Exponential backoff with jitter.

A pure function, for loops: time and randomness are arguments. stamina, which repeats a single call, sleeps
and draws by itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses of ``first`` seconds after one failure, doubled for each further one in a row, at most
    ``longest``."""

    first: float = 0.05
    longest: float = 5.0

    def seconds(self, failures: int, jitter: float = 1.0) -> float:
        """Return the pause after this many failures in a row. ``jitter``: drawn from 0 to 1; it scales half
        of the pause, so that callers that failed together do not retry together."""
        doublings = min(failures - 1, 64)  # beyond that, a float overflows long after ``longest``
        return min(self.first * 2.0**doublings, self.longest) * (0.5 + jitter / 2)
