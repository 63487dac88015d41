"""Sign what a client sends: assertions that authenticate it, and the proof that it has its next key."""

import uuid
from typing import Final

from keyturn.client.signer import Signer, sign_compact, verification_key_of

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
NEXT_KEY_TYPE: Final = "next-key+jwt"
_LIFETIME_SECONDS: Final = 30


def client_assertion(
    signer: Signer, client_id: str, audience: str, now: int, *, next_key: str | None = None
) -> dict[str, str]:
    """Return the form parameters of private_key_jwt (RFC 7523 section 2.2). ``now``: NumericDate."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + _LIFETIME_SECONDS,
    }
    if next_key is not None:
        claims["next_key"] = next_key
    signed = sign_compact(signer, {"kid": signer.kid, "typ": "JWT"}, claims)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def next_key_proof(signer: Signer, client_id: str, audience: str, now: int) -> str:
    """Return a JWS by which a new key introduces itself: its public JWK is in the header (RFC 7515 section
    4.1.3), and it signs who it is for."""
    header = {"typ": NEXT_KEY_TYPE, "jwk": verification_key_of(signer).public_jwk}
    return sign_compact(signer, header, {"iss": client_id, "aud": audience, "iat": now})
