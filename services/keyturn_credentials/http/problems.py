"""Errors as HTTP responses: RFC 9457 problem details with Keycloak's ``error`` and ``errorMessage``."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keyturn_credentials import errors
from keyturn_shared.errors import KeyturnError, RedisUnavailableError
from keyturn_shared.keystores.errors import KeyStoreError
from keyturn_shared.runtime.admission import OverloadedError

_STATUSES: Final[dict[type[KeyturnError], int]] = {
    errors.InvalidRequestError: 400,
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.PreconditionFailedError: 412,
    errors.TooManyStreamsError: 429,
    errors.TooManyEvaluationsError: 429,
    errors.StreamsExhaustedError: 503,
    errors.StoreUnavailableError: 503,
    OverloadedError: 503,
    RedisUnavailableError: 503,
    KeyStoreError: 400,
}
_TITLES: Final = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "Request timeout",
    409: "Conflict",
    412: "Precondition failed",
    413: "Content too large",
    415: "Unsupported media type",
    429: "Too many requests",
    503: "Service unavailable",
}


def problem(
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
    *,
    error: str | None = None,
    members: Mapping[str, str] | None = None,
) -> Response:
    """Build a response. Keycloak puts the text of 401, 403 and 404 into ``error`` and other texts into
    ``errorMessage``; here ``errorMessage`` always has it. ``code`` is stable, ``error`` is Keycloak's own
    word if it has one. ``members``: what is wrong with several members, by JSON Pointer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "error": error or (detail if status in (401, 403, 404) else code),
        "errorMessage": detail,
    }
    if members:
        body["errors"] = [{"detail": text, "pointer": pointer} for pointer, text in members.items()]
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def status_of(error: KeyturnError) -> int:
    """Return the HTTP status of an error; 500 for one that no caller can help."""
    for kind in type(error).__mro__:
        if kind in _STATUSES:
            return _STATUSES[kind]
    return 500


async def on_keyturn_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, KeyturnError)  # noqa: S101 - registered for this type alone
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="keyturn"'
        # Without a token there is no token error (RFC 6750 section 3.1).
        if not isinstance(error, errors.MissingTokenError):
            headers["WWW-Authenticate"] += ', error="invalid_token"'
    if status in (429, 503):
        headers["Retry-After"] = "1"
    detail = "internal error; see the log" if status == 500 else error.detail
    keycloak_error = error.keycloak_error if isinstance(error, KeyStoreError) else None
    members = error.members if isinstance(error, errors.InvalidMembersError) else None
    return problem(status, error.code, detail, headers, error=keycloak_error, members=members)


async def on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    headers = dict(error.headers or {})
    title = _TITLES.get(error.status_code, "Error")
    return problem(error.status_code, title.lower().replace(" ", "_"), error.detail or title, headers)


async def on_unexpected(_: Request, _error: Exception) -> Response:
    """Answer 500. The server's own log has the error; the caller learns nothing of it."""
    return problem(500, "internal_error", "internal error; see the log")
