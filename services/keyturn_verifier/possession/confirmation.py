"""The ``cnf`` claim (RFC 7800): what a token is bound to. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_verifier.errors import PossessionError

CERTIFICATE: Final = "x5t#S256"  # RFC 8705 section 3.1
DPOP_KEY: Final = "jkt"  # RFC 9449 section 6.1
_KNOWN: Final = frozenset({CERTIFICATE, DPOP_KEY})

Confirmation = Mapping[str, str]


def confirmation_of(claims: Mapping[str, Any]) -> Confirmation:
    """What the token is bound to; empty for a bearer token.

    Raises PossessionError for a way to bind tokens that is not known here: it cannot be checked, and to pass
    over it would make of the token one that anybody may use.
    """
    cnf = claims.get("cnf")
    if cnf is None:
        return {}
    if not isinstance(cnf, dict) or not cnf:
        raise PossessionError("cnf is not an object with a member")
    if not _KNOWN.issuperset(cnf) or not all(isinstance(value, str) for value in cnf.values()):
        raise PossessionError("cnf has a member that is not known")
    return cnf


def require_unbound(claims: Mapping[str, Any]) -> None:
    """Raise PossessionError for a token that is bound to anything: nothing was shown to hold it to."""
    if confirmation_of(claims):
        raise PossessionError("a token that is bound, and nothing came with it")
