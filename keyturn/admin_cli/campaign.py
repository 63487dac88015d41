"""A campaign: the secrets of many clients rotated one after the other, at a bounded rate.

It keeps nothing: a secret made since the campaign's time is not rotated again. So it can be interrupted at
any moment and run again.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.session import Session
from keyturn.terminal_text import counted

CREATED: Final = "client.secret.creation.time"
_SECRETS: Final = frozenset({"client-secret", "client-secret-jwt"})
_USED: Final = "in_use"
_GIVEN_UP: Final = frozenset({"cancelled", "rolled_back", "superseded", "failed"})
_FORMER_ENDED: Final = frozenset({"retired", "done"})
_POLL_SECONDS: Final = 2.0
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """``created_before``: NumericDate seconds; a secret made later is left alone. ``part``: of the client id.
    ``attributes``: Keycloak's ``q``. ``authenticator``: None for every kind that has a secret."""

    created_before: float
    part: str | None = None
    attributes: str | None = None
    authenticator: str | None = None

    def clients(self, session: Session) -> Iterator[dict[str, Any]]:
        """Yield the clients. While others are created or deleted, one may be missing or there twice. Raises
        CommandError."""
        query = {"clientId": self.part, "search": "true" if self.part else None, "q": self.attributes}
        for page in session.api.pages(session.path("clients"), query):
            yield from filter(self.includes, page)

    def includes(self, client: Mapping[str, Any]) -> bool:
        """Return True if it has such a secret. Its name and attributes are not looked at."""
        kind = client.get("clientAuthenticatorType")
        if kind not in _SECRETS or client.get("publicClient") or client.get("bearerOnly"):
            return False
        if self.authenticator is not None and kind != self.authenticator:
            return False
        created = str(client.get("attributes", {}).get(CREATED, ""))
        return created.isdigit() and int(created) < self.created_before


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``rate``: rotations begun a second. ``canary``: so many first, and the others once all of these clients
    use their new secrets, within ``canary_seconds``. ``max_failures``: the campaign stops after more."""

    rate: float
    canary: int = 0
    canary_seconds: float = 0.0
    max_failures: int = 0


@dataclass(slots=True)
class Outcome:
    """Client ids by what became of them. ``skipped``: gone, or with another secret by then. ``unused``: the
    rotations of the first clients that are not known to use their new secrets. ``sequence``: of the newest
    event. ``stopped``: the reason, if it ended early."""

    selected: int = 0
    rotated: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    sequence: int | None = None
    stopped: str | None = None

    @property
    def handled(self) -> int:
        return len(self.rotated) + len(self.under_way) + len(self.skipped) + len(self.failed)


class Campaign:
    """Rotates the secrets of clients. ``reason``: ``manual`` or ``compromised``."""

    def __init__(
        self,
        session: Session,
        selection: Selection,
        pace: Pace,
        reason: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._selection = selection
        self._pace = pace
        self._reason = reason
        self._sleep = sleep
        self._elapsed = elapsed
        self._sent_at = -math.inf
        self._canaries = 0
        self.outcome = Outcome()

    def run(self, clients: Iterable[Mapping[str, Any]]) -> Outcome:
        """Rotate their secrets, and those of clients that the listing has missed. The outcome so far is there
        when it is interrupted. Raises CommandError if the server is away or the caller may not do this at
        all."""
        outcome = self.outcome
        for client in self._all(clients):
            self._session.out.progress(f"{outcome.handled} of {outcome.selected} clients …")
            self._rotate(client)
            if len(outcome.failed) > self._pace.max_failures:
                outcome.stopped = f"{counted(len(outcome.failed), 'rotation')} could not be begun"
            elif outcome.unused and self._canaries == self._pace.canary:
                outcome.stopped = self._watch()
            if outcome.stopped is not None:
                return outcome
        if outcome.unused:
            outcome.stopped = self._watch()
        return outcome

    def _all(self, clients: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Yield each client once, those that can use a secret first, and list again until none is new."""
        seen: set[str] = set()
        while True:
            new = {str(each.get("id")): each for each in clients if not self._session.is_own_client(each)}
            for uuid in seen & new.keys():
                del new[uuid]
            if not new:
                return
            seen |= new.keys()
            self.outcome.selected += len(new)
            yield from sorted(new.values(), key=lambda each: not _is_enabled(each))
            clients = self._selection.clients(self._session)

    def _rotate(self, client: Mapping[str, Any]) -> None:
        """Begin one rotation, if the client still fits."""
        outcome = self.outcome
        name = str(client.get("clientId"))
        path = self._session.path("clients", str(client.get("id")))
        now = self._elapsed()
        turn = max(now, self._sent_at + 1 / self._pace.rate)
        self._sleep(turn - now)
        try:
            found = self._session.api.find(path)
            if found is None or not self._selection.includes(found):
                outcome.skipped.append(name)
                return
            self._sent_at = turn
            body = {"kind": "secret", "reason": self._reason}
            change = self._session.api.change("POST", f"{path}/rotations", wait=0, json=body)
        except CommandError as error:
            if error.exit_code is ExitCode.UNREACHABLE or error.status is None:
                raise
            if error.status == _CONFLICT:
                outcome.under_way.append(name)
            elif error.status == _NOT_FOUND:
                outcome.skipped.append(name)
            else:
                outcome.failed[name] = error.detail
            return
        outcome.rotated.append(name)
        outcome.sequence = change.sequence or outcome.sequence
        if self._canaries < self._pace.canary and _is_enabled(found):
            self._canaries += 1
            outcome.unused[name] = str(change.body.get("id"))

    def _watch(self) -> str | None:
        """Wait until the first clients use their new secrets. Return the reason to stop, if there is one."""
        until = self._elapsed() + self._pace.canary_seconds
        unused = self.outcome.unused
        while True:
            states: list[object] = []
            for name, uuid in list(unused.items()):
                rotation = self._session.api.get(self._session.path("rotations", uuid))
                states.append(rotation.get("state"))
                if _is_used(rotation):
                    del unused[name]
                elif states[-1] in _FORMER_ENDED:
                    return f"the former secret of {name} ended before the new one was used"
            if given_up := sum(state in _GIVEN_UP for state in states):
                return f"{given_up} of the first {self._canaries} rotations were given up"
            if not unused:
                return None
            waiting = f"{len(unused)} of the first {self._canaries} clients"
            if self._elapsed() >= until:
                return f"{waiting} do not use their new secret"
            self._session.out.progress(f"Waiting for {waiting} …")
            self._sleep(_POLL_SECONDS)


def _is_used(rotation: Mapping[str, Any]) -> bool:
    """Return True if the client has used its new secret. A former secret that has expired, is compromised or
    ends by policy is retired without that."""
    if rotation.get("state") in _GIVEN_UP:
        return False
    return any(move.get("state") == _USED for move in rotation.get("history", ()))


def _is_enabled(client: Mapping[str, Any]) -> bool:
    return client.get("enabled") is not False
