"""Checks of claims that assertions by clients and by trusted issuers share. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import MalformedError, MissingClaimError
from keyturn_shared.oauth.errors import WrongAudienceError

ASSERTION_TYPES: Final = ("JWT", "client-authentication+jwt")
"""Accepted values of ``typ``, if present: RFC 7519 section 5.1, and the one that the revision of RFC 7523
adds."""


def require_assertion_type(token: UnverifiedToken) -> None:
    """Raise MalformedError for a token of another type (RFC 8725 section 3.11): a client's DPoP proof, logout
    token or security event is not an assertion, whatever its claims."""
    if token.header.typ is not None and not any(token.header.is_type(each) for each in ASSERTION_TYPES):
        raise MalformedError(f"typ {token.header.typ[:40]!r} is not the type of an assertion")


def check_audience(claims: Mapping[str, Any], accepted: frozenset[str]) -> None:
    """Raise unless ``aud`` names one of ``accepted`` and nothing else: another recipient could replay the
    assertion here."""
    audience = claims.get("aud")
    if audience is None:
        raise MissingClaimError("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not named or not accepted.issuperset(named):
        raise WrongAudienceError(f"{len(named)} audiences")
