"""Signatures of any Signer, verified by another library."""

import jwt

from keyturn import Signer
from keyturn.client.signer import sign_compact

USUAL = {"RSA-2048": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}


def assert_signs(signer: Signer) -> None:
    """Sign a JWT, and verify it with PyJWT."""
    token = sign_compact(signer, {"kid": signer.kid}, {"sub": "orders"})
    key = jwt.PyJWK(dict(signer.public_jwk) | {"alg": signer.algorithm.replace("Ed25519", "EdDSA")})
    if signer.algorithm == "Ed25519":  # PyJWT knows the older name only
        signing_input, _, signature = token.rpartition(".")
        key.key.verify(jwt.utils.base64url_decode(signature), signing_input.encode())
        return
    assert jwt.decode(token, key, algorithms=[signer.algorithm]) == {"sub": "orders"}
