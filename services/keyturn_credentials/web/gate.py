"""The gate of every admin endpoint: authentication, authorization and the propagation wait."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.errors import ForbiddenError, InvalidRequestError
from keyturn_credentials.operations.access_journal import Access
from keyturn_credentials.operations.changes import Done
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_credentials.web.traced import traced_call
from keyturn_shared.fleet.registry import FleetSummary
from keyturn_shared.runtime.admission import leave_place

MAX_WAIT_SECONDS: Final = 60.0
_MAX_PATH: Final = 255
_UUID_CHARACTERS: Final = 36
_WAIT: Final = re.compile(r'(?:^|[,\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:[,;]|$)', re.IGNORECASE)
_RESPOND_ASYNC: Final = re.compile(r"(?:^|[,\s])respond-async\s*(?:[,;]|$)", re.IGNORECASE)
_ENTITY_TAG: Final = re.compile(r'"(\d{1,15})"')


class Waiter(Protocol):
    """Waits until no node answers from a state older than an event."""

    async def wait(self, sequence: int, timeout: float) -> FleetSummary: ...

    async def wait_while_likely(self, sequence: int, timeout: float) -> FleetSummary: ...


class Journal(Protocol):
    """Notes what callers do or are denied, without waiting."""

    def note(self, access: Access) -> None: ...


@dataclass(slots=True)
class Call:
    """One authenticated call. A handler reports its change with ``changed``."""

    request: Request
    principal: Principal
    authorise: Callable[[], Awaitable[Principal]]
    """Authenticates the caller again, for long-running responses. Raises UnauthenticatedError and
    ForbiddenError."""
    journal: Journal
    sequence: int | None = None

    @property
    def realm(self) -> str:
        return self.path("realm")

    @property
    def client_uuid(self) -> str:
        return self.path("uuid")

    @property
    def actor(self) -> Actor:
        client = self.request.client
        return Actor(self.principal, client.host if client else None)

    @property
    def realm_target(self) -> RealmTarget:
        """The realm in the path, as the target of this caller's change."""
        return RealmTarget(self.actor, self.realm, self._expected_versions)

    @property
    def client_target(self) -> ClientTarget:
        """The client in the path, as the target of this caller's change."""
        return self.target_of(self.client_uuid)

    def target_of(self, client_uuid: str) -> ClientTarget:
        """Return a client of the realm in the path, as the target of this caller's change."""
        return ClientTarget(self.actor, self.realm, client_uuid, self._expected_versions)

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def is_true(self, name: str) -> bool:
        return (self.query(name) or "").lower() == "true"

    def may(self, role: Role) -> bool:
        return self.principal.may(role, self.realm)

    def note(
        self, action: str, *, client_uuid: str | None = None, client_id: str | None = None, **details: Any
    ) -> None:
        """Note for the audit log what this call does that is no change."""
        self.journal.note(
            Access(action, self.actor, self.realm, client_uuid, client_id, tuple(details.items()))
        )

    def changed(self, done: Done[Any]) -> None:
        """Note the change that this call made."""
        self.sequence = done.sequence

    @property
    def _expected_versions(self) -> frozenset[int] | None:
        """Return the versions in If-Match (RFC 9110 section 13.1.1); None without one, or for ``*``."""
        header = self.request.headers.get("if-match")
        if header is None or header.strip() == "*":
            return None
        return frozenset(int(number) for number in _ENTITY_TAG.findall(header))


Authenticate = Callable[[Request], Awaitable[Principal]]
"""Raises UnauthenticatedError for an unauthenticated request."""

Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler and the roles of which the caller needs one, in the realm of the path."""

    handler: Handler
    any_of: tuple[Role, ...]


class Gate:
    """Makes routes of endpoints. ``endpoints``: all of them by method and path."""

    def __init__(
        self, authenticate: Authenticate, waiter: Waiter, journal: Journal, *, default_wait_seconds: float
    ) -> None:
        self._authenticate = authenticate
        self._journal = journal
        self._waiter = waiter
        self._default_wait_seconds = default_wait_seconds
        self.endpoints: dict[tuple[str, str], Endpoint] = {}

    def route(self, path: str, endpoints: Mapping[str, Endpoint]) -> Route:
        """Make one route with an endpoint for each method."""
        self.endpoints |= {(method, path): endpoint for method, endpoint in endpoints.items()}

        async def dispatch(request: Request) -> Response:
            endpoint = endpoints["GET" if request.method == "HEAD" else request.method]
            return await self._pass(request, endpoint, path)

        return Route(path, dispatch, methods=list(endpoints))

    async def _pass(self, request: Request, endpoint: Endpoint, route: str) -> Response:
        path, query = request.scope["path"], request.scope["query_string"]
        if "\0" in path or "%00" in path or b"%00" in query:
            raise InvalidRequestError("the URL must not contain a NUL character")

        async def authorise() -> Principal:
            principal = await self._authenticate(request)
            realm = request.path_params.get("realm", principal.realm)
            if endpoint.any_of and not any(principal.may(role, realm) for role in endpoint.any_of):
                self._note_denied(request, principal)
                raise ForbiddenError("HTTP 403 Forbidden")
            return principal

        call = Call(request, await authorise(), authorise, self._journal)
        traced = traced_call(request)
        if traced is None:
            return await self._answer(call, endpoint)
        with traced.inside(request, route):
            return await self._answer(call, endpoint)

    async def _answer(self, call: Call, endpoint: Endpoint) -> Response:
        request = call.request
        try:
            response = await endpoint.handler(call)
        except ForbiddenError:
            self._note_denied(request, call.principal)
            raise
        if call.sequence is not None:
            response.headers.update(
                await self.change_headers(request.headers.getlist("prefer"), call.sequence)
            )
        return response

    def _note_denied(self, request: Request, principal: Principal) -> None:
        client = request.client
        actor = Actor(principal, client.host if client else None)
        realm = str(request.path_params.get("realm", principal.realm))
        path = request.scope["path"][:_MAX_PATH]
        details = (("method", request.method), ("path", path))
        uuid = request.path_params.get("uuid")
        client_uuid = uuid if isinstance(uuid, str) and len(uuid) <= _UUID_CHARACTERS else None
        self._journal.note(Access("call_denied", actor, realm, client_uuid, None, details))

    async def change_headers(self, preferences: list[str], sequence: int) -> dict[str, str]:
        """Return the headers about a change and the state of the fleet, after the wait that ``Prefer``
        requests."""
        leave_place()
        headers = {"Keyturn-Sequence": str(sequence)}
        seconds = wait_preference(preferences)
        if seconds is not None:
            summary = await self._waiter.wait(sequence, seconds)
        elif self._default_wait_seconds > 0 and not prefers_no_wait(preferences):
            # A change is also in effect at the end of calls by programs that know nothing of keyturn.
            summary = await self._waiter.wait_while_likely(sequence, self._default_wait_seconds)
        else:
            return headers
        headers["Keyturn-Fleet"] = fleet_header(summary)
        if summary.safe and seconds is not None:
            headers["Preference-Applied"] = "wait"
        return headers


def fleet_header(summary: FleetSummary) -> str:
    """Format a dictionary (RFC 9651 section 3.2): four numbers, or the single member ``unknown``, which is
    true. An unknown value is never a number."""
    if not summary.known:
        return "unknown"
    return (
        f"nodes={summary.nodes}, applied={summary.applied},"
        f" fenced={summary.fenced}, pending={len(summary.pending)}"
    )


def entity_tag(version: int) -> str:
    return f'"{version}"'


def prefers_no_wait(headers: list[str]) -> bool:
    """Return whether the caller sent ``Prefer: respond-async`` (RFC 7240 section 4.1)."""
    return any(_RESPOND_ASYNC.search(header) for header in headers)


def wait_preference(headers: list[str]) -> float | None:
    """Return the seconds of ``Prefer: wait=N`` (RFC 7240 section 4.3), at most a minute; None without it."""
    for header in headers:
        match = _WAIT.search(header)
        if match is not None:
            return min(float(match[1]), MAX_WAIT_SECONDS)
    return None
