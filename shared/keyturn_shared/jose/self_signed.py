"""JWS signed with the key in their own header (RFC 7515 section 4.1.3): proofs of possession."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.verify import require_algorithm


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A token with a valid signature under the key in it, which proves only that its maker has that key."""

    key: VerificationKey
    jwk: Mapping[str, object]
    claims: Mapping[str, Any]


def read_self_signed(text: str, *, typ: str, max_bytes: int) -> SelfSigned:
    """Parse a token of this type, and check its signature. Raises JoseError."""
    token = parse_compact(text, max_bytes=max_bytes)
    if not token.header.is_type(typ):
        raise MalformedError(f"typ is not {typ}")
    require_algorithm(token, ASYMMETRIC_NAMES)
    jwk = _jwk_of(token)
    key = VerificationKey.from_jwk(jwk)
    key.verify(token.header.algorithm, token.signature, token.signing_input, keep_loaded=False)
    return SelfSigned(key, jwk, token.claims)


def _jwk_of(token: UnverifiedToken) -> Mapping[str, object]:
    header = strict_json.decode_object(base64url.decode(token.signing_input.partition(b".")[0]))
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise MalformedError("no jwk in the header")
    return jwk
