"""Assertions of client_secret_jwt as a client signs them: HMAC with the octets of its secret."""

import hmac
from collections.abc import Mapping
from typing import Any

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.signing import header_segment

_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def sign_with_secret(secret: str, alg: str, claims: Mapping[str, Any]) -> str:
    """Sign claims with a secret of any length."""
    return mac_over(header_segment(alg), claims, secret, alg)


def mac_over(header: bytes, claims: Mapping[str, Any], secret: str, alg: str) -> str:
    """Sign claims under an encoded header."""
    signing_input = header + b"." + base64url.encode(strict_json.encode(claims))
    mac = hmac.digest(secret.encode(), signing_input, _DIGESTS[alg])
    return (signing_input + b"." + base64url.encode(mac)).decode()
