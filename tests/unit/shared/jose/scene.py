"""One verifier with its keys, from an attacker's view: known public keys, and a stopped clock."""

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature, verify_with_key_set
from keyturn_shared.secret import Secret

NOW = 1_795_000_000
SECRET = "correct horse battery staple, and then some more octets: sixty-four."
HEADER = {"alg": "ES256", "kid": "ES256", "typ": "JWT"}
CLAIMS: dict[str, Any] = {
    "iss": "client",
    "sub": "client",
    "aud": "https://id.example.com/realms/acme",
    "jti": "b4f3c1",
    "iat": NOW,
    "exp": NOW + 60,
}


@cache
def rsa_private_key() -> rsa.RSAPrivateKey:
    """Return the client's only RSA key, for all six algorithms."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def signing_key(alg: str) -> SigningKey:
    """Return the client's private key for one algorithm, which is its kid too."""
    if alg[:2] in ("RS", "PS"):
        return SigningKey(rsa_private_key(), alg, kid=alg)
    return SigningKey.generate(alg, kid=alg)


@cache
def public_key(alg: str) -> VerificationKey:
    """Return the public key of ``signing_key``, not bound to one algorithm."""
    return VerificationKey.from_public_key(signing_key(alg).verification_key.public_key, kid=alg)


@cache
def key_set() -> KeySet:
    """Return the client's published keys: one of each kind, its kid the name of an algorithm it is for."""
    return KeySet.of(public_key(alg) for alg in ("RS256", "ES256", "ES384", "ES512", "EdDSA"))


def segment(value: object) -> bytes:
    """Encode bytes as they are, anything else as JSON, in base64url."""
    return base64url.encode(value if isinstance(value, bytes) else strict_json.encode(value))


def joined(header: object, claims: object, signature: bytes = b"") -> bytes:
    """Join any three parts of a token."""
    return b".".join((segment(header), segment(claims), base64url.encode(signature)))


def signed(header: object = None, claims: object = None, *, alg: str = "ES256") -> bytes:
    """Sign any header and claims with the client's key for ``alg``."""
    signing_input = b".".join(
        (segment(HEADER if header is None else header), segment(CLAIMS if claims is None else claims))
    )
    return signing_input + b"." + base64url.encode(signature_of(signing_input, alg))


def signature_of(signing_input: bytes, alg: str = "ES256") -> bytes:
    """Return the client's signature over any octets."""
    return signing_key(alg).sign(signing_input)


def claims_with(**changes: object) -> dict[str, Any]:
    """Return the usual claims with some of them changed, or removed by None."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


def header_with(**changes: object) -> dict[str, Any]:
    """Return the usual header with some members changed, or removed by None."""
    return {name: value for name, value in (HEADER | changes).items() if value is not None}


def accept(token: str | bytes, *, keys: KeySet | None = None, now: float = NOW) -> UnverifiedToken:
    """Check a private_key_jwt assertion completely. Raises JoseError."""
    parsed = parse_compact(token)
    require_algorithm(parsed, ASYMMETRIC_NAMES)
    verify_with_key_set(parsed, keys or key_set())
    check_times(parsed.claims, now=now)
    return parsed


def accept_with_secret(token: str | bytes, secret: str = SECRET) -> UnverifiedToken:
    """Check a client_secret_jwt assertion completely. Raises JoseError."""
    parsed = parse_compact(token)
    require_algorithm(parsed, SYMMETRIC_NAMES)
    verify_signature(parsed, SymmetricKey(Secret(secret)))
    check_times(parsed.claims, now=NOW)
    return parsed
