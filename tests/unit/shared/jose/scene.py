"""One verifier with its keys, as an attacker meets it: public keys known, time standing still."""

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES, SYMMETRIC_NAMES
from keyturn_shared.jose.claims import judge_times
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
    """The client's one RSA key, for all six algorithms."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def signing_key(alg: str) -> SigningKey:
    """The client's private key for one algorithm, which is its kid too."""
    if alg[:2] in ("RS", "PS"):
        return SigningKey(rsa_private_key(), alg, kid=alg)
    return SigningKey.generate(alg, kid=alg)


@cache
def public_key(alg: str) -> VerificationKey:
    """The public key of ``signing_key``, not bound to one algorithm."""
    return VerificationKey.from_public_key(signing_key(alg).verification_key.public_key, kid=alg)


@cache
def key_set() -> KeySet:
    """What the client publishes: one key of each kind, its kid the name of an algorithm it is for."""
    return KeySet.of(public_key(alg) for alg in ("RS256", "ES256", "ES384", "ES512", "EdDSA"))


def segment(value: object) -> bytes:
    """Bytes as they are, anything else as JSON, in base64url."""
    return base64url.encode(value if isinstance(value, bytes) else strict_json.encode(value))


def joined(header: object, claims: object, signature: bytes = b"") -> bytes:
    """A token of these three parts, whatever they are."""
    return b".".join((segment(header), segment(claims), base64url.encode(signature)))


def signed(header: object = None, claims: object = None, *, alg: str = "ES256") -> bytes:
    """A token whose signature holds, by the client's key for ``alg``, whatever header and claims say."""
    signing_input = b".".join(
        (segment(HEADER if header is None else header), segment(CLAIMS if claims is None else claims))
    )
    return signing_input + b"." + base64url.encode(signature_of(signing_input, alg))


def signature_of(signing_input: bytes, alg: str = "ES256") -> bytes:
    """The client's signature over any octets."""
    return signing_key(alg).sign(signing_input)


def claims_with(**changes: object) -> dict[str, Any]:
    """The usual claims with some of them changed, or taken out with None."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


def header_with(**changes: object) -> dict[str, Any]:
    """The usual header with some members changed, or taken out with None."""
    return {name: value for name, value in (HEADER | changes).items() if value is not None}


def accept(token: str | bytes, *, keys: KeySet | None = None, now: float = NOW) -> UnverifiedToken:
    """Go the whole way of a private_key_jwt assertion. Raises JoseError."""
    parsed = parse_compact(token)
    require_algorithm(parsed, ASYMMETRIC_NAMES)
    verify_with_key_set(parsed, keys or key_set())
    judge_times(parsed.claims, now=now)
    return parsed


def accept_with_secret(token: str | bytes, secret: str = SECRET) -> UnverifiedToken:
    """Go the whole way of a client_secret_jwt assertion. Raises JoseError."""
    parsed = parse_compact(token)
    require_algorithm(parsed, SYMMETRIC_NAMES)
    verify_signature(parsed, SymmetricKey(Secret(secret)))
    judge_times(parsed.claims, now=NOW)
    return parsed
