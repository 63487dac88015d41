"""A key that only signs, as that of a KMS does."""

from collections.abc import Mapping

from keyturn import SigningKey


class ExternalKey:
    """A Signer that is no SigningKey. ``signatures``: that it has made."""

    def __init__(self, kid: str = "kms/1") -> None:
        self._key = SigningKey.generate("ES256")
        self.kid = kid
        self.signatures = 0

    @property
    def algorithm(self) -> str:
        return "ES256"

    @property
    def public_jwk(self) -> Mapping[str, object]:
        return {name: self._key.public_jwk[name] for name in ("kty", "crv", "x", "y")}

    def sign(self, data: bytes, /) -> bytes:
        self.signatures += 1
        return self._key.sign(data)
