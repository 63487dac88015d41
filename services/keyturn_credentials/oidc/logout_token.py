"""Claims of logout tokens (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6). Pure."""

from dataclasses import dataclass
from typing import Final

from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.oidc.id_token import LOGOUT_TYPE, check_addressees, subject_of
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import MalformedError, MissingClaimError

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME_SECONDS: Final = 300
"""Longest time after its ``iat`` at which a logout token is accepted."""
MAX_SID_CHARACTERS: Final = 1024
_TYPES: Final = (LOGOUT_TYPE, "JWT")


@dataclass(frozen=True, slots=True)
class Logout:
    """Sessions that the provider has ended: one (``sid``), or all of a person. ``number``: the token's
    ``jti``; ``until``: when the token expires, in NumericDate seconds."""

    number: str
    subject: str | None
    sid: str | None
    until: float


def check_logout_token(token: UnverifiedToken, configuration: OidcConfiguration, *, now: float) -> Logout:
    """Return the logout that a token for this service demands. Its signature is checked elsewhere. Raises
    JoseError."""
    claims = token.claims
    if token.header.typ is not None and not any(map(token.header.is_type, _TYPES)):
        raise MalformedError("typ is another kind of token")
    check_addressees(claims, configuration)
    until = check_times(claims, now=now, lifetime_cap=LIFETIME_SECONDS)
    if "nonce" in claims:
        raise MalformedError("nonce in a logout token")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise MalformedError("events has no logout")
    for name in ("iat", "jti"):
        if not claims.get(name):
            raise MissingClaimError(name)
    sid = claims.get("sid")
    if sid is not None and (not isinstance(sid, str) or not 0 < len(sid) <= MAX_SID_CHARACTERS):
        raise MalformedError(f"sid is not 1 to {MAX_SID_CHARACTERS} characters")
    subject = subject_of(claims) if "sub" in claims else None
    if subject is None and sid is None:
        raise MissingClaimError("sub or sid")
    return Logout(claims["jti"], subject, sid, until)
