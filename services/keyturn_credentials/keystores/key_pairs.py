"""Key pairs that are generated here, handed out once, and discarded."""

from enum import StrEnum
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyturn_credentials.keystores import pem
from keyturn_shared.jose.algorithms import PrivateKey, PublicKey
from keyturn_shared.keystores.errors import InvalidParameterError
from keyturn_shared.secret import Secret

_RSA_EXPONENT: Final = 65537


class KeyPairKind(StrEnum):
    """The supported key pairs. RSA_4096 is Keycloak's default."""

    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    P_256 = "P-256"
    P_384 = "P-384"
    P_521 = "P-521"
    ED25519 = "Ed25519"

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the kind with this name. Raises InvalidParameterError."""
        try:
            return cls(name)
        except ValueError:
            raise InvalidParameterError(
                f"unsupported key pair {name[:40]!r}; supported: {', '.join(cls)}"
            ) from None

    @classmethod
    def rsa(cls, bits: int) -> Self:
        """Return RSA with a modulus of this size: Keycloak's ``keySize``. Raises InvalidParameterError."""
        return cls.named(f"RSA-{bits}")


_RSA_BITS: Final = {KeyPairKind.RSA_2048: 2048, KeyPairKind.RSA_3072: 3072, KeyPairKind.RSA_4096: 4096}
_CURVES: Final = {
    KeyPairKind.P_256: ec.SECP256R1(),
    KeyPairKind.P_384: ec.SECP384R1(),
    KeyPairKind.P_521: ec.SECP521R1(),
}


class KeyPair:
    """A private key and its public half. The private one cannot be printed, pickled or compared."""

    __slots__ = ("_private_key", "kind", "public_key")

    def __init__(self, kind: KeyPairKind, private_key: PrivateKey) -> None:
        self.kind = kind
        self.public_key: PublicKey = private_key.public_key()
        self._private_key = private_key

    def reveal(self) -> PrivateKey:
        """Return the private key, for signing or for its owner."""
        return self._private_key

    @property
    def private_key_body(self) -> Secret:
        """Return ``privateKey`` of Keycloak's CertificateRepresentation: base64 in one line, without PEM's
        header.

        As in Keycloak: PKCS #1 for RSA (RFC 8017 A.1.2), SEC 1 for EC (RFC 5915); PKCS #8 (RFC 5958) for
        Ed25519, which has no older form.
        """
        older = not isinstance(self._private_key, ed25519.Ed25519PrivateKey)
        form = PrivateFormat.TraditionalOpenSSL if older else PrivateFormat.PKCS8
        return Secret(pem.body(self._private_key.private_bytes(Encoding.DER, form, NoEncryption())))

    def private_key_info(self) -> bytes:
        """Return the private key in PKCS #8 (RFC 5958), DER, for archives."""
        return self._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def __repr__(self) -> str:
        return f"KeyPair({self.kind.value!r}, {Secret.MASK!r})"

    def __reduce__(self) -> tuple[type, tuple[str]]:
        raise TypeError("a KeyPair is not serialised; write it into an archive")


def generate_key_pair(kind: KeyPairKind) -> KeyPair:
    """Generate a key pair from the operating system's randomness. RSA-4096 takes a second or more."""
    if kind in _RSA_BITS:
        return KeyPair(kind, rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS[kind]))
    if kind in _CURVES:
        return KeyPair(kind, ec.generate_private_key(_CURVES[kind]))
    return KeyPair(kind, ed25519.Ed25519PrivateKey.generate())
