"""Attacks through published keys that are weak, malformed, mislabelled or not public."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519

from keyturn_shared.jose import base64url
from keyturn_shared.jose.jwk import VerificationKey
from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import public_key

_RSA, _EC, _ED = (public_key(alg).public_jwk for alg in ("RS256", "ES256", "EdDSA"))
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1


def _text(number: int, size: int | None = None) -> str:
    return base64url.encode_text(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _number(jwk: dict[str, Any], name: str) -> int:
    return int.from_bytes(base64url.decode_text(jwk[name]), "big")


def _jwk(name: str, source: str, expected: str, base: dict[str, Any], **changes: object) -> Attack:
    """A modified JWK. None removes a member."""
    jwk = {member: value for member, value in {**base, **changes}.items() if value is not None}
    return Attack(name, source, expected, lambda: VerificationKey.from_jwk(jwk))


def _object(name: str, source: str, expected: str, key: object) -> Attack:
    return Attack(name, source, expected, lambda: VerificationKey.from_public_key(key))


def _rsa_modulus(bits: int) -> int:
    """Return an odd number with this many bits; its factors are unknown, which a verifier cannot see."""
    return (1 << (bits - 1)) + 0x10001


def _roca_modulus() -> int:
    """Return a modulus like Infineon's generator's: a power of 65537 modulo each small prime."""
    product = 1
    for prime in (
        3,
        5,
        7,
        11,
        13,
        17,
        19,
        23,
        29,
        31,
        37,
        41,
        43,
        47,
        53,
        59,
        61,
        67,
        71,
        73,
        79,
        83,
        89,
        97,
    ):
        product *= prime
    for prime in (101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167):
        product *= prime
    base = (1 << 2047) // product + 1
    candidates = (product * k + pow(65537, 12345, product) for k in range(base, base + 2))
    return next(n for n in candidates if n % 2)


WEAK = [
    _jwk("RSA of 1024 bits", "RFC 7518 3.3; RFC 8725 3.5", "weak", _RSA, n=_text(_rsa_modulus(1024))),
    _jwk("RSA of 2047 bits", "RFC 7518 3.3", "weak", _RSA, n=_text(_rsa_modulus(2047))),
    _jwk("RSA of 512 bits", "RFC 7518 3.3; CVE-2025-45768", "weak", _RSA, n=_text(_rsa_modulus(512))),
    _jwk(
        "RSA of 8200 bits", "costly to verify; RFC 8725 3.4", "too_large", _RSA, n=_text(_rsa_modulus(8200))
    ),
    _jwk(
        "RSA of 128 kilobits",
        "costly to verify; RFC 8725 3.4",
        "too_large",
        _RSA,
        n=_text(_rsa_modulus(131_072)),
    ),
    _jwk(
        "an exponent of 2048 bits",
        "costly to verify; RFC 8725 3.4",
        "too_large",
        _RSA,
        e=_text(_rsa_modulus(2048)),
    ),
    _jwk("an exponent of 33 bits", "costly to verify; RFC 8725 3.4", "weak", _RSA, e=_text(2**32 + 15)),
    _jwk("the exponent 1", "every message is its own signature; RFC 8725 3.4", "invalid", _RSA, e="AQ"),
    _jwk("the exponent 0", "every signature is one; RFC 8725 3.4", "invalid", _RSA, e="AA"),
    _object(
        "a certificate's RSA key of 8200 bits",
        "costly to verify; RFC 8725 3.4",
        "too_large",
        rsa.RSAPublicNumbers(65537, _rsa_modulus(8200)).public_key(),
    ),
    _jwk("the exponent 2", "RFC 8017 3.1: odd", "invalid", _RSA, e="Ag"),
    _jwk("an even modulus", "RFC 8017 3.1", "weak", _RSA, n=_text(_rsa_modulus(2048) + 1)),
    _jwk("a modulus of the ROCA generator", "CVE-2017-15361", "weak", _RSA, n=_text(_roca_modulus())),
    _object(
        "a certificate's RSA key of 1024 bits",
        "RFC 7518 3.3",
        "weak",
        rsa.generate_private_key(65537, 1024).public_key(),
    ),
    _object(
        "a certificate's Ed448 key",
        "RFC 9864: not supported",
        "unknown_key_type",
        ed448.Ed448PrivateKey.generate().public_key(),
    ),
    _object(
        "a certificate's secp256k1 key",
        "RFC 8812: not supported",
        "unknown_curve",
        ec.generate_private_key(ec.SECP256K1()).public_key(),
    ),
    _object(
        "a certificate's X25519 key",
        "RFC 8037 3.2: for agreement only",
        "unknown_key_type",
        x25519.X25519PrivateKey.generate().public_key(),
    ),
]

_P25519 = 2**255 - 19


def _ed25519(name: str, source: str, expected: str, y: int, sign: int = 0) -> Attack:
    octets = (y | sign << 255).to_bytes(32, "little")
    return _jwk(f"Ed25519: {name}", source, expected, _ED, x=base64url.encode_text(octets))


_SMALL = "RFC 8032 8.4, RFC 7748 6.1: a point of small order signs anything"
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826

POINTS = [
    _jwk(
        "a point off the curve",
        "RFC 8725 3.4; CVE-2017-12974",
        "invalid",
        _EC,
        y=_text(_number(_EC, "y") ^ 1, 32),
    ),
    _jwk("the point (0, 0)", "RFC 8725 3.4", "invalid", _EC, x=_text(0, 32), y=_text(0, 32)),
    _jwk(
        "coordinates of p", "SEC 1 2.3.4: below the prime", "invalid", _EC, x=_text(_P, 32), y=_text(_P, 32)
    ),
    _jwk(
        "x of another curve's point", "CVE-2016-9121", "invalid", _EC, x=public_key("ES384").public_jwk["x"]
    ),
    _jwk(
        "a P-384 point called P-256",
        "RFC 8725 3.4",
        "invalid",
        public_key("ES384").public_jwk,
        crv="P-256",
        alg=None,
    ),
    _jwk("a P-256 point called P-384", "RFC 8725 3.4", "invalid", _EC, crv="P-384"),
    _jwk("x of another point in one octet", "RFC 7518 6.2.1.2", "invalid", _EC, x=_text(1)),
    _jwk(
        "x with an octet more",
        "RFC 7518 6.2.1.2: full size",
        "invalid",
        _EC,
        x=_text(_number(_EC, "x") + 2**256, 33),
    ),
    _jwk("a compressed point", "RFC 7518 6.2.1: both coordinates", "invalid", _EC, y=None),
    _ed25519("the neutral point", _SMALL, "weak", 1),
    _ed25519("the neutral point with a sign", _SMALL, "weak", 1, 1),
    _ed25519("the point of order 2", _SMALL, "weak", _P25519 - 1),
    _ed25519("a point of order 4", _SMALL, "weak", 0),
    _ed25519("the other point of order 4", _SMALL, "weak", 0, 1),
    _ed25519("a point of order 8", _SMALL, "weak", _ORDER_8),
    _ed25519("its negative", _SMALL, "weak", _ORDER_8, 1),
    _ed25519("another point of order 8", _SMALL, "weak", _P25519 - _ORDER_8),
    _ed25519("the other's negative", _SMALL, "weak", _P25519 - _ORDER_8, 1),
    _ed25519("p, which is zero again", "RFC 8032 5.1.3: reduced", "invalid", _P25519),
    _ed25519("p + 1, which is one again", "RFC 8032 5.1.3: reduced", "invalid", _P25519 + 1),
    _ed25519("2^255 - 1", "RFC 8032 5.1.3: reduced", "invalid", 2**255 - 1),
    _jwk("Ed25519: 31 octets", "RFC 8032 5.1.5", "invalid", _ED, x=base64url.encode_text(b"\1" * 31)),
    _jwk("Ed25519: 33 octets", "RFC 8032 5.1.5", "invalid", _ED, x=base64url.encode_text(b"\1" * 33)),
]

MEMBERS = [
    _jwk("no kty", "RFC 7517 4.1", "unknown_key_type", _EC, kty=None),
    _jwk("kty in lower case", "RFC 7517 4.1: case-sensitive", "unknown_key_type", _RSA, kty="rsa"),
    _jwk("kty of another key", "RFC 8725 3.4", "invalid", _EC, kty="RSA"),
    _jwk("a kty nobody knows", "RFC 7517 5: ignored", "unknown_key_type", _EC, kty="AKP"),
    _jwk("secp256k1", "RFC 8812: not supported", "unknown_curve", _EC, crv="secp256k1"),
    _jwk("Ed448", "RFC 8037: not supported", "unknown_curve", _ED, crv="Ed448"),
    _jwk("X25519", "RFC 8037 3.2: for agreement only", "unknown_curve", _ED, crv="X25519"),
    _jwk("no crv", "RFC 7518 6.2.1.1", "invalid", _EC, crv=None),
    _jwk("use enc", "RFC 7517 4.2; RFC 8725 2.7", "not_for_signatures", _EC, use="enc"),
    _jwk("use in upper case", "RFC 7517 4.2: case-sensitive", "not_for_signatures", _EC, use="SIG"),
    _jwk("key_ops without verify", "RFC 7517 4.3", "not_for_signatures", _EC, key_ops=["encrypt"]),
    _jwk("key_ops with sign only", "RFC 7517 4.3", "not_for_signatures", _EC, key_ops=["sign"]),
    _jwk(
        "key_ops with verify twice",
        "RFC 7517 4.3: no duplicates",
        "invalid",
        _EC,
        key_ops=["verify", "verify"],
    ),
    _jwk("key_ops that is a string", "RFC 7517 4.3", "invalid", _EC, key_ops="verify"),
    _jwk("alg of another key type", "RFC 8725 3.1", "algorithm_mismatch", _EC, alg="RS256"),
    _jwk("alg of another curve", "RFC 7518 3.4", "algorithm_mismatch", _EC, alg="ES384"),
    _jwk("alg HS256 on a public key", "RFC 8725 2.1", "unknown_algorithm", _RSA, alg="HS256"),
    _jwk("alg none on a public key", "RFC 8725 3.2", "unknown_algorithm", _RSA, alg="none"),
    _jwk("alg of encryption", "RFC 7517 4.4; CVE-2023-51774", "unknown_algorithm", _RSA, alg="RSA-OAEP"),
    _jwk("a kid that is a number", "RFC 7517 4.5", "invalid", _EC, kid=1),
    _jwk("a kid of 513 characters", "RFC 8725 2.9", "invalid", _EC, kid="k" * 513),
    _jwk("a modulus with too much padding", "RFC 4648 3.2", "invalid", _RSA, n=f"{_RSA['n']}==="),
    _jwk("padding within a modulus", "RFC 4648 3.3", "invalid", _RSA, n="AQ==" + str(_RSA["n"])[4:]),
    _jwk("a modulus of zeros", "RFC 8017 3.1", "invalid", _RSA, n="AAAA"),
    _jwk("an exponent of zero", "RFC 8017 3.1", "invalid", _RSA, e="AA"),
    _jwk("a modulus that is a number", "RFC 7518 6.3.1.1", "invalid", _RSA, n=12345),
    _jwk("a private EC key", "RFC 7517 9.2", "private_key_present", _EC, d="AQ"),
    _jwk("an RSA key's primes", "RFC 7518 6.3.2", "private_key_present", _RSA, p="AQ"),
]


ATTACKS = [*WEAK, *POINTS, *MEMBERS]
