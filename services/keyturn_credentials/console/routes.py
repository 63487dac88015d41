"""``/console``: the pages, and signing in and out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keyturn_credentials.console.access import ConsoleAccess, require_csrf
from keyturn_credentials.console.pages import page_routes
from keyturn_credentials.console.session_cookie import set_cookie
from keyturn_credentials.console.sessions import SESSION_SECONDS, ConsoleSession
from keyturn_credentials.console.throttle import WINDOW_SECONDS, Throttle, TooManyFailuresError
from keyturn_credentials.errors import InvalidRequestError, UnauthenticatedError
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.http.problems import problem
from keyturn_shared.secret import Secret

SIGN_IN_BYTES: Final = 16 * 1024
"""The caller is not authenticated yet, so the body must be small."""
_FAILURE_SECONDS: Final = 0.3
_NO_STORE: Final = {"Cache-Control": "no-store"}


class ConsoleRoutes:
    """Handlers of ``/console``. ``secure``: restrict the cookie to https."""

    def __init__(
        self,
        access: ConsoleAccess,
        throttle: Throttle,
        *,
        secure: bool,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._access = access
        self._throttle = throttle
        self._secure = secure
        self._sleep = sleep

    def routes(self) -> list[Route]:
        session = {"GET": self.show, "POST": self.sign_in, "PUT": self.renew, "DELETE": self.sign_out}

        async def dispatch(request: Request) -> Response:
            return await session["GET" if request.method == "HEAD" else request.method](request)

        return [
            Route("/console/session", dispatch, methods=list(session)),
            Route("/console/sign-in", self.ways, methods=["GET"]),
            *page_routes(),
        ]

    async def ways(self, _: Request) -> Response:
        """Return how one can sign in: with a client's secret, and with which identity provider."""
        persons = self._access.persons
        provider = None if persons is None else {"name": persons.configuration.name}
        secret = not self._access.persons_only
        return JSONResponse({"client_secret": secret, "provider": provider}, headers=_NO_STORE)

    async def show(self, request: Request) -> Response:
        """Return the signed-in client or person, with the CSRF token for changes; 204 without one. Only pages
        of this origin can read it."""
        try:
            await self._access.authenticate(request)
            session = await self._access.session_of(request)
        except UnauthenticatedError:
            return Response(status_code=204, headers=_NO_STORE)
        return JSONResponse(_describe(session), headers=_NO_STORE)

    async def sign_in(self, request: Request) -> Response:
        """Sign in with ``realm``, ``client_id`` and ``client_secret``, or with ``ticket``. The session is
        always a new one, whatever the cookie says."""
        address = request.client.host if request.client else ""
        # A user signed in by another site would type confidential data into someone else's session.
        self._access.origin.require(request)
        if not self._throttle.is_open(address):
            return _too_many()
        body = await read_json(request, most=SIGN_IN_BYTES)
        try:
            async with self._throttle.attempt(address):
                session, cookie = await self._open_session(body)
        except TooManyFailuresError:
            return _too_many()
        except UnauthenticatedError:
            await self._sleep(_FAILURE_SECONDS)
            raise
        response = JSONResponse(_describe(session), headers=_NO_STORE)
        self._set_cookie(response, cookie, _seconds_of(session))
        return response

    async def _open_session(self, body: dict[str, Any]) -> tuple[ConsoleSession, str]:
        if "ticket" in body:
            return await self._access.sign_in_by_ticket(_text(body, "ticket"))
        realm, client_id, secret = (_text(body, name) for name in ("realm", "client_id", "client_secret"))
        return await self._access.sign_in(realm, client_id, Secret(secret))

    async def renew(self, request: Request) -> Response:
        """Renew the session, for a page on which its user works."""
        session, cookie = await self._access.renew(request)
        response = JSONResponse(_describe(session), headers=_NO_STORE)
        self._set_cookie(response, cookie, _seconds_of(session))
        return response

    async def sign_out(self, request: Request) -> Response:
        """Delete the cookie, and end the session for every copy of it."""
        session = await self._access.session_of(request)
        self._access.origin.require(request)
        require_csrf(request, session)
        await self._access.sign_out(session)
        response = Response(status_code=204, headers=_NO_STORE)
        self._set_cookie(response, "", 0)
        return response

    def _set_cookie(self, response: Response, value: str, seconds: int) -> None:
        set_cookie(response, self._access.cookie, value, seconds, secure=self._secure)


def _too_many() -> Response:
    waiting = {"Retry-After": str(int(WINDOW_SECONDS))}
    return problem(429, "too_many_requests", "Too many failed sign-ins. Try again in a few minutes.", waiting)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name} is missing")
    return value


def _seconds_of(session: ConsoleSession) -> int:
    return int(min(SESSION_SECONDS, session.longest))


def _describe(session: ConsoleSession) -> dict[str, Any]:
    person = session.person
    return {
        "realm": session.realm,
        "client_id": session.client_id or None,
        "person": None if person is None else {"subject": person.subject, "name": person.name},
        "expires_at": session.expires_at,
        "ends_at": session.ends_at,
        "csrf": session.csrf,
    }
