"""Errors as answers. What a caller learns is what RFC 6749 5.2 lets it; the code stays inside."""

from typing import Final

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_verifier.errors import (
    TooManyFailuresError,
    UnavailableError,
    UnknownRealmError,
    UseDpopNonceError,
    is_unavailable,
)
from keyturn_verifier.web.exchange import NO_STORE, Headers, Reply, Request, json_reply

_BAD_REQUESTS: Final = frozenset(
    {"invalid_request", "invalid_scope", "invalid_target", "unauthorized_client", "unsupported_grant_type"}
    | {"invalid_dpop_proof"}
)
_DPOP_ALGORITHMS: Final = " ".join(sorted(ASYMMETRIC_NAMES))


def oauth_error(status: int, error: str, description: str, headers: Headers | None = None) -> Reply:
    """An error object (RFC 6749 5.2)."""
    return json_reply(
        status, {"error": error, "error_description": description}, [*NO_STORE, *(headers or ())]
    )


def client_error(error: KeyturnError, *, realm: str, basic: bool) -> Reply:
    """The answer to a request whose client did not prove itself, or that cannot be served."""
    other = common_error(error)
    if other is not None:
        return other
    challenge: Headers = [(b"www-authenticate", f'Basic realm="{_quoted(realm)}"'.encode())] if basic else []
    return oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials", challenge)


def caller_error(error: KeyturnError, request: Request) -> Reply:
    """The answer to a caller of introspection or ``/verify``, which comes as a client or with an access token
    (RFC 7662 section 2.3)."""
    schemes = request.schemes
    if not schemes.isdisjoint((b"bearer", b"dpop")):
        return token_error(error, realm=request.realm, by_dpop=b"dpop" in schemes)
    return client_error(error, realm=request.realm, basic=b"basic" in schemes)


def token_error(error: KeyturnError, *, realm: str, by_dpop: bool = False) -> Reply:
    """The answer to a request that came with an access token (RFC 6750 section 3.1, RFC 9449 section 7.1)."""
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
    """The challenge for a request without a token: no error code (RFC 6750 section 3.1)."""
    return [(b"www-authenticate", f'Bearer realm="{_quoted(realm)}"'.encode())]


def common_error(error: KeyturnError) -> Reply | None:
    """The answer to an error that says nothing of the credential; None for one that does."""
    if is_unavailable(error):
        seconds = error.retry_after if isinstance(error, UnavailableError) else 1
        return oauth_error(
            503,
            "temporarily_unavailable",
            "This cannot be decided now; try again",
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
    if error.code in _BAD_REQUESTS:
        return oauth_error(400, error.code, error.detail)
    return None


def _quoted(realm: str) -> str:
    """A realm's name in a quoted string of a header: what could end it or is not ASCII is left out."""
    return "".join(char for char in realm if " " <= char <= "~" and char not in '"\\')
