"""Signing keys: for a realm's access tokens, and for a client adapter's assertions."""

from collections.abc import Mapping
from typing import Any, Never, Self

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError as PyJwtInvalidKeyError

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import (
    SIGNATURE_ALGORITHMS,
    EcdsaAlgorithm,
    PrivateKey,
    RsaAlgorithm,
    SignatureAlgorithm,
)
from keyturn_shared.jose.errors import (
    AlgorithmNotAllowedError,
    InvalidKeyError,
    KeyRefusal,
    MalformedError,
)
from keyturn_shared.jose.jwk import PRIVATE_MEMBERS, VerificationKey
from keyturn_shared.jose.public_keys import members_of
from keyturn_shared.jose.weak_keys import MIN_RSA_BITS

DEFAULT_ALGORITHM = "ES256"


def header_segment(alg: str, *, kid: str | None = None, typ: str = "JWT") -> bytes:
    """Encode a protected header. It is the same for every token of one key and type, so build it once."""
    header = {"alg": alg, "typ": typ} if kid is None else {"alg": alg, "kid": kid, "typ": typ}
    return base64url.encode(strict_json.encode(header))


class SigningKey:
    """A private key, the one algorithm it signs with, and its public key. Neither ``repr`` nor pickling
    reveals the private part; only ``export_private_jwk`` does."""

    __slots__ = ("_algorithm", "_private_key", "verification_key")

    def __init__(self, private_key: PrivateKey, alg: str, *, kid: str | None = None) -> None:
        """``kid``: the thumbprint by default. Raises InvalidKeyError if the key does not fit ``alg``."""
        self._private_key = private_key
        self._algorithm = _signature_algorithm(alg)
        self.verification_key = VerificationKey.from_public_key(private_key.public_key(), kid=kid, alg=alg)

    @classmethod
    def generate(
        cls, alg: str = DEFAULT_ALGORITHM, *, kid: str | None = None, rsa_bits: int = MIN_RSA_BITS
    ) -> Self:
        """Generate a key. ``rsa_bits`` is for RS and PS algorithms. Raises AlgorithmNotAllowedError."""
        algorithm = _signature_algorithm(alg)
        private_key: PrivateKey
        if isinstance(algorithm, RsaAlgorithm):
            private_key = rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        elif isinstance(algorithm, EcdsaAlgorithm):
            private_key = ec.generate_private_key(algorithm.curve)
        else:
            private_key = ed25519.Ed25519PrivateKey.generate()
        return cls(private_key, alg, kid=kid)

    def renamed(self, kid: str) -> Self:
        """Return the same key under another ``kid``."""
        return type(self)(self._private_key, self.algorithm, kid=kid)

    @property
    def kid(self) -> str:
        return self.verification_key.kid

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its signatures (RFC 7515 section 4.1.1)."""
        return self._algorithm.name

    @property
    def public_jwk(self) -> dict[str, object]:
        """Return this key for a JWK Set: ``kid``, ``alg``, ``use`` and the public members."""
        return self.verification_key.public_jwk

    def header_segment(self, typ: str = "JWT") -> bytes:
        """Encode the header of this key's tokens of one type (``at+jwt``: access tokens, RFC 9068), for
        reuse."""
        return header_segment(self.algorithm, kid=self.kid, typ=typ)

    def sign(self, signing_input: bytes) -> bytes:
        """Return the JWS signature over these octets."""
        return self._algorithm.sign(  # __init__ has matched the types of the algorithm and the key
            self._private_key,  # type: ignore[arg-type]  # any algorithm's type
            signing_input,
        )

    def sign_compact(self, header: bytes, claims: Mapping[str, Any]) -> str:
        """Sign these claims under a header segment that ``header_segment`` made for this key."""
        signing_input = b"%b.%b" % (header, base64url.encode(strict_json.encode(claims)))
        return (b"%b.%b" % (signing_input, base64url.encode(self.sign(signing_input)))).decode("ascii")

    def export_private_jwk(self) -> bytes:
        """Return the whole key as a JWK in JSON, to be encrypted at once."""
        return strict_json.encode(self.public_jwk | _private_members(self._private_key))

    @classmethod
    def from_private_jwk(cls, text: bytes) -> Self:
        """Load what ``export_private_jwk`` wrote, or any private JWK with an ``alg``. Raises InvalidKeyError,
        also when the public members do not belong to the private ones."""
        try:
            jwk = strict_json.decode_object(text)
            private_key = _private_key_of(jwk)
        except (MalformedError, PyJwtInvalidKeyError, ValueError, TypeError):
            # No detail and no cause: they might quote the key.
            raise InvalidKeyError(KeyRefusal.INVALID, "not a private JWK") from None
        stated = VerificationKey.from_jwk({name: jwk[name] for name in jwk if name not in PRIVATE_MEMBERS})
        if members_of(private_key.public_key()) != members_of(stated.public_key):
            raise InvalidKeyError(KeyRefusal.INVALID, "the public members belong to another private key")
        if stated.alg is None:
            raise InvalidKeyError(KeyRefusal.INVALID, "a signing key must have an alg")
        return cls(private_key, stated.alg, kid=stated.kid)

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r}, alg={self.algorithm!r})"

    def __reduce__(self) -> Never:
        raise TypeError("a SigningKey is never serialised; export its JWK and encrypt it")


def _signature_algorithm(alg: str) -> SignatureAlgorithm:
    algorithm = SIGNATURE_ALGORITHMS.get(alg)
    if algorithm is None:
        raise AlgorithmNotAllowedError(f"{alg!r} is not a signature algorithm")
    return algorithm


def _private_members(key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        members = RSAAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        members = ECAlgorithm.to_jwk(key, as_dict=True)
    else:
        members = OKPAlgorithm.to_jwk(key, as_dict=True)
    return {name: value for name, value in members.items() if name in PRIVATE_MEMBERS}


def _private_key_of(jwk: dict[str, Any]) -> PrivateKey:
    readers = {"RSA": RSAAlgorithm.from_jwk, "EC": ECAlgorithm.from_jwk, "OKP": OKPAlgorithm.from_jwk}
    reader = readers.get(str(jwk.get("kty")))
    key = None if reader is None else reader(jwk)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise ValueError("no private key of a known type")
    return key
