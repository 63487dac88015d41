"""Attacks on the signature: values that no signer makes, and invalid encodings."""

import hashlib
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keyturn_shared.jose import base64url
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import (
    CLAIMS,
    accept,
    claims_with,
    header_with,
    rsa_private_key,
    segment,
    signature_of,
    signed,
)

_ORDERS = {
    "ES256": ec.SECP256R1().group_order,
    "ES384": ec.SECP384R1().group_order,
    "ES512": ec.SECP521R1().group_order,
}
_SIZES = {"ES256": 32, "ES384": 48, "ES512": 66}


def _signing_input(alg: str) -> bytes:
    kid = "RS256" if alg[:2] in ("RS", "PS") else alg
    return segment(header_with(alg=alg, kid=kid)) + b"." + segment(CLAIMS)


def _forged(name: str, source: str, alg: str, signature: bytes, keys: KeySet | None = None) -> Attack:
    token = _signing_input(alg) + b"." + base64url.encode(signature)
    return Attack(f"{alg}: {name}", source, "bad_signature", lambda: accept(token, keys=keys))


def _ecdsa(name: str, source: str, alg: str, make: Callable[[int, int, int], bytes]) -> Attack:
    """``make`` gets a valid signature's r and s, and the group order."""
    size = _SIZES[alg]
    true = signature_of(_signing_input(alg), alg)
    r, s = int.from_bytes(true[:size], "big"), int.from_bytes(true[size:], "big")
    return _forged(name, source, alg, make(r, s, _ORDERS[alg]))


def _raw(alg: str, r: int, s: int) -> bytes:
    return r.to_bytes(_SIZES[alg], "big") + s.to_bytes(_SIZES[alg], "big")


def _ecdsa_on(alg: str) -> list[Attack]:
    size = _SIZES[alg]
    return [
        _ecdsa(
            "r = 0 and s = 0", "CVE-2022-21449 (psychic signatures)", alg, lambda r, s, n: bytes(2 * size)
        ),
        _ecdsa("r = 0", "CVE-2022-21449, CVE-2022-24884", alg, lambda r, s, n: _raw(alg, 0, s)),
        _ecdsa("s = 0", "CVE-2022-21449, CVE-2022-24884", alg, lambda r, s, n: _raw(alg, r, 0)),
        _ecdsa(
            "r = n", "FIPS 186-5 6.4.2: below the order; CVE-2022-21449", alg, lambda r, s, n: _raw(alg, n, s)
        ),
        _ecdsa(
            "s = n", "FIPS 186-5 6.4.2: below the order; CVE-2022-21449", alg, lambda r, s, n: _raw(alg, r, n)
        ),
        _ecdsa("r = s = 1", "FIPS 186-5 6.4.2", alg, lambda r, s, n: _raw(alg, 1, 1)),
        _ecdsa("all bits set", "FIPS 186-5 6.4.2", alg, lambda r, s, n: b"\xff" * 2 * size),
        _ecdsa("r and s exchanged", "RFC 7518 3.4", alg, lambda r, s, n: _raw(alg, s, r)),
        _ecdsa(
            "in DER",
            "RFC 7518 3.4: r and s of fixed length, not DER",
            alg,
            lambda r, s, n: encode_dss_signature(r, s),
        ),
        _ecdsa("an octet short", "RFC 7518 3.4: exact length", alg, lambda r, s, n: _raw(alg, r, s)[:-1]),
        _ecdsa(
            "an octet too long", "RFC 7518 3.4: exact length", alg, lambda r, s, n: _raw(alg, r, s) + b"\0"
        ),
        _ecdsa("r alone", "RFC 7518 3.4: exact length", alg, lambda r, s, n: _raw(alg, r, s)[:size]),
        _ecdsa(
            "r and s each a zero octet longer",
            "RFC 7518 3.4: exact length; CVE-2024-42460",
            alg,
            lambda r, s, n: b"\0" + r.to_bytes(size, "big") + b"\0" + s.to_bytes(size, "big"),
        ),
        _forged("an empty signature", "RFC 7515 5.2; CVE-2020-28042", alg, b""),
    ]


ECDSA = [*_ecdsa_on("ES256"), *_ecdsa_on("ES384"), *_ecdsa_on("ES512")]

_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def _eddsa(name: str, source: str, make: Callable[[bytes, int], bytes]) -> Attack:
    """``make`` gets a valid signature's R and S."""
    true = signature_of(_signing_input("EdDSA"), "EdDSA")
    return _forged(name, source, "EdDSA", make(true[:32], int.from_bytes(true[32:], "little")))


def _with_s(point: bytes, s: int) -> bytes:
    return point + s.to_bytes(32, "little")


EDDSA = [
    _eddsa("S + L", "RFC 8032 8.4: malleability", lambda r, s: _with_s(r, s + _ED25519_ORDER)),
    _eddsa("S + 2L", "RFC 8032 8.4: malleability", lambda r, s: _with_s(r, s + 2 * _ED25519_ORDER)),
    _eddsa("S = L", "RFC 8032 5.1.7", lambda r, s: _with_s(r, _ED25519_ORDER)),
    _eddsa("L - S", "RFC 8032 5.1.7", lambda r, s: _with_s(r, _ED25519_ORDER - s)),
    _eddsa("S = 0", "RFC 8032 5.1.7", lambda r, s: _with_s(r, 0)),
    _eddsa("all zeros", "RFC 8032 5.1.7", lambda r, s: bytes(64)),
    _eddsa("all bits set", "RFC 8032 5.1.7", lambda r, s: b"\xff" * 64),
    _eddsa("R the neutral point", "RFC 8032 5.1.7", lambda r, s: _with_s(b"\x01" + bytes(31), 0)),
    _eddsa(
        "R with its sign flipped", "RFC 8032 5.1.7", lambda r, s: _with_s(r[:31] + bytes([r[31] ^ 0x80]), s)
    ),
    _eddsa("R and S exchanged", "RFC 8032 5.1.6", lambda r, s: s.to_bytes(32, "little") + r),
    _eddsa("an octet short", "RFC 8032 5.1.7; CVE-2024-42459", lambda r, s: _with_s(r, s)[:63]),
    _eddsa("an octet too long", "RFC 8032 5.1.7; CVE-2024-42459", lambda r, s: _with_s(r, s) + b"\0"),
    _eddsa("R alone", "RFC 8032 5.1.7", lambda r, s: r),
    _forged("an empty signature", "RFC 7515 5.2; CVE-2020-28042", "EdDSA", b""),
]

_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def _rsa_raw(encoded: bytes, key: rsa.RSAPrivateKey | None = None) -> bytes:
    """Apply the RSA private operation to any encoded message."""
    numbers = (key or rsa_private_key()).private_numbers()
    n = numbers.public_numbers.n
    return pow(int.from_bytes(encoded, "big"), numbers.d, n).to_bytes((n.bit_length() + 7) // 8, "big")


def _pkcs1(
    name: str, source: str, tail: bytes, *, kind: bytes = b"\0\1", fill: int | None = None, end: bytes = b""
) -> Attack:
    """An invalid EMSA-PKCS1-v1_5 encoding under the client's own key."""
    length = 256 - len(kind) - 1 - len(tail) if fill is None else fill
    encoded = (kind + b"\xff" * length + b"\0" + tail + end).ljust(256, b"\xaa")
    return _forged(name, source, "RS256", _rsa_raw(encoded))


_DIGEST = hashlib.sha256(_signing_input("RS256")).digest()
_LENIENT = "RFC 8017 8.2.2: compare encodings, do not parse; CVE-2006-4339, CVE-2022-24771"


@cache
def _exponent_three() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=3, key_size=2048)


def _cube_root_forgery() -> Attack:
    """With e = 3 and a parser that ignores what follows the digest, no private key is needed."""
    prefix = b"\0\1" + b"\xff" * 8 + b"\0" + _SHA256_INFO + _DIGEST
    target = int.from_bytes(prefix.ljust(256, b"\xff"), "big")
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= target else (low, middle - 1)
    assert (low**3).to_bytes(256, "big").startswith(prefix)
    keys = KeySet.of([VerificationKey.from_public_key(_exponent_three().public_key(), kid="RS256")])
    return _forged(
        "a cube root", "CVE-2006-4339 (Bleichenbacher, e = 3)", "RS256", low.to_bytes(256, "big"), keys
    )


def _modulus() -> int:
    return rsa_private_key().public_key().public_numbers().n


def _rsa_sized(value: int) -> bytes:
    return value.to_bytes(256, "big")


def _pss(name: str, source: str, scheme: padding.AsymmetricPadding, alg: str = "PS256") -> Attack:
    signature = rsa_private_key().sign(_signing_input(alg), scheme, hashes.SHA256())
    return _forged(name, source, alg, signature)


_TRUE_RS256 = signature_of(_signing_input("RS256"), "RS256")

RSA = [
    _cube_root_forgery(),
    _pkcs1(
        "no NULL in the DigestInfo",
        "RFC 8017 A.2.4",
        bytes.fromhex("302f300b0609608648016503040201") + b"\4\x20" + _DIGEST,
    ),
    _pkcs1("the digest without a DigestInfo", _LENIENT, _DIGEST),
    _pkcs1("SHA-512 named, SHA-256 inside", _LENIENT, _SHA256_INFO.replace(b"\4\2\1", b"\4\2\3") + _DIGEST),
    _pkcs1("a length in long form", _LENIENT, b"\x30\x81\x31" + _SHA256_INFO[2:] + _DIGEST),
    _pkcs1("a digest cut by an octet", _LENIENT, b"\x30\x30" + _SHA256_INFO[2:-1] + b"\x1f" + _DIGEST[:-1]),
    _pkcs1("short padding and garbage after the digest", _LENIENT, _SHA256_INFO + _DIGEST, fill=8),
    _pkcs1("no padding and garbage after the digest", _LENIENT, _SHA256_INFO + _DIGEST, fill=0),
    _pkcs1("block type 2", "RFC 8017 9.2", _SHA256_INFO + _DIGEST, kind=b"\0\2"),
    _pkcs1("block type 0", "RFC 8017 9.2", _SHA256_INFO + _DIGEST, kind=b"\0\0"),
    _forged("zero", "RFC 8017 8.2.2", "RS256", _rsa_sized(0)),
    _forged("one", "RFC 8017 8.2.2", "RS256", _rsa_sized(1)),
    _forged("n - 1", "RFC 8017 8.2.2", "RS256", _rsa_sized(_modulus() - 1)),
    _forged("n", "RFC 8017 5.2.2: below the modulus", "RS256", _rsa_sized(_modulus())),
    _forged(
        "the signature plus n",
        "RFC 8017 5.2.2: below the modulus",
        "RS256",
        (int.from_bytes(_TRUE_RS256, "big") + _modulus()).to_bytes(257, "big"),
    ),
    _forged(
        "a zero octet before it", "RFC 8017 8.2.2: exact length; CVE-2020-14968", "RS256", b"\0" + _TRUE_RS256
    ),
    _forged("a zero octet after it", "RFC 8017 8.2.2: exact length", "RS256", _TRUE_RS256 + b"\0"),
    _forged("an octet short", "RFC 8017 8.2.2: exact length", "RS256", _TRUE_RS256[:-1]),
    _forged("an empty signature", "RFC 7515 5.2; CVE-2020-28042", "RS256", b""),
    _pss(
        "no salt", "RFC 7518 3.5: a salt as long as the hash", padding.PSS(padding.MGF1(hashes.SHA256()), 0)
    ),
    _pss(
        "a salt of 20 octets",
        "RFC 7518 3.5: a salt as long as the hash",
        padding.PSS(padding.MGF1(hashes.SHA256()), 20),
    ),
    _pss(
        "the longest salt",
        "RFC 7518 3.5: a salt as long as the hash",
        padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH),
    ),
    _pss(
        "MGF1 with SHA-1",
        "RFC 7518 3.5: MGF1 with the same hash",
        padding.PSS(padding.MGF1(hashes.SHA1()), 32),
    ),
    _pss("a PKCS#1 v1.5 signature", "RFC 8725 3.1: the padding is part of alg", padding.PKCS1v15()),
    _pss(
        "a PSS signature",
        "RFC 8725 3.1: the padding is part of alg",
        padding.PSS(padding.MGF1(hashes.SHA256()), 32),
        "RS256",
    ),
    _forged(
        "an RS384 signature",
        "RFC 8725 3.1: the hash is part of alg",
        "RS256",
        signature_of(_signing_input("RS256"), "RS384"),
    ),
    _forged(
        "an RS256 signature",
        "RFC 8725 3.1: the hash is part of alg",
        "RS512",
        signature_of(_signing_input("RS512"), "RS256"),
    ),
]


def _moved(name: str, source: str, token: bytes) -> Attack:
    return Attack(name, source, "bad_signature", lambda: accept(token))


_ONE, _OTHER = (signed(claims=claims_with(sub=sub)).split(b".") for sub in ("client", "admin"))


def _p256_with_sha384() -> Attack:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.sign(_signing_input("ES256"), ec.ECDSA(hashes.SHA384()))
    keys = KeySet.of([VerificationKey.from_public_key(key.public_key(), kid="ES256")])
    return _forged(
        "P-256 with SHA-384",
        "RFC 7518 3.4: the hash is part of alg",
        "ES256",
        _raw("ES256", *decode_dss_signature(der)),
        keys,
    )


MOVED = [
    _moved("another token's signature", "RFC 7515 5.2", b".".join((_ONE[0], _ONE[1], _OTHER[2]))),
    _moved("another token's payload", "RFC 7515 5.2", b".".join((_ONE[0], _OTHER[1], _ONE[2]))),
    _moved(
        "another header over the same payload",
        "RFC 7515 5.2",
        b".".join((segment(header_with(typ="at+jwt")), _ONE[1], _ONE[2])),
    ),
    _moved(
        "a payload in another JSON spelling",
        "RFC 7515 5.2: the octets are signed",
        b".".join((_ONE[0], segment(b" " + base64url.decode(_ONE[1])), _ONE[2])),
    ),
    _moved(
        "a signature over the payload alone",
        "RFC 7515 5.1",
        b".".join((*_ONE[:2], base64url.encode(signature_of(_ONE[1])))),
    ),
    _moved(
        "a signature over the decoded parts",
        "RFC 7515 5.1",
        b".".join(
            (
                *_ONE[:2],
                base64url.encode(signature_of(base64url.decode(_ONE[0]) + b"." + base64url.decode(_ONE[1]))),
            )
        ),
    ),
    _p256_with_sha384(),
]

ATTACKS = [*ECDSA, *EDDSA, *RSA, *MOVED]
