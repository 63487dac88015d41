"""Audit entries about what no change records: secrets that were shown, sign-ins, and refusals."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.store.unit_of_work import Actor, Store
from keyturn_shared.clock import Clock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.runtime.backoff import Backoff
from keyturn_shared.runtime.supervised_task import SupervisedTask

WINDOW_SECONDS: Final = 300.0
"""Equal accesses within this time have one entry, and a second one with their number at its end."""
MAX_REFUSED: Final = 50
"""Different refusals of callers that nobody has authenticated, in one window."""
MAX_KNOWN: Final = 5000
"""Different accesses of authenticated callers in one window."""
MAX_UNWRITTEN: Final = 10_000
"""Entries that wait for the database."""
_WRITE_SECONDS: Final = 0.5
_RETRY: Final = Backoff(first=1.0, longest=30.0)
_MAX_NAME: Final = 255

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """``realm``: the name of the realm whose audit log has the entry; that of ``master`` if there is none of
    that name. ``details``: names and values, never a secret."""

    action: str
    actor: Actor
    realm: str
    client_uuid: str | None = None
    client_id: str | None = None
    details: tuple[tuple[str, Any], ...] = ()


@dataclass(slots=True)
class _Window:
    ends_at: float
    repeated: int = 0


@dataclass(slots=True)
class _Kind:
    """Accesses with one limit. ``left_out``: how many exceeded it."""

    most: int
    windows: dict[Access, _Window] = field(default_factory=dict)
    left_out: int = 0


class AccessJournal:
    """Takes accesses without waiting, and writes them in the background. A caller can make the database grow
    by a bounded amount only: see the constants. An entry that the database cannot take waits for it; on a
    stop, what could not be written is in the service's log."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = _Kind(MAX_KNOWN)
        self._refused = _Kind(MAX_REFUSED)
        self._unwritten: deque[tuple[Access, dict[str, Any]]] = deque()
        self.task: Final = SupervisedTask("access-journal", self.write, backoff=_RETRY, elapsed=clock.elapsed)

    def note(self, access: Access) -> None:
        """Note what an authenticated caller did, or was denied."""
        self._note(self._known, access)

    def note_refused(self, access: Access) -> None:
        """Note that somebody was refused who may be anybody."""
        self._note(self._refused, access)

    async def write(self) -> float:
        """Write everything noted so far. Return the seconds until the next time. Raises
        StoreUnavailableError; what was not written stays noted."""
        for kind in (self._known, self._refused):
            self._end_windows(kind)
        while self._unwritten:
            await self._write_one(*self._unwritten[0])
            self._unwritten.popleft()
        return _WRITE_SECONDS

    async def close(self) -> None:
        """Write what is left, once the service takes no calls any more."""
        for kind in (self._known, self._refused):
            self._end_windows(kind, all_of_them=True)
        try:
            await self.write()
        except KeyturnError:
            for access, _ in self._unwritten:
                _log.error(
                    "access_not_audited",
                    action=access.action,
                    actor=access.actor.principal.client_id or access.actor.principal.identity[1],
                    address=access.actor.remote_address,
                    client_id=access.client_id,
                )

    def _note(self, kind: _Kind, access: Access) -> None:
        now = self._clock.elapsed()
        window = kind.windows.get(access)
        if window is not None and now < window.ends_at:
            window.repeated += 1
        elif len(kind.windows) >= kind.most or len(self._unwritten) >= MAX_UNWRITTEN:
            kind.left_out += 1
        else:
            if window is not None and window.repeated:
                self._unwritten.append((access, {"repeated": window.repeated}))
            kind.windows[access] = _Window(now + WINDOW_SECONDS)
            self._unwritten.append((access, {}))

    def _end_windows(self, kind: _Kind, *, all_of_them: bool = False) -> None:
        now = self._clock.elapsed()
        over = [key for key, window in kind.windows.items() if all_of_them or now >= window.ends_at]
        for access in over:
            window = kind.windows.pop(access)
            if window.repeated:
                self._unwritten.append((access, {"repeated": window.repeated}))
        if kind.left_out and (over or all_of_them):
            _log.warning("accesses_not_audited", number=kind.left_out, most=kind.most)
            kind.left_out = 0

    async def _write_one(self, access: Access, further: dict[str, Any]) -> None:
        async with self._store.change(access.actor) as transaction:
            realm = None if "\0" in access.realm else await transaction.realms.get(access.realm)
            realm = realm or await transaction.realms.get(MASTER)
            if realm is None:
                return
            await transaction.audit(
                access.action,
                realm_id=realm.id,
                client_uuid=access.client_uuid,
                client_id=access.client_id,
                details=dict(access.details) | further,
            )


def named(text: str) -> str:
    """Return a name that a caller has claimed, as an entry can have it."""
    return text.replace("\0", "")[:_MAX_NAME]
