"""The algorithms of RFC 7518 section 3, RFC 8037 and RFC 9864 that keyturn accepts.

Each is bound to one kind of key. Signature algorithms take key objects and HMAC takes octets, so a public
key can never serve as a MAC secret (RFC 8725 section 2.1).
"""

import hmac
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from keyturn_shared.jose.errors import BadSignatureError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


# Compared by identity: there is one object per name, and the comparison is on the hot path.
@dataclass(frozen=True, slots=True, eq=False)
class RsaAlgorithm:
    """RSASSA-PKCS1-v1_5 or RSASSA-PSS (RFC 7518 3.3, 3.5). OpenSSL checks the signature's length."""

    name: str
    padding: padding.AsymmetricPadding
    hash: hashes.HashAlgorithm
    kty: Literal["RSA"] = "RSA"
    crv: None = None

    def verify(self, key: rsa.RSAPublicKey, signature: bytes, signing_input: bytes) -> None:
        try:
            key.verify(signature, signing_input, self.padding, self.hash)
        except InvalidSignature:
            raise BadSignatureError(f"{self.name} does not verify") from None

    def sign(self, key: rsa.RSAPrivateKey, signing_input: bytes) -> bytes:
        return key.sign(signing_input, self.padding, self.hash)


@dataclass(frozen=True, slots=True, eq=False)
class EcdsaAlgorithm:
    """ECDSA on one curve with one hash (RFC 7518 3.4). ``size``: octets of r and of s."""

    name: str
    crv: str
    curve: ec.EllipticCurve
    size: int
    scheme: ec.ECDSA
    kty: Literal["EC"] = "EC"

    def verify(self, key: ec.EllipticCurvePublicKey, signature: bytes, signing_input: bytes) -> None:
        try:
            key.verify(_der_of(signature, self.size), signing_input, self.scheme)
        except InvalidSignature:
            raise BadSignatureError(f"{self.name} does not verify") from None

    def sign(self, key: ec.EllipticCurvePrivateKey, signing_input: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(signing_input, self.scheme))
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")


@dataclass(frozen=True, slots=True, eq=False)
class EddsaAlgorithm:
    """Ed25519 (RFC 8037 3.1), as ``EdDSA`` or by its own name (RFC 9864). OpenSSL refuses S >= L."""

    name: str
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"

    def verify(self, key: ed25519.Ed25519PublicKey, signature: bytes, signing_input: bytes) -> None:
        try:
            key.verify(signature, signing_input)
        except InvalidSignature:
            raise BadSignatureError(f"{self.name} does not verify") from None

    def sign(self, key: ed25519.Ed25519PrivateKey, signing_input: bytes) -> bytes:
        return key.sign(signing_input)


@dataclass(frozen=True, slots=True, eq=False)
class HmacAlgorithm:
    """HMAC with SHA-2 (RFC 7518 3.2). ``size``: octets of the MAC, and the least a key must have."""

    name: str
    digest: str
    size: int

    def verify(self, key: bytes, mac: bytes, signing_input: bytes) -> None:
        if not hmac.compare_digest(hmac.digest(key, signing_input, self.digest), mac):
            raise BadSignatureError(f"{self.name} does not verify")


SignatureAlgorithm = RsaAlgorithm | EcdsaAlgorithm | EddsaAlgorithm
Algorithm = SignatureAlgorithm | HmacAlgorithm


def _der_of(signature: bytes, size: int) -> bytes:
    """Encode r || s of fixed size (RFC 7518 3.4) as the DER that OpenSSL reads.

    ``encode_dss_signature`` takes integers and twice the time. r = 0 and s = 0 are refused here
    (CVE-2022-21449); OpenSSL refuses values not below the group order.
    """
    if len(signature) != 2 * size:
        raise BadSignatureError(f"an ECDSA signature of {len(signature)} bytes, not {2 * size}")
    r = signature[:size].lstrip(b"\0")
    s = signature[size:].lstrip(b"\0")
    if not r or not s:
        raise BadSignatureError("an ECDSA signature with r = 0 or s = 0")
    # A DER integer is signed: a leading zero octet keeps a high bit from making it negative.
    if r[0] & 0x80:
        r = b"\0" + r
    if s[0] & 0x80:
        s = b"\0" + s
    length = len(r) + len(s) + 4
    if length < 0x80:
        return b"\x30%c\x02%c%b\x02%c%b" % (length, len(r), r, len(s), s)
    return b"\x30\x81%c\x02%c%b\x02%c%b" % (length, len(r), r, len(s), s)


def _rsa() -> tuple[RsaAlgorithm, ...]:
    sha2 = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
    pkcs1 = (RsaAlgorithm(f"RS{h.digest_size * 8}", padding.PKCS1v15(), h) for h in sha2)
    # RFC 7518 3.5: MGF1 with the same hash, and a salt as long as its output.
    pss = (
        RsaAlgorithm(f"PS{h.digest_size * 8}", padding.PSS(padding.MGF1(h), salt_length=h.digest_size), h)
        for h in sha2
    )
    return (*pkcs1, *pss)


RSA_ALGORITHMS: Final = _rsa()
ECDSA_ALGORITHMS: Final = (
    EcdsaAlgorithm("ES256", "P-256", ec.SECP256R1(), 32, ec.ECDSA(hashes.SHA256())),
    EcdsaAlgorithm("ES384", "P-384", ec.SECP384R1(), 48, ec.ECDSA(hashes.SHA384())),
    EcdsaAlgorithm("ES512", "P-521", ec.SECP521R1(), 66, ec.ECDSA(hashes.SHA512())),
)
EDDSA_ALGORITHMS: Final = (EddsaAlgorithm("EdDSA"), EddsaAlgorithm("Ed25519"))
HMAC_ALGORITHMS: Final = (
    HmacAlgorithm("HS256", "sha256", 32),
    HmacAlgorithm("HS384", "sha384", 48),
    HmacAlgorithm("HS512", "sha512", 64),
)

_SIGNATURE_ALGORITHMS: tuple[SignatureAlgorithm, ...] = (
    *RSA_ALGORITHMS,
    *ECDSA_ALGORITHMS,
    *EDDSA_ALGORITHMS,
)
SIGNATURE_ALGORITHMS: Final = {algorithm.name: algorithm for algorithm in _SIGNATURE_ALGORITHMS}
ALGORITHMS: Final[dict[str, Algorithm]] = {
    **SIGNATURE_ALGORITHMS,
    **{algorithm.name: algorithm for algorithm in HMAC_ALGORITHMS},
}
"""Every algorithm by its ``alg`` name, which is case-sensitive (RFC 7515 4.1.1)."""

ASYMMETRIC_NAMES: Final = frozenset(SIGNATURE_ALGORITHMS)
"""Algorithms for private_key_jwt."""
SYMMETRIC_NAMES: Final = frozenset(algorithm.name for algorithm in HMAC_ALGORITHMS)
"""Algorithms for client_secret_jwt."""
