"""Status of a sink, for ``/health``."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from keyturn.agent.sinks.delivery import SinkError


class Status:
    """Time of the last success of a sink, and reason of its last failure. ``now``: seconds of Unix time."""

    def __init__(self, label: str, *, now: Callable[[], float] = time.time) -> None:
        self.label = label
        self.succeeded_at: float | None = None
        self.failure: str | None = None
        self.current = False
        self._now = now

    def succeed(self, at: float | None = None) -> None:
        """Record a success, now or at that time."""
        self.succeeded_at, self.current = self._now() if at is None else at, True

    def fail(self, reason: str) -> None:
        """Record a failure. ``reason``: without anything secret."""
        self.failure, self.current = reason, False

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Record the success or failure of what is done inside."""
        try:
            yield
        except Exception as error:
            self.fail(reason_of(error))
            raise
        self.succeed()

    def shown(self) -> dict[str, object]:
        """Return the members for ``/health``; times are whole seconds of Unix time."""
        at = None if self.succeeded_at is None else int(self.succeeded_at)
        return {"current": self.current, "last_success": at, "last_error": self.failure}


def reason_of(error: Exception) -> str:
    """Return why a delivery failed. Only texts that are written here or by the system are shown: those of
    others may repeat what was sent."""
    if isinstance(error, SinkError):
        return str(error)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return type(error).__name__
