"""The engines of a run, and the faults of each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

Inject = Callable[[], Awaitable[None]]


class UnknownFaultError(Exception):
    """An engine has no fault of the requested name."""


class Engine(Protocol):
    """A database or Redis that fails."""

    name: str
    redis_url: str
    database_url: str

    @property
    def faults(self) -> Mapping[str, Inject]:
        """Return the faults by name. Each returns when all servers have been told to be back."""
        ...

    async def takes_writes(self) -> bool:
        """Return whether the failed engine can be used now. Never waits long."""
        ...

    async def whole(self) -> bool:
        """Return whether everything is back, so that the next fault meets the same state as the first one."""
        ...
