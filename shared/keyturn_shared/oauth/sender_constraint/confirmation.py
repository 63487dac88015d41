"""The ``cnf`` claim (RFC 7800), which binds a token to a key. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_shared.oauth.errors import PossessionError

CERTIFICATE: Final = "x5t#S256"  # RFC 8705 section 3.1
DPOP_KEY: Final = "jkt"  # RFC 9449 section 6.1
_KNOWN: Final = frozenset({CERTIFICATE, DPOP_KEY})

Confirmation = Mapping[str, str]


def confirmation_of(claims: Mapping[str, Any]) -> Confirmation:
    """Return the token's binding; empty for a bearer token. Raises PossessionError for an unknown kind of
    binding: it cannot be checked, and ignoring it would turn the token into a bearer token."""
    cnf = claims.get("cnf")
    if cnf is None:
        return {}
    if not isinstance(cnf, dict) or not cnf:
        raise PossessionError("cnf is not an object with a member")
    if not _KNOWN.issuperset(cnf) or not all(isinstance(value, str) for value in cnf.values()):
        raise PossessionError("cnf has an unknown member")
    return cnf


def require_unbound(claims: Mapping[str, Any]) -> None:
    """Raise PossessionError for a token that is bound to anything: the request has no proof of possession."""
    if confirmation_of(claims):
        raise PossessionError("a bound token without a certificate or proof")
