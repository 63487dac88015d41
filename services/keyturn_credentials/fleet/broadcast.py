"""One shared poll of the fleet for all watchers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, Counter

from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.fleet.propagation_view import FleetWatch, Look
from keyturn_shared.errors import KeyturnError, RedisUnavailableError
from keyturn_shared.projection import realm_field
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask
from keyturn_shared.tasks import wait_for_event

POLL_SECONDS: Final = 0.1
_QUIET_LOOKS: Final = 20
_BACKOFF: Final = Backoff(first=0.1, longest=2.0)
_CLIENT_PARTS: Final = 3


class Notice:
    """News for watchers: a look at the fleet, or the code of the error that prevented one. Each text is built
    once."""

    def __init__(self, look: Look | None, error: str | None = None) -> None:
        self._look = look
        self._error = error
        self._texts: dict[tuple[str, ...], bytes] = {}

    def text(self, principal: Principal) -> bytes:
        """Return the JSON for this watcher. Watchers with rights in the same realms see the same."""
        realms = tuple(realm for realm in principal.realms if _has_rights(principal, realm))
        if realms not in self._texts:
            self._texts[realms] = msgspec.json.encode(self._describe(principal))
        return self._texts[realms]

    def _describe(self, principal: Principal) -> dict[str, Any]:
        if self._look is None:
            return {"error": self._error}
        return self._look.describe(lambda realm: _has_rights(principal, realm))


class Watcher:
    """A watcher. ``stale``: its permission must be checked again."""

    def __init__(self, principal: Principal, latest: Notice | None) -> None:
        self.principal = principal
        self.stale = True  # until the first check: a change may have come before the first look
        self._notice = latest
        self._noticed = asyncio.Event()

    def notify(self, notice: Notice) -> None:
        """Set the news. Older news is dropped, even if it was not taken."""
        self._notice = notice
        self._noticed.set()

    def touch(self, realms: set[str], client_ids: set[str]) -> None:
        """Note changes in these realms, and to clients with these ids."""
        if realms.intersection(self.principal.realms) or self.principal.client_id in client_ids:
            self.doubt()

    def doubt(self) -> None:
        """Mark the permission as unchecked."""
        self.stale = True
        self._noticed.set()

    async def next(self, seconds: float) -> None:
        """Wait until there is something to do, at most ``seconds``."""
        await wait_for_event(self._noticed, seconds)
        self._noticed.clear()

    def take(self) -> Notice | None:
        """Return the news, if any."""
        notice, self._notice = self._notice, None
        return notice


class FleetBroadcast:
    """Polls the fleet while it has watchers: however many there are, Redis and the log are read once.

    Watchers get every change, and an update every two seconds. While Redis or the database does not answer,
    ``error`` says so.
    """

    def __init__(
        self,
        new_watch: Callable[[], FleetWatch],
        metrics: CollectorRegistry,
        *,
        elapsed: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._new_watch = new_watch
        self._elapsed = elapsed
        self._sleep = sleep
        self._watchers: set[Watcher] = set()
        self._task: SupervisedTask | None = None
        self._latest: Notice | None = None
        self._shown = b""
        self._quiet = 0
        self._failures = Counter(
            "keyturn_fleet_watch_failures",
            "Failed reads of the fleet registry for its watchers, by cause",
            ["cause"],
            registry=metrics,
        )
        self._failures.labels(RedisUnavailableError.code)  # else the first one would be no increase

    @asynccontextmanager
    async def watch(self, principal: Principal) -> AsyncIterator[Watcher]:
        """Watch until the context ends. The first watcher starts the polling, the last one stops it."""
        watcher = Watcher(principal, self._latest)
        self._watchers.add(watcher)
        if self._task is None:
            self._task = self._new_task()
            await self._task.start()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if not self._watchers and self._task is not None:
                task, self._task, self._latest = self._task, None, None
                await task.stop()

    def _new_task(self) -> SupervisedTask:
        self._shown, self._quiet = b"", 0
        return SupervisedTask(
            "fleet-watch",
            partial(self._poll, self._new_watch()),
            elapsed=self._elapsed,
            backoff=_BACKOFF,
            failed=self._note_failure,
            sleep=self._sleep,
        )

    async def _poll(self, watch: FleetWatch) -> float:
        look = await watch.look()
        notice, essence = Notice(look), _essence(look)
        self._touch(look.touched)
        self._notify_all(notice, essence)
        return POLL_SECONDS

    def _note_failure(self, error: Exception) -> None:
        """Report any error to the watchers."""
        code = error.code if isinstance(error, KeyturnError) else "internal_error"
        self._failures.labels(code).inc()
        self._notify_all(Notice(None, code), code.encode())

    def _notify_all(self, notice: Notice, essence: bytes) -> None:
        self._quiet += 1
        if essence != self._shown or self._quiet >= _QUIET_LOOKS:
            self._shown, self._quiet, self._latest = essence, 0, notice
            for watcher in self._watchers:
                watcher.notify(notice)

    def _touch(self, touched: frozenset[str] | None) -> None:
        if touched is None:
            for watcher in self._watchers:
                watcher.doubt()
        elif touched:
            beginning = realm_field("")
            realms = {name.removeprefix(beginning) for name in touched if name.startswith(beginning)}
            parts = (name.split(":", _CLIENT_PARTS - 1) for name in touched)
            client_ids = {part[-1] for part in parts if len(part) == _CLIENT_PARTS}
            for watcher in self._watchers:
                watcher.touch(realms, client_ids)


def _has_rights(principal: Principal, realm: str) -> bool:
    return any(principal.may(role, realm) for role in Role)


def _essence(look: Look) -> bytes:
    """Return the part of a look whose change is sent at once; it excludes times, which always change."""
    names = ("head", "pending", "safe", "trusted")
    nodes = [(node["id"], node["applied"], node["lease"]) for node in look.fleet.get("nodes", [])]
    flows = [(flow.sequence, flow.applied_ms, flow.safe_ms) for flow in look.flows]
    return msgspec.json.encode(([look.fleet.get(name) for name in names], nodes, flows))
