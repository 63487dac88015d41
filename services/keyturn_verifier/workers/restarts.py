"""Pauses before a worker that has ended is started again. Pure."""

from typing import Final

from keyturn_shared.runtime.backoff import Backoff

STEADY_SECONDS: Final = 10.0
"""Seconds after which the end of a worker is not counted as another failure to start."""
GIVE_UP_AFTER: Final = 5
"""Failures in a row after which a node whose workers never served ends."""
_BACKOFF: Final = Backoff(first=0.5, longest=30.0)


class Restarts:
    """The failures in a row of one worker."""

    def __init__(self) -> None:
        self.failures = 0

    def pause_after(self, lasted: float, jitter: float = 1.0) -> float:
        """Note an end after so many seconds. Return the seconds until the next start. ``jitter``: from 0 to
        1."""
        if lasted >= STEADY_SECONDS:
            self.failures = 0
            return 0.0
        self.failures += 1
        return _BACKOFF.seconds(self.failures, jitter)
