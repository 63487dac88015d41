"""``/console/oidc``: sign-in with the identity provider, and logout at its demand."""

from collections import Counter
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from keyturn_credentials.authorization.request_rate import RequestRate
from keyturn_credentials.console.access import ConsoleAccess
from keyturn_credentials.console.pages import SECURITY_HEADERS
from keyturn_credentials.console.refusal_pages import TOO_MANY, refusal_page
from keyturn_credentials.console.return_path import own_path
from keyturn_credentials.console.session_cookie import set_cookie
from keyturn_credentials.console.sessions import SESSION_SECONDS, SessionSealer, flow_cookie_name
from keyturn_credentials.console.throttle import Throttle, TooManyFailuresError
from keyturn_credentials.http.problems import problem
from keyturn_credentials.oidc.client_credential import ClientKey
from keyturn_credentials.oidc.configuration import CALLBACK_PATH
from keyturn_credentials.oidc.errors import LogoutTokenError, Refusal, SignInError
from keyturn_credentials.oidc.flow import FLOW_SECONDS, PersonSignIn

LOGOUT_BYTES: Final = 32 * 1024
"""The caller is not authenticated yet, so the body must be small."""
WARNINGS_A_SECOND: Final = 0.2
WARNINGS_AT_ONCE: Final = 20
"""Of one reason: anybody may begin a sign-in and answer it, or send a logout token."""
_NO_STORE: Final = {"Cache-Control": "no-store"}
_LEAVING: Final = {**SECURITY_HEADERS, **_NO_STORE}
_FORM: Final = "application/x-www-form-urlencoded"

_log = structlog.get_logger(__name__)


class PersonRoutes:
    """Handlers of ``/console/oidc``. ``secure``: restrict cookies to https."""

    def __init__(
        self,
        access: ConsoleAccess,
        sign_in: PersonSignIn,
        sealer: SessionSealer,
        throttle: Throttle,
        *,
        secure: bool,
    ) -> None:
        self._access = access
        self._sign_in = sign_in
        self._sealer = sealer
        self._throttle = throttle
        self._secure = secure
        self._cookie = flow_cookie_name(secure=secure)
        self._warnings = RequestRate(
            throttle.clock.elapsed, a_second=WARNINGS_A_SECOND, at_once=WARNINGS_AT_ONCE
        )

    def routes(self) -> list[Route]:
        return [
            Route("/console/oidc/sign-in", self.begin, methods=["GET"]),
            Route(CALLBACK_PATH, self.complete, methods=["GET"]),
            Route("/console/oidc/back-channel-logout", self.log_out, methods=["POST"]),
            Route("/console/oidc/jwks", self.keys, methods=["GET"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider. Another site's page cannot begin a sign-in."""
        self._access.origin.require(request)
        try:
            flow, url = await self._sign_in.begin(own_path(request.query_params.get("return_to")))
        except SignInError as error:
            return self._refuse(error)
        response = RedirectResponse(url, 303, _LEAVING)
        self._set_flow(response, self._sealer.seal_flow(flow), FLOW_SECONDS)
        return response

    async def complete(self, request: Request) -> Response:
        """Take the provider's answer. The session is always a new one, whatever the cookie says; the sign-in
        under way is over in any case."""
        flow = self._sealer.read_flow(request.cookies.get(self._cookie, ""))
        address = request.client.host if request.client else ""
        response: Response
        try:
            async with self._throttle.attempt(address):
                session, cookie = await self._access.sign_in_person(self._sign_in, flow, _once(request))
        except TooManyFailuresError:
            response = refusal_page(TOO_MANY)
        except SignInError as error:
            response = self._refuse(error)
        else:
            response = RedirectResponse(own_path(flow.return_to if flow else None), 303, _LEAVING)
            seconds = int(min(SESSION_SECONDS, session.longest))
            set_cookie(response, self._access.cookie, cookie, seconds, secure=self._secure)
        self._set_flow(response, "", 0)
        return response

    async def log_out(self, request: Request) -> Response:
        """End sessions by a logout token (OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8)."""
        try:
            logout = await self._sign_in.read_logout(await _logout_token(request))
            await self._access.log_out_person(logout)
        except LogoutTokenError as error:
            # Anybody may send one, so the reason is for its sender and not for a log that it could fill.
            _log.debug("logout_token_refused", detail=error.detail[:300])
            return _refuse_logout(400, error.code, error.detail)
        except SignInError as error:
            self._warn("logout_token_not_checked", error)
            return problem(503, "provider_unavailable", "the provider's keys cannot be fetched", _NO_STORE)
        return Response(status_code=204, headers=_NO_STORE)

    async def keys(self, _: Request) -> Response:
        """Return the public key of ``private_key_jwt``, for the provider to fetch."""
        credential = self._sign_in.configuration.credential
        if not isinstance(credential, ClientKey):
            return problem(404, "not_found", "keyturn has no key at its identity provider")
        return JSONResponse({"keys": [credential.key.public_jwk]})

    def _refuse(self, error: SignInError) -> Response:
        self._warn("person_not_signed_in", error)
        return refusal_page(error.reason)

    def _warn(self, event: str, error: SignInError) -> None:
        """Log an error, as a warning if its reason is worth one and there were not too many."""
        is_warning = error.reason is not Refusal.NOT_STARTED and self._warnings.admits((event, error.reason))
        log = _log.warning if is_warning else _log.debug
        log(event, reason=error.reason.value, detail=error.detail[:300])

    def _set_flow(self, response: Response, value: str, seconds: int) -> None:
        # The provider's answer comes from another site, so a strict cookie would not come with it.
        set_cookie(response, self._cookie, value, seconds, secure=self._secure, strict=False)


def _once(request: Request) -> Mapping[str, str]:
    """Return the query's parameters that occur once (RFC 6749 section 3.1)."""
    given = request.query_params.multi_items()
    times = Counter(name for name, _ in given)
    return {name: value for name, value in given if times[name] == 1}


async def _logout_token(request: Request) -> str:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise LogoutTokenError(f"expected {_FORM}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LOGOUT_BYTES:
            raise HTTPException(413, f"a logout request must not exceed {LOGOUT_BYTES} bytes")
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise LogoutTokenError("the form cannot be read") from None
    tokens = [value for name, value in fields if name == "logout_token"]
    if len(tokens) != 1:
        raise LogoutTokenError("expected one logout_token")
    return tokens[0]


def _refuse_logout(status: int, code: str, detail: str) -> Response:
    """Build an error response (RFC 6749 section 5.2)."""
    return JSONResponse({"error": code, "error_description": detail[:300]}, status, _NO_STORE)
