"""A client's side of DPoP (RFC 9449), written by hand so that every part can be wrong."""

import base64
import hashlib
import json
import time
import uuid
from typing import Any

from keyturn_shared.jose.signing import SigningKey


def proof(
    key: SigningKey,
    method: str,
    url: str,
    token: str | None = None,
    *,
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """Make a valid proof; None removes a claim or a header member."""
    jwk = {
        name: value for name, value in key.public_jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")
    }
    members = {"typ": "dpop+jwt", "alg": key.algorithm, "jwk": jwk} | (header or {})
    stated = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())} | (
        {"ath": hashed(token)} if token is not None else {}
    )
    return signed(key, members, stated | claims)


def signed(key: SigningKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign a JWS under any header."""
    parts = [
        encoded(json.dumps({name: value for name, value in each.items() if value is not None}).encode())
        for each in (header, claims)
    ]
    return ".".join([*parts, encoded(key.sign(".".join(parts).encode()))])


def hashed(token: str) -> str:
    """Return ``ath`` of an access token."""
    return encoded(hashlib.sha256(token.encode()).digest())


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
