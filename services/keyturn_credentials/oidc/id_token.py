"""Claims of ID tokens (OpenID Connect Core sections 2 and 3.1.3.7). Pure."""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import MalformedError, MissingClaimError

MAX_SUBJECT_CHARACTERS: Final = 255
LOGOUT_TYPE: Final = "logout+jwt"


def check_id_token(
    token: UnverifiedToken, configuration: OidcConfiguration, *, nonce: str, now: float
) -> str:
    """Return the subject of an ID token for this service and this sign-in. Its signature is checked
    elsewhere. Raises JoseError."""
    claims = token.claims
    if token.header.is_type(LOGOUT_TYPE):
        raise MalformedError("a logout token")
    check_addressees(claims, configuration)
    check_times(claims, now=now, lifetime_cap=None)
    if "iat" not in claims:
        raise MissingClaimError("iat")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise MalformedError("nonce is missing or of another sign-in")
    return subject_of(claims)


def check_addressees(claims: Mapping[str, Any], configuration: OidcConfiguration) -> None:
    """Raise JoseError unless the token is by the provider, and for this service alone or as its authorized
    party."""
    if claims.get("iss") != configuration.issuer:
        raise MalformedError(f"iss is {str(claims.get('iss'))[:200]!r}")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience or []
    if configuration.client_id not in audiences:
        raise MalformedError("aud is another client")
    party = claims.get("azp")
    if party != configuration.client_id and (party is not None or len(audiences) > 1):
        raise MalformedError("azp is another client, or missing with several audiences")


def subject_of(claims: Mapping[str, Any]) -> str:
    """Return ``sub``, at most 255 printable ASCII characters. Raises JoseError."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise MissingClaimError("sub")
    if len(subject) > MAX_SUBJECT_CHARACTERS or not subject.isascii() or not subject.isprintable():
        raise MalformedError(f"sub is not at most {MAX_SUBJECT_CHARACTERS} printable ASCII characters")
    return subject
