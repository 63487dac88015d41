"""A client's or realm's public keys (RFC 7517 section 5), and which of them a token can mean."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import msgspec

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import Algorithm
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError, KeyRefusal, MalformedError
from keyturn_shared.jose.jwk import Thumbprint, VerificationKey

MAX_KEY_SET_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 100
MAX_CANDIDATES: Final = 4
"""How many keys one token is tried with. Without a kid, or with one that several keys share, the issuer says
how many there are, and each try costs a signature check."""


@dataclass(frozen=True, slots=True)
class SkippedKey:
    """A member of ``keys`` that is not used. ``index``: its place in the array."""

    index: int
    kid: str | None
    reason: KeyRefusal
    detail: str


class KeySet(msgspec.Struct, frozen=True, gc=False):
    """The usable keys of a set, in its order, and what became of the others."""

    keys: tuple[VerificationKey, ...]
    skipped: tuple[SkippedKey, ...] = ()

    @classmethod
    def from_json(cls, text: bytes, *, max_bytes: int = MAX_KEY_SET_BYTES, max_keys: int = MAX_KEYS) -> Self:
        """Read a JWK Set. Raises InvalidKeySetError; a key that cannot be used is only skipped."""
        if len(text) > max_bytes:
            raise InvalidKeySetError(f"longer than {max_bytes} bytes")
        try:
            document = strict_json.decode_object(text)
        except MalformedError as error:
            raise InvalidKeySetError(error.detail) from None
        return cls.from_members(document, max_keys=max_keys)

    @classmethod
    def from_members(cls, document: Mapping[str, object], *, max_keys: int = MAX_KEYS) -> Self:
        """As ``from_json``, of a document that is decoded already."""
        jwks = document.get("keys")
        if not isinstance(jwks, list):
            raise InvalidKeySetError("no array of keys")
        if len(jwks) > max_keys:
            raise InvalidKeySetError(f"{len(jwks)} keys, more than {max_keys}")
        keys: list[VerificationKey] = []
        skipped: list[SkippedKey] = []
        for index, jwk in enumerate(jwks):
            try:
                keys.append(_read_key(jwk, keys))
            except InvalidKeyError as error:
                if error.reason is KeyRefusal.PRIVATE:
                    # Whoever published it may have published the others' private parts as well.
                    raise InvalidKeySetError(f"key {index} carries private key material") from None
                skipped.append(SkippedKey(index, _kid_of(jwk), error.reason, error.detail))
        return cls(tuple(keys), tuple(skipped))

    @classmethod
    def of(cls, keys: Iterable[VerificationKey]) -> Self:
        """A set of keys that exist already."""
        return cls(tuple(keys))

    @property
    def public_jwks(self) -> dict[str, object]:
        """The usable keys as a JWK Set."""
        return {"keys": [key.public_jwk for key in self.keys]}

    def has_kid(self, kid: str) -> bool:
        """Whether any key, for whatever algorithm, is called ``kid``."""
        return any(key.is_called(kid) for key in self.keys)

    def candidates(self, kid: str | Thumbprint | None, algorithm: Algorithm) -> tuple[VerificationKey, ...]:
        """The keys that may have signed a token with this ``kid`` and ``alg``, at most MAX_CANDIDATES.

        A thumbprint means one key, of whatever algorithm. Two keys under one kid (a rotation that reused it,
        or one kid for an RSA and an EC key) are both candidates if both fit the algorithm.
        """
        if isinstance(kid, Thumbprint):
            return tuple(key for key in self.keys if key.thumbprint == kid.value)[:MAX_CANDIDATES]
        fitting = [
            key for key in self.keys if algorithm in key.algorithms and (kid is None or key.is_called(kid))
        ]
        return tuple(fitting[:MAX_CANDIDATES])

    def without(self, thumbprints: Collection[str]) -> "KeySet":
        """This set less the revoked keys, whatever kid they are published under."""
        return KeySet(tuple(key for key in self.keys if key.thumbprint not in thumbprints), self.skipped)


def _read_key(jwk: object, earlier: list[VerificationKey]) -> VerificationKey:
    if not isinstance(jwk, dict):
        raise InvalidKeyError(KeyRefusal.INVALID, "not an object")
    key = VerificationKey.from_jwk(jwk)
    for other in earlier:
        if (key.thumbprint, key.kid, key.alg) == (other.thumbprint, other.kid, other.alg):
            raise InvalidKeyError(KeyRefusal.DUPLICATE, "the same key under the same kid")
    return key


def _kid_of(jwk: object) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    return kid[:100] if isinstance(kid, str) else None
