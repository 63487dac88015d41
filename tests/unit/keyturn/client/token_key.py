"""A key in a token, without a token."""

from collections.abc import Mapping
from typing import Self

from keyturn import SignerError, SigningKey


class TokenKey:
    """A TokenSigner. ``token``: its private keys by kid, shared by all keys that were made in it."""

    def __init__(self, token: dict[str, SigningKey], jwk: Mapping[str, object]) -> None:
        self.token = token
        self.public_jwk = jwk

    @classmethod
    def first(cls) -> Self:
        """Return the first key of a new token."""
        return cls({}, {}).generate_next()

    @property
    def kid(self) -> str:
        return str(self.public_jwk["kid"])

    @property
    def algorithm(self) -> str:
        return "ES256"

    def sign(self, data: bytes, /) -> bytes:
        if self.kid not in self.token:
            raise SignerError("the token is away")
        return self.token[self.kid].sign(data)

    @property
    def reference(self) -> Mapping[str, object]:
        return {"fake": self.kid, "jwk": self.public_jwk}

    def referred(self, reference: Mapping[str, object], /) -> Self:
        jwk = reference["jwk"]
        if not isinstance(jwk, dict):
            raise TypeError
        return type(self)(self.token, jwk)

    def generate_next(self) -> Self:
        made = SigningKey.generate("ES256")
        self.token[made.kid] = made
        return type(self)(self.token, made.public_jwk)
