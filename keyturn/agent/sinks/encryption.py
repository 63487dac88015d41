"""Encryption of a secret to a receiver's public key: JWE (RFC 7516)."""

import json
from typing import TYPE_CHECKING, Any, Final

from keyturn.agent.sinks.delivery import SinkError
from keyturn.agent.sinks.http import read_credential
from keyturn.extras import needing

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

EXTRA: Final = "agent-webhooks"
_ALGORITHMS: Final = {"EC": "ECDH-ES+A256KW", "OKP": "ECDH-ES+A256KW", "RSA": "RSA-OAEP-256"}
_ENCRYPTION: Final = "A256GCM"
_MIN_RSA_CHARACTERS: Final = 342
"""Of a modulus with 2048 bits in base64url."""
_PRIVATE: Final = frozenset({"d", "p", "q", "k"})


def require_encryption() -> None:
    """Raise MissingExtraError if the library for JWE is not installed."""
    with needing(EXTRA):
        import joserfc.jwe  # noqa: F401 - whether it is there


def encrypt(secret: str, key_file: str) -> str:
    """Return the secret as a compact JWE. The key's type decides the algorithm. Raises SinkError for a file
    that is not a public JWK for encryption."""
    from joserfc import jwe
    from joserfc.errors import JoseError

    jwk = _read(key_file)
    algorithm = _ALGORITHMS[jwk["kty"]]
    protected = {"alg": algorithm, "enc": _ENCRYPTION}
    if isinstance(jwk.get("kid"), str):
        protected["kid"] = jwk["kid"]
    try:
        key = _imported(jwk)
        return jwe.encrypt_compact(protected, secret, key, algorithms=[algorithm, _ENCRYPTION])
    except (JoseError, ValueError, TypeError, KeyError):
        raise SinkError(f"{key_file} cannot be used: it is no valid JWK") from None


def _read(key_file: str) -> dict[str, Any]:
    try:
        jwk = json.loads(read_credential(key_file))
    except ValueError:
        jwk = None
    if not isinstance(jwk, dict) or str(jwk.get("kty")) not in _ALGORITHMS:
        raise SinkError(f"{key_file} is not a public JWK of type EC, OKP or RSA")
    if not _PRIVATE.isdisjoint(jwk):
        raise SinkError(f"{key_file} has a private key: the agent must have the public one only")
    if jwk.get("use", "enc") != "enc" or jwk.get("alg", _ALGORITHMS[jwk["kty"]]) != _ALGORITHMS[jwk["kty"]]:
        raise SinkError(f"{key_file} is not for encryption with {_ALGORITHMS[jwk['kty']]}")
    if jwk["kty"] == "RSA" and len(str(jwk.get("n"))) < _MIN_RSA_CHARACTERS:
        raise SinkError(f"{key_file} has less than 2048 bits")
    return jwk


def _imported(jwk: dict[str, Any]) -> "ECKey | OKPKey | RSAKey":
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    if jwk["kty"] == "RSA":
        return RSAKey.import_key(jwk)
    return ECKey.import_key(jwk) if jwk["kty"] == "EC" else OKPKey.import_key(jwk)
