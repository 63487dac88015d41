"""The admin API: reads, changes, and what the fleet says of a change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn.admin_cli.servers import CALL_SECONDS, Received, Server, refusal

PAGE: Final = 500

Query = Mapping[str, str | int | None]
"""Parameters of a URL; None leaves one out."""


class Tokens(Protocol):
    """Access tokens of the administrator."""

    def current(self) -> str:
        """Return a token that has not expired. Raises CommandError."""
        ...

    def renew(self) -> bool:
        """Get another token, after the server has refused this one; False if that needs a person."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made. ``sequence``: of its event; None if nothing was to be changed. ``fleet``: None
    if it was not asked to wait."""

    body: dict[str, Any]
    location: str | None
    notice: str | None
    sequence: int | None
    fleet: FleetAnswer | None

    @property
    def is_unconfirmed(self) -> bool:
        return self.fleet is not None and not self.fleet.is_safe


def path_of(realm: str, *parts: str) -> str:
    """Return a path below a realm's. Raises CommandError for parts that would lead out of it."""
    if any(part in ("", ".", "..") for part in (realm, *parts)):
        raise CommandError("a name must not be empty, . or ..", ExitCode.USAGE)
    return "/".join(["/admin/realms", *(quote(part, safe="") for part in (realm, *parts))])


class AdminApi:
    """Calls with the administrator's token. Every method raises CommandError."""

    def __init__(self, server: Server, tokens: Tokens) -> None:
        self._server = server
        self._tokens = tokens

    def get(self, path: str, query: Query | None = None, *, seconds: float = 0.0) -> dict[str, Any]:
        """Return an object. ``seconds``: how long the server may wait before it answers."""
        received = self._call("GET", path, query or {}, seconds=CALL_SECONDS + seconds)
        return _object(path, _success(received))

    def get_list(self, path: str, query: Query | None = None) -> list[dict[str, Any]]:
        """Return a list of objects."""
        found = _success(self._call("GET", path, query or {})).json(path)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise _unexpected(path)
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object; None if there is no such thing."""
        received = self._call("GET", path, {})
        return None if received.status == 404 else _object(path, _success(received))

    def post(self, path: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a question that is too long or too secret for a URL, and changes nothing. Return the answer."""
        return _object(path, _success(self._call("POST", path, {}, json=dict(members))))

    def server_time(self, path: str, query: Query) -> int:
        """Return the server's time in NumericDate seconds, from its response to a GET."""
        received = _success(self._call("GET", path, query))
        try:
            return int(parsedate_to_datetime(received.headers.get("date", "")).timestamp())
        except ValueError:
            raise CommandError(f"{path}: the response does not say the server's time") from None

    def pages(self, path: str, query: Query) -> Iterator[list[dict[str, Any]]]:
        """Yield the pages of a list by ``first`` and ``max``."""
        first = 0
        while True:
            page = self.get_list(path, {**query, "first": first, "max": PAGE})
            if page:
                yield page
            if len(page) < PAGE:
                return
            first += PAGE

    def change(
        self, method: str, path: str, *, wait: int, query: Query | None = None, **content: Any
    ) -> Change:
        """Make a change, and wait up to so many seconds until every node has applied it. ``content``: as for
        httpx."""
        prefer = f"wait={wait}" if wait else "respond-async"
        received = _success(
            self._call(
                method,
                path,
                query or {},
                headers={"Prefer": prefer},
                seconds=CALL_SECONDS + wait,
                **content,
            )
        )
        sequence = received.headers.get("keyturn-sequence", "")
        fleet = received.headers.get("keyturn-fleet")
        return Change(
            _object(path, received) if received.body else {},
            received.headers.get("location"),
            received.headers.get("keyturn-notice"),
            int(sequence) if sequence.isascii() and sequence.isdigit() else None,
            None if fleet is None else FleetAnswer.parse(fleet),
        )

    def _call(
        self,
        method: str,
        path: str,
        query: Query,
        *,
        headers: dict[str, str] | None = None,
        **content: Any,
    ) -> Received:
        asked = {name: value for name, value in query.items() if value is not None}
        if asked:
            path = f"{path}?{httpx.QueryParams(asked)}"

        def send() -> Received:
            bearer = {"Authorization": f"Bearer {self._tokens.current()}"}
            return self._server.send(method, path, headers=bearer | (headers or {}), **content)

        received = send()
        if received.status == 401 and self._tokens.renew():
            received = send()
        return received


def _object(path: str, received: Received) -> dict[str, Any]:
    found = received.json(path)
    if not isinstance(found, dict):
        raise _unexpected(path)
    return found


def _unexpected(path: str) -> CommandError:
    return CommandError(f"{path}: the response is not what was expected; is this the URL of keyturn?")


def _success(received: Received) -> Received:
    if received.status == 401:
        raise CommandError(f"sign in again with keyturn login: {refusal(received)}", ExitCode.NOT_ALLOWED)
    if received.status == 403:
        raise CommandError(
            f"you have no right to do this: {refusal(received)}", ExitCode.NOT_ALLOWED, status=403
        )
    if not 200 <= received.status < 300:
        raise CommandError(refusal(received), status=received.status)
    return received
