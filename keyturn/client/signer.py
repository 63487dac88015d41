"""Keys that sign: in this process, or in a KMS, an HSM or a PKCS#11 token."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey


class SignerError(KeyturnError):
    """A key outside this process cannot be used, for now or for good; ``detail`` says why."""

    code = "signer"


@runtime_checkable
class Signer(Protocol):
    """A key of a client, wherever its private part is. A SigningKey is one.

    ``sign`` returns a JWS signature (RFC 7515 section 5.1): for ECDSA, r and s of fixed length one after the
    other, and not the DER that most services return (RFC 7518 section 3.4). It is called in the thread that
    requests the token, once a token. It raises SignerError if it cannot sign now.
    """

    @property
    def kid(self) -> str:
        """The name of the key in headers and in the JWK Set."""

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its signatures, such as ``ES256``."""

    @property
    def public_jwk(self) -> Mapping[str, object]:
        """The public key as a JWK (RFC 7517)."""

    def sign(self, data: bytes, /) -> bytes:
        """Sign these octets."""


@runtime_checkable
class TokenSigner(Signer, Protocol):
    """A Signer whose token can hold more keys. A file keeps references to them, and the next key of a
    rotation is generated in the token."""

    @property
    def reference(self) -> Mapping[str, object]:
        """Members that find the key again in its token, as JSON. It has no secret, and no member ``d``."""

    def referred(self, reference: Mapping[str, object], /) -> Self:
        """Return the signer of a reference. Raises ValueError, KeyError, TypeError or KeyturnError for
        another one."""

    def generate_next(self) -> Self:
        """Generate a key for the same algorithm in the token. Raises SignerError."""


def verification_key_of(signer: Signer) -> VerificationKey:
    """Return a signer's public key. Raises InvalidKeyError for one that no verifier accepts."""
    if isinstance(signer, SigningKey):
        return signer.verification_key
    names = {"kid": signer.kid, "alg": signer.algorithm, "use": "sig"}
    return VerificationKey.from_jwk({**signer.public_jwk, **names})


def thumbprint_of(signer: Signer) -> str:
    """Return the thumbprint (RFC 7638), by which keys are told apart: two may have one kid."""
    return verification_key_of(signer).thumbprint


def sign_compact(signer: Signer, header: Mapping[str, object], claims: Mapping[str, Any]) -> str:
    """Return a JWS in compact serialization (RFC 7515 section 7.1). ``header``: members beside ``alg``."""
    parts = ({"alg": signer.algorithm, **header}, claims)
    signing_input = b".".join(base64url.encode(strict_json.encode(part)) for part in parts)
    return (signing_input + b"." + base64url.encode(signer.sign(signing_input))).decode("ascii")
