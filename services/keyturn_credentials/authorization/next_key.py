"""The proof with which a client registers its next public key.

The client's assertion, signed with the key that it has, carries the proof as its claim ``next_key``. The
proof is a JWS signed with the next key, which is in its header. So both keys vouch for the new one.
"""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.self_signed import read_self_signed
from keyturn_shared.oauth.errors import InvalidRequestError

CLAIM: Final = "next_key"
PROOF_TYPE: Final = "next-key+jwt"
MAX_PROOF_BYTES: Final = 8 * 1024
MAX_AGE_SECONDS: Final = 300
"""Maximum age of a proof. The assertion around it is accepted once."""


def read_next_key_proof(
    claims: Mapping[str, Any], client_id: str, audience: str, now: float, *, clock_skew: float
) -> Mapping[str, object]:
    """Return the public JWK that an assertion's claims bring. Raises InvalidRequestError."""
    text = claims.get(CLAIM)
    if not isinstance(text, str):
        raise InvalidRequestError(f"the client assertion has no claim {CLAIM} with a JWS by the next key")
    try:
        proof = read_self_signed(text, typ=PROOF_TYPE, max_bytes=MAX_PROOF_BYTES)
    except JoseError as error:
        raise InvalidRequestError(f"{CLAIM}: {error.detail}") from None
    named = proof.claims.get("aud")
    if audience not in (named if isinstance(named, list) else [named]):
        raise InvalidRequestError(f"{CLAIM}: aud is not {audience}")
    if proof.claims.get("iss") != client_id:
        raise InvalidRequestError(f"{CLAIM}: iss is not the client")
    issued_at = proof.claims.get("iat")
    if issued_at is None or not now - MAX_AGE_SECONDS - clock_skew < issued_at <= now + clock_skew:
        raise InvalidRequestError(f"{CLAIM}: iat is not in the last {MAX_AGE_SECONDS} seconds")
    return proof.jwk
