"""``/console``: the pages, and signing in and out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keyturn_credentials.console.access import ConsoleAccess, require_csrf
from keyturn_credentials.console.pages import page_routes
from keyturn_credentials.console.sessions import SESSION_SECONDS, ConsoleSession
from keyturn_credentials.console.throttle import WINDOW_SECONDS, Throttle
from keyturn_credentials.errors import InvalidRequestError, UnauthenticatedError
from keyturn_credentials.web.bodies import read_json
from keyturn_credentials.web.problems import problem
from keyturn_shared.secret import Secret

_FAILURE_SECONDS: Final = 0.3
_NO_STORE: Final = {"Cache-Control": "no-store"}


class ConsoleRoutes:
    """Handlers of ``/console``. ``secure``: whether the cookie is for https alone."""

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
        session = {"GET": self.show, "POST": self.sign_in, "DELETE": self.sign_out}

        async def dispatch(request: Request) -> Response:
            return await session["GET" if request.method == "HEAD" else request.method](request)

        return [Route("/console/session", dispatch, methods=list(session)), *page_routes()]

    async def show(self, request: Request) -> Response:
        """Who is signed in, with the CSRF token for changes; 204 for nobody. Only pages of this origin can
        read it."""
        try:
            await self._access.authenticate(request)
            session = await self._access.session_of(request)
        except UnauthenticatedError:
            return Response(status_code=204, headers=_NO_STORE)
        return JSONResponse(_describe(session), headers=_NO_STORE)

    async def sign_in(self, request: Request) -> Response:
        """With ``realm``, ``client_id`` and ``client_secret``, or with ``ticket``. A new session each time:
        what a cookie said before does not matter."""
        address = request.client.host if request.client else ""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return problem(403, "forbidden", "another site cannot sign anybody in")
        if not self._throttle.is_open(address):
            waiting = {"Retry-After": str(int(WINDOW_SECONDS))}
            return problem(429, "too_many_requests", "Too many failed sign-ins; wait some minutes.", waiting)
        body = await read_json(request)
        try:
            if "ticket" in body:
                session, cookie = await self._access.sign_in_by_ticket(_text(body, "ticket"))
            else:
                session, cookie = await self._access.sign_in(
                    _text(body, "realm"), _text(body, "client_id"), Secret(_text(body, "client_secret"))
                )
        except UnauthenticatedError:
            self._throttle.note_failure(address)
            await self._sleep(_FAILURE_SECONDS)
            raise
        self._throttle.forgive(address)
        response = JSONResponse(_describe(session), headers=_NO_STORE)
        self._set_cookie(response, cookie, SESSION_SECONDS)
        return response

    async def sign_out(self, request: Request) -> Response:
        """The browser forgets the cookie, and whoever has a copy of it is signed out too."""
        session = await self._access.session_of(request)
        require_csrf(request, session)
        await self._access.sign_out(session)
        response = Response(status_code=204, headers=_NO_STORE)
        self._set_cookie(response, "", 0)
        return response

    def _set_cookie(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self._access.cookie,
            value,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name} is missing")
    return value


def _describe(session: ConsoleSession) -> dict[str, Any]:
    return {
        "realm": session.realm,
        "client_id": session.client_id,
        "expires_at": session.expires_at,
        "csrf": session.csrf,
    }
