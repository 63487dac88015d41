"""HTTP responses for errors. A caller learns only what RFC 6749 5.2 allows; the code stays internal."""

from typing import Final

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.oauth.errors import (
    AdministratorElsewhereError,
    TooManyFailuresError,
    UnavailableError,
    UnknownRealmError,
    UseDpopNonceError,
    is_unavailable,
    unavailable_status,
)
from keyturn_shared.oauth.web.messages import NO_STORE, Headers, Reply, Request, json_reply

_BAD_REQUESTS: Final = frozenset(
    {"invalid_request", "invalid_scope", "invalid_target", "unauthorized_client", "unsupported_grant_type"}
    | {"invalid_dpop_proof"}
)
_DPOP_ALGORITHMS: Final = " ".join(sorted(ASYMMETRIC_NAMES))


def oauth_error(status: int, error: str, description: str, headers: Headers | None = None) -> Reply:
    """Build an error object (RFC 6749 5.2)."""
    return json_reply(
        status, {"error": error, "error_description": description}, [*NO_STORE, *(headers or ())]
    )


def client_error(error: KeyturnError, *, realm: str, basic: bool) -> Reply:
    """Build the response to a client that failed to authenticate or cannot be served."""
    other = common_error(error)
    if other is not None:
        return other
    challenge: Headers = [(b"www-authenticate", f'Basic realm="{_quoted(realm)}"'.encode())] if basic else []
    return oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials", challenge)


def caller_error(error: KeyturnError, request: Request) -> Reply:
    """Build the response to a caller of introspection or ``/verify``, which authenticates as a client or with
    an access token (RFC 7662 section 2.3)."""
    schemes = request.schemes
    if not schemes.isdisjoint((b"bearer", b"dpop")):
        return token_error(error, realm=request.realm, by_dpop=b"dpop" in schemes)
    return client_error(error, realm=request.realm, basic=b"basic" in schemes)


def token_error(error: KeyturnError, *, realm: str, by_dpop: bool = False) -> Reply:
    """Build the response to a request with an access token (RFC 6750 section 3.1, RFC 9449 section 7.1)."""
    if error.code == "invalid_dpop_proof":
        code, description = error.code, error.detail
    else:
        other = common_error(error)
        if other is not None:
            return other
        code, description = "invalid_token", "The token is not valid"
    challenge = f'Bearer realm="{_quoted(realm)}", error="{code}"'
    if by_dpop:
        challenge = f'DPoP realm="{_quoted(realm)}", error="{code}", algs="{_DPOP_ALGORITHMS}"'
    return oauth_error(401, code, description, [(b"www-authenticate", challenge.encode())])


def bearer_challenge(realm: str) -> Headers:
    """Build the challenge for a request without a token: no error code (RFC 6750 section 3.1)."""
    return [(b"www-authenticate", f'Bearer realm="{_quoted(realm)}"'.encode())]


def common_error(error: KeyturnError) -> Reply | None:
    """Build the response to an error that does not concern the credential; None for one that does."""
    if is_unavailable(error):
        seconds = error.retry_after if isinstance(error, UnavailableError) else 1
        return oauth_error(
            unavailable_status(error.code),
            "temporarily_unavailable",
            "This request cannot be decided now; try again",
            [(b"retry-after", str(seconds).encode())],
        )
    if isinstance(error, TooManyFailuresError):
        return oauth_error(
            429,
            "temporarily_unavailable",
            "Too many failed attempts; try again later",
            [(b"retry-after", str(error.retry_after).encode())],
        )
    if isinstance(error, UseDpopNonceError):
        return oauth_error(400, error.code, error.detail, [(b"dpop-nonce", error.nonce.encode())])
    if isinstance(error, UnknownRealmError):
        return json_reply(404, {"error": "Realm does not exist"})
    if isinstance(error, AdministratorElsewhereError):
        # For this request only: after a 503 a gateway would consider the whole node down.
        return oauth_error(400, error.code, "Requests of administrators go to the credentials service")
    if error.code in _BAD_REQUESTS:
        return oauth_error(400, error.code, error.detail)
    return None


def _quoted(realm: str) -> str:
    """Quote a realm's name for a header, without non-ASCII characters and those that could end the string."""
    return "".join(char for char in realm if " " <= char <= "~" and char not in '"\\')
