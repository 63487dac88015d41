"""A client's or realm's public keys (RFC 7517 section 5), and the choice of keys for a token."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import msgspec

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import Algorithm
from keyturn_shared.jose.errors import (
    BadSignatureError,
    InvalidKeyError,
    InvalidKeySetError,
    KeyRefusal,
    KeysNotTriedError,
    MalformedError,
)
from keyturn_shared.jose.jwk import Thumbprint, VerificationKey, has_private_members

MAX_KEY_SET_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 100
MAX_CANDIDATES: Final = 4
"""Number of keys tried for one token. Without a kid, or if several keys share one, the issuer controls how
many keys match, and each try costs a signature check."""


@dataclass(frozen=True, slots=True)
class SkippedKey:
    """An unused member of ``keys``. ``index``: its place in the array."""

    index: int
    kid: str | None
    reason: KeyRefusal
    detail: str

    def __str__(self) -> str:
        named = "" if self.kid is None else f" ({self.kid})"
        return f"key {self.index}{named} is skipped: {self.detail}"


class Candidates(tuple[VerificationKey, ...]):
    """The keys tried for a token, at most MAX_CANDIDATES. ``left_out``: how many more match."""

    left_out: int = 0

    def __new__(cls, fitting: Iterable[VerificationKey] = ()) -> Self:
        keys = super().__new__(cls, fitting)
        if len(keys) <= MAX_CANDIDATES:
            return keys
        tried = super().__new__(cls, keys[:MAX_CANDIDATES])
        tried.left_out = len(keys) - len(tried)
        return tried

    def refusal(self) -> BadSignatureError:
        """Return the error for a signature that none of the keys made."""
        if not self.left_out:
            return BadSignatureError(f"none of {len(self)} keys")
        return KeysNotTriedError(
            f"none of {len(self)} keys, and {self.left_out} more fit: a token is tried with {MAX_CANDIDATES};"
            " a unique kid selects the key"
        )


class KeySet(msgspec.Struct, frozen=True, gc=False):
    """The usable keys of a set, in its order, and the skipped ones."""

    keys: tuple[VerificationKey, ...]
    skipped: tuple[SkippedKey, ...] = ()

    @classmethod
    def from_json(cls, text: bytes, *, max_bytes: int = MAX_KEY_SET_BYTES, max_keys: int = MAX_KEYS) -> Self:
        """Parse a JWK Set. Raises InvalidKeySetError; a single unusable key is only skipped."""
        if len(text) > max_bytes:
            raise InvalidKeySetError(f"longer than {max_bytes} bytes")
        return cls.from_members(read_document(text), max_keys=max_keys)

    @classmethod
    def from_members(cls, document: Mapping[str, object], *, max_keys: int = MAX_KEYS) -> Self:
        """Read a decoded JWK Set. Raises InvalidKeySetError; a single unusable key is only skipped."""
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
                    # Its publisher may have published the private parts of the other keys as well.
                    raise InvalidKeySetError(f"key {index} carries private key material") from None
                skipped.append(SkippedKey(index, _kid_of(jwk), error.reason, error.detail))
        return cls(tuple(keys), tuple(skipped))

    @classmethod
    def of(cls, keys: Iterable[VerificationKey]) -> Self:
        """Make a set of existing keys."""
        return cls(tuple(keys))

    @property
    def public_jwks(self) -> dict[str, object]:
        """Return the usable keys as a JWK Set, in which each answers to the same names."""
        return {"keys": [key.stored_jwk for key in self.keys]}

    def has_kid(self, kid: str) -> bool:
        """Return whether any key, for whatever algorithm, is called ``kid``."""
        return any(key.is_called(kid) for key in self.keys)

    def candidates(self, kid: str | Thumbprint | None, algorithm: Algorithm) -> Candidates:
        """Return the keys that may have signed a token with this ``kid`` and ``alg``.

        A thumbprint means one key, of any algorithm. Two keys under one kid (a rotation that reused it, or
        one kid for an RSA and an EC key) are both candidates if both match the algorithm.
        """
        if isinstance(kid, Thumbprint):
            return Candidates(key for key in self.keys if key.thumbprint == kid.value)
        return Candidates(
            [key for key in self.keys if algorithm in key.algorithms and (kid is None or key.is_called(kid))]
        )


def read_document(text: bytes) -> dict[str, object]:
    """Parse a JWK Set's members. Raises InvalidKeySetError.

    A byte order mark is ignored (RFC 8259 section 8.1), and so is a member repeated with the same value:
    every reader agrees on it (RFC 7517 section 4).
    """
    try:
        return strict_json.decode_object(text.removeprefix(BOM_UTF8), may_repeat=True)
    except MalformedError as error:
        raise InvalidKeySetError(error.detail) from None


def has_private_keys(document: Mapping[str, object]) -> bool:
    """Return whether a decoded JWK Set, or single JWK, carries private or symmetric key material."""
    keys = document.get("keys")
    return any(
        isinstance(jwk, Mapping) and has_private_members(jwk)
        for jwk in (document, *(keys if isinstance(keys, list) else ()))
    )


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
