"""A campaign: the secrets of many clients rotated one after the other, at a bounded rate.

It keeps nothing: a secret made since the campaign's time is not rotated again. So it can be interrupted at
any moment and run again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.session import Session

CREATED: Final = "client.secret.creation.time"
_SECRETS: Final = frozenset({"client-secret", "client-secret-jwt"})
_TAKEN: Final = frozenset({"in_use", "retired", "done"})
_GIVEN_UP: Final = frozenset({"cancelled", "rolled_back", "superseded"})
_POLL_SECONDS: Final = 2.0
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
        """Yield the clients. Raises CommandError."""
        query = {"clientId": self.part, "search": "true" if self.part else None, "q": self.attributes}
        for page in session.api.pages(session.path("clients"), query):
            yield from filter(self._includes, page)

    def _includes(self, client: Mapping[str, Any]) -> bool:
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
    """Client ids by what became of them. ``sequence``: of the newest event. ``stopped``: the reason, if it
    ended early."""

    rotated: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    sequence: int | None = None
    stopped: str | None = None


class Campaign:
    """Rotates the secrets of clients. ``reason``: ``manual`` or ``compromised``."""

    def __init__(
        self,
        session: Session,
        pace: Pace,
        reason: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._pace = pace
        self._reason = reason
        self._sleep = sleep
        self._elapsed = elapsed
        self.outcome = Outcome()

    def run(self, clients: Sequence[Mapping[str, Any]]) -> Outcome:
        """Rotate their secrets, in order. The outcome so far is there when it is interrupted. Raises
        CommandError if the server is away or the caller may not do this at all."""
        canaries: list[str] = []
        began = self._elapsed()
        for number, client in enumerate(clients):
            if 0 < self._pace.canary == number and (reason := self._watch(canaries)) is not None:
                self.outcome.stopped = reason
                return self.outcome
            self._sleep(max(0.0, began + number / self._pace.rate - self._elapsed()))
            self._session.out.progress(f"{number} of {len(clients)} clients …")
            rotation = self._rotate(client)
            if rotation is not None and number < self._pace.canary:
                canaries.append(rotation)
            if len(self.outcome.failed) > self._pace.max_failures:
                self.outcome.stopped = f"{len(self.outcome.failed)} rotations could not be begun"
                return self.outcome
        return self.outcome

    def _rotate(self, client: Mapping[str, Any]) -> str | None:
        """Begin one rotation. Return its id, None if it was not begun."""
        name = str(client.get("clientId"))
        path = self._session.path("clients", str(client.get("id")), "rotations")
        body = {"kind": "secret", "reason": self._reason}
        try:
            change = self._session.api.change("POST", path, wait=0, json=body)
        except CommandError as error:
            if error.exit_code is ExitCode.UNREACHABLE or error.status is None:
                raise
            if error.status == _CONFLICT:
                self.outcome.under_way.append(name)
            else:
                self.outcome.failed[name] = error.detail
            return None
        self.outcome.rotated.append(name)
        self.outcome.sequence = change.sequence or self.outcome.sequence
        return str(change.body.get("id"))

    def _watch(self, rotations: Sequence[str]) -> str | None:
        """Wait until the first clients use their new secrets. Return the reason to stop, if there is one."""
        until = self._elapsed() + self._pace.canary_seconds
        waiting = list(rotations)
        while True:
            states = {each: self._state(each) for each in waiting}
            if given_up := [each for each, state in states.items() if state in _GIVEN_UP]:
                return f"{len(given_up)} of the first {len(rotations)} rotations were given up"
            waiting = [each for each, state in states.items() if state not in _TAKEN]
            if not waiting:
                return None
            if self._elapsed() >= until:
                return f"{len(waiting)} of the first {len(rotations)} clients do not use their new secret"
            self._session.out.progress(f"Waiting for {len(waiting)} of the first {len(rotations)} clients …")
            self._sleep(_POLL_SECONDS)

    def _state(self, rotation: str) -> str:
        return str(self._session.api.get(self._session.path("rotations", rotation)).get("state"))
