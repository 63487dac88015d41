"""A public key as a verifier uses it: its purpose, its names and the key object."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keyturn_shared.jose import base64url
from keyturn_shared.jose.algorithms import (
    EDDSA_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
    Algorithm,
    PublicKey,
    SignatureAlgorithm,
)
from keyturn_shared.jose.compact import MAX_KID_CHARACTERS
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, InvalidKeyError, KeyRefusal
from keyturn_shared.jose.public_keys import (
    algorithms_of,
    load_spki,
    members_of,
    public_key_from_members,
    read_spki,
    spki_of,
    thumbprint_of,
)
from keyturn_shared.jose.weak_keys import refuse_weak

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
"""Members with private or symmetric key material (RFC 7518 6.2.2, 6.3.2, 6.4.1; RFC 8037; AKP)."""


def has_private_members(jwk: Mapping[str, object]) -> bool:
    """Return whether a JWK carries private or symmetric key material. Some writers include every member, with
    null for those that a key lacks."""
    return any(jwk.get(name) is not None for name in PRIVATE_MEMBERS & jwk.keys())


@dataclass(frozen=True, slots=True)
class Thumbprint:
    """Names a key by its thumbprint (RFC 7638, SHA-256, base64url), whatever its kid and algorithm."""

    value: str


_ALONE: Final = {name: (algorithm,) for name, algorithm in SIGNATURE_ALGORITHMS.items()}


# Compared by identity: two parses of one JWK have equal thumbprints.
class VerificationKey(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A public key that verifies signatures.

    ``kid``: as given, or the thumbprint. ``other_kids``: further names of a key without a given kid. ``alg``:
    the one algorithm its JWK binds it to, or None. ``use``: ``sig`` or None. ``key_ops``: as given.
    ``thumbprint``: RFC 7638, SHA-256, base64url. ``spki``: the key itself in DER; OpenSSL's object is created
    on use, since a node holds very many keys. ``algorithms``: all that it may verify.
    """

    kid: str
    alg: str | None
    use: str | None
    key_ops: tuple[str, ...] | None
    thumbprint: str
    spki: bytes
    algorithms: tuple[SignatureAlgorithm, ...]
    other_kids: tuple[str, ...] = ()

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self:
        """Parse a JWK (RFC 7517). Raises InvalidKeyError with the reason."""
        if has_private_members(jwk):
            raise InvalidKeyError(KeyRefusal.PRIVATE, "a public key was expected")
        use, key_ops = _purpose(jwk)
        kid = _optional_text(jwk, "kid")
        alg = _optional_text(jwk, "alg")
        if alg is not None and alg not in SIGNATURE_ALGORITHMS:
            raise InvalidKeyError(KeyRefusal.UNKNOWN_ALGORITHM, alg[:40])
        return cls._of(public_key_from_members(jwk), kid=kid, alg=alg, use=use, key_ops=key_ops)

    @classmethod
    def from_public_key(cls, key: object, *, kid: str | None = None, alg: str | None = None) -> Self:
        """Wrap a key object of ``cryptography``, for signatures only. Raises InvalidKeyError."""
        if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)):
            raise InvalidKeyError(KeyRefusal.UNKNOWN_KEY_TYPE, type(key).__name__)
        refuse_weak(key)
        return cls._of(key, kid=kid, alg=alg, use="sig", key_ops=None)

    @classmethod
    def from_certificate(
        cls, certificate: x509.Certificate, *, kid: str | None = None, alg: str | None = None
    ) -> Self:
        """Extract the certificate's key; the caller decides whether to trust the certificate."""
        return cls.from_public_key(certificate.public_key(), kid=kid, alg=alg)

    @classmethod
    def _of(
        cls,
        key: PublicKey,
        *,
        kid: str | None,
        alg: str | None,
        use: str | None,
        key_ops: tuple[str, ...] | None,
    ) -> Self:
        if kid is not None and not 0 < len(kid) <= MAX_KID_CHARACTERS:
            raise InvalidKeyError(KeyRefusal.INVALID, f"a kid of {len(kid)} characters")
        algorithms = _bound_algorithms(key, alg)
        thumbprint, spki = thumbprint_of(key), spki_of(key)
        # A node holds very many keys, so they share equal parts.
        alg = None if alg is None else SIGNATURE_ALGORITHMS[alg].name
        use = None if use is None else "sig"
        if kid is not None:
            kid = thumbprint if kid == thumbprint else kid
            return cls(kid, alg, use, key_ops, thumbprint, spki, algorithms)
        return cls(thumbprint, alg, use, key_ops, thumbprint, spki, algorithms, (_keycloak_kid(spki),))

    @property
    def public_key(self) -> PublicKey:
        """Load the key object of ``cryptography``."""
        return load_spki(self.spki)

    @property
    def kty(self) -> str:
        """Key type: ``RSA``, ``EC`` or ``OKP``."""
        return self.algorithms[0].kty

    @property
    def crv(self) -> str | None:
        """Curve, or None for RSA."""
        return self.algorithms[0].crv

    @property
    def bits(self) -> int | None:
        """Size of the modulus, or None for an elliptic-curve key."""
        key = self.public_key
        return key.key_size if isinstance(key, rsa.RSAPublicKey) else None

    @property
    def public_jwk(self) -> dict[str, object]:
        """Build the JWK anew from what was understood, with nothing else of the original text."""
        jwk: dict[str, object] = {"kid": self.kid, **members_of(self.public_key)}
        if self.alg is not None:
            jwk["alg"] = self.alg
        if self.use is not None:
            jwk["use"] = self.use
        if self.key_ops is not None:
            jwk["key_ops"] = list(self.key_ops)
        return jwk

    @property
    def stored_jwk(self) -> dict[str, object]:
        """Build the JWK without a ``kid`` that nobody has given: read again, the key answers to the same
        names."""
        jwk = self.public_jwk
        if self.other_kids:
            del jwk["kid"]
        return jwk

    def is_called(self, kid: str) -> bool:
        """Return whether a header's ``kid`` names this key."""
        return kid == self.kid or kid in self.other_kids

    def verify(
        self, algorithm: Algorithm, signature: bytes, signing_input: bytes, *, keep_loaded: bool = True
    ) -> None:
        """Raise AlgorithmNotAllowedError if the key does not allow the algorithm, and BadSignatureError if
        the signature is invalid. ``keep_loaded``: False for a key that anyone can send."""
        if algorithm not in self.algorithms:
            raise AlgorithmNotAllowedError(f"{algorithm.name} with a key for {self.alg or self.kty}")
        key = load_spki(self.spki) if keep_loaded else read_spki(self.spki)
        # _bound_algorithms chose them by the type of the key.
        algorithm.verify(key, signature, signing_input)  # type: ignore[arg-type]  # any key's type


def _purpose(jwk: Mapping[str, object]) -> tuple[str | None, tuple[str, ...] | None]:
    """Check ``use`` and ``key_ops`` (RFC 7517 4.2, 4.3): both must allow verification."""
    use = _optional_text(jwk, "use")
    if use not in (None, "sig"):
        raise InvalidKeyError(KeyRefusal.NOT_FOR_SIGNATURES, f"use {use[:40]!r}")
    operations = jwk.get("key_ops")
    if operations is None or operations == []:  # an empty list says nothing, and some writers write it
        return use, None
    if not isinstance(operations, list) or not all(isinstance(name, str) for name in operations):
        raise InvalidKeyError(KeyRefusal.INVALID, "key_ops is not an array of strings")
    if len(set(operations)) != len(operations):
        raise InvalidKeyError(KeyRefusal.INVALID, "key_ops names an operation twice")
    if "verify" not in operations:
        raise InvalidKeyError(KeyRefusal.NOT_FOR_SIGNATURES, "key_ops without verify")
    return use, tuple(operations)


def _bound_algorithms(key: PublicKey, alg: str | None) -> tuple[SignatureAlgorithm, ...]:
    possible = algorithms_of(key)
    if alg is None:
        return possible
    if possible is EDDSA_ALGORITHMS and alg in ("EdDSA", "Ed25519"):
        return possible  # for an Ed25519 key the two names are one algorithm (RFC 9864 section 2.2)
    for algorithm in possible:
        if algorithm.name == alg:
            return _ALONE[alg]
    raise InvalidKeyError(KeyRefusal.ALGORITHM_MISMATCH, f"alg {alg[:40]!r} on a key of another type")


def _keycloak_kid(spki: bytes) -> str:
    """Return the ``kid`` that Keycloak's adapters send for a key uploaded without one."""
    return base64url.encode_text(hashlib.sha256(spki).digest())


def _optional_text(jwk: Mapping[str, object], name: str) -> str | None:
    value = jwk.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidKeyError(KeyRefusal.INVALID, f"{name} is not a string")
    return value
