"""Conversion of public keys between JWK members (RFC 7517, RFC 7518 section 6, RFC 8037 section 2) and key
objects."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import (
    ECDSA_ALGORITHMS,
    EDDSA_ALGORITHMS,
    RSA_ALGORITHMS,
    EcdsaAlgorithm,
    PublicKey,
    SignatureAlgorithm,
)
from keyturn_shared.jose.errors import InvalidKeyError, KeyRefusal, MalformedError
from keyturn_shared.jose.weak_keys import MAX_RSA_BITS, refuse_weak

MAX_LOADED: Final = 8192
"""Most recently used keys kept as OpenSSL objects. Each takes about 2 KB."""

_ECDSA_BY_CRV: Final = {algorithm.crv: algorithm for algorithm in ECDSA_ALGORITHMS}
_ECDSA_BY_CURVE: Final = {algorithm.curve.name: algorithm for algorithm in ECDSA_ALGORITHMS}


def _before_point(algorithm: EcdsaAlgorithm) -> bytes:
    """Return the octets of a SubjectPublicKeyInfo (RFC 5480) before the coordinates: constant for a curve."""
    generator = ec.derive_private_key(1, algorithm.curve).public_key()
    return generator.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)[: -2 * algorithm.size]


_BEFORE_POINT: Final = {algorithm.crv: _before_point(algorithm) for algorithm in ECDSA_ALGORITHMS}


def public_key_from_members(jwk: Mapping[str, object]) -> PublicKey:
    """Build the key that ``kty``, ``crv``, ``n``, ``e``, ``x`` and ``y`` describe, fit for signatures. Raises
    InvalidKeyError for an unknown type or curve, members that are missing or not canonical, a point that is
    not on its curve, a weak or oversized RSA key, or an Ed25519 point of small order."""
    kty = jwk.get("kty")
    if kty == "RSA":
        key: PublicKey = _rsa_key(jwk)
    elif kty == "EC":
        key = _ec_key(jwk)
    elif kty == "OKP":
        key = _okp_key(jwk)
    else:
        raise InvalidKeyError(KeyRefusal.UNKNOWN_KEY_TYPE, f"kty {str(kty)[:40]!r}")
    refuse_weak(key)
    return key


def members_of(key: PublicKey) -> dict[str, str]:
    """Return the required JWK members of a key, in lexicographic order: the input of RFC 7638 section 3.2."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"e": _integer_text(numbers.e), "kty": "RSA", "n": _integer_text(numbers.n)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = _ecdsa_of(key)
        point = key.public_numbers()
        x, y = (base64url.encode_text(c.to_bytes(algorithm.size, "big")) for c in (point.x, point.y))
        return {"crv": algorithm.crv, "kty": "EC", "x": x, "y": y}
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode_text(key.public_bytes_raw())}


def thumbprint_of(key: PublicKey) -> str:
    """Return the RFC 7638 thumbprint: SHA-256, base64url."""
    return base64url.encode_text(hashlib.sha256(strict_json.encode(members_of(key))).digest())


def spki_of(key: PublicKey) -> bytes:
    """Encode the key as a SubjectPublicKeyInfo (RFC 5280 4.1.2.7) in DER, its most compact form."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_spki(spki: bytes) -> PublicKey:
    """Load the key that ``spki_of`` encoded."""
    return cast("PublicKey", load_der_public_key(spki))


load_spki = lru_cache(maxsize=MAX_LOADED)(read_spki)
"""``read_spki`` with a cache of the most recently used keys."""


def algorithms_of(key: PublicKey) -> tuple[SignatureAlgorithm, ...]:
    """Return every algorithm for this kind of key. Raises InvalidKeyError for an unknown curve."""
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return (_ecdsa_of(key),)
    return EDDSA_ALGORITHMS


def _ecdsa_of(key: ec.EllipticCurvePublicKey) -> EcdsaAlgorithm:
    algorithm = _ECDSA_BY_CURVE.get(key.curve.name)
    if algorithm is None:
        raise InvalidKeyError(KeyRefusal.UNKNOWN_CURVE, key.curve.name)
    return algorithm


def _rsa_key(jwk: Mapping[str, object]) -> rsa.RSAPublicKey:
    modulus, exponent = _number(jwk, "n"), _number(jwk, "e")
    if len(modulus) > MAX_RSA_BITS // 8 or len(exponent) > 8:
        raise InvalidKeyError(KeyRefusal.TOO_LARGE, "RSA modulus or exponent")
    try:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        return numbers.public_key()
    except ValueError as error:
        raise InvalidKeyError(KeyRefusal.INVALID, f"RSA: {error}") from None


def _ec_key(jwk: Mapping[str, object]) -> ec.EllipticCurvePublicKey:
    algorithm = _ECDSA_BY_CRV.get(_crv(jwk))
    if algorithm is None:
        raise InvalidKeyError(KeyRefusal.UNKNOWN_CURVE, _crv(jwk)[:40])
    x, y = (_number(jwk, name).rjust(algorithm.size, b"\0") for name in ("x", "y"))
    if len(x) != algorithm.size or len(y) != algorithm.size:
        raise InvalidKeyError(KeyRefusal.INVALID, f"{algorithm.crv} coordinates of the wrong length")
    try:
        # From the encoded point: OpenSSL then refuses coordinates >= p and points that are not on the curve.
        # Loaded from DER, such a key takes less memory than one of from_encoded_point, and nodes hold many.
        key = load_der_public_key(_BEFORE_POINT[algorithm.crv] + x + y)
    except ValueError:
        raise InvalidKeyError(KeyRefusal.INVALID, f"not a point on {algorithm.crv}") from None
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - the octets before the point say so
    return key


def _okp_key(jwk: Mapping[str, object]) -> ed25519.Ed25519PublicKey:
    if _crv(jwk) != "Ed25519":
        raise InvalidKeyError(KeyRefusal.UNKNOWN_CURVE, _crv(jwk)[:40])
    try:
        return ed25519.Ed25519PublicKey.from_public_bytes(_octets(jwk, "x"))
    except ValueError:
        raise InvalidKeyError(KeyRefusal.INVALID, "not the 32 bytes of an Ed25519 key") from None


def _crv(jwk: Mapping[str, object]) -> str:
    crv = jwk.get("crv")
    if not isinstance(crv, str):
        raise InvalidKeyError(KeyRefusal.INVALID, "crv is missing or not a string")
    return crv


def _octets(jwk: Mapping[str, object], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not text:
        raise InvalidKeyError(KeyRefusal.INVALID, f"{name} is missing or not a string")
    try:
        return base64url.decode_published(text)
    except MalformedError as error:
        raise InvalidKeyError(KeyRefusal.INVALID, f"{name}: {error.detail}") from None


def _number(jwk: Mapping[str, object], name: str) -> bytes:
    """Return a number in as few octets as possible. RFC 7518 prescribes the length: the fewest octets in RSA
    keys (6.3.1), a curve's size in others (6.2.1.2). Java's BigInteger adds a zero octet before some numbers
    only; neither changes the key or its thumbprint."""
    return _octets(jwk, name).lstrip(b"\0")


def _integer_text(number: int) -> str:
    """Encode as Base64urlUInt (RFC 7518 section 2): in as few octets as the number needs."""
    return base64url.encode_text(number.to_bytes((number.bit_length() + 7) // 8, "big"))
