"""Attacks that mix up algorithms and keys."""

import hashlib
import hmac

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature, verify_with_key_set
from keyturn_shared.secret import Secret
from tests.unit.shared.jose.attacks import Attack
from tests.unit.shared.jose.scene import (
    CLAIMS,
    SECRET,
    accept,
    accept_with_secret,
    header_with,
    joined,
    public_key,
    segment,
    signature_of,
    signed,
)

_REFUSED = "algorithm_not_allowed"


def _none(alg: str, source: str, *, signature: bytes = b"") -> Attack:
    what = f"with a signature of {len(signature)} octets"
    token = joined(header_with(alg=alg), CLAIMS, signature)
    return Attack(f"alg {alg!r} {what}", source, _REFUSED, lambda: accept(token))


UNSECURED = [
    _none("none", "RFC 8725 3.2; CVE-2015-2951"),
    _none("None", "Auth0 authentication API, 2020: a filter that compared case-sensitively"),
    _none("NONE", "Auth0 authentication API, 2020: a filter that compared case-sensitively"),
    _none("nOnE", "Auth0 authentication API, 2020: a filter that compared case-sensitively"),
    _none("nonE", "Auth0 authentication API, 2020: a filter that compared case-sensitively"),
    _none("none ", "RFC 7515 4.1.1: compared as it is, without trimming"),
    _none(" none", "RFC 7515 4.1.1: compared as it is, without trimming"),
    _none("none\0", "RFC 7515 4.1.1; truncation at NUL in C implementations"),
    _none("\uff4eone", "RFC 7515 4.1.1: no Unicode normalization (full-width n)"),
    _none("", "RFC 7515 4.1.1: an empty alg is no algorithm"),
    _none("none", "CVE-2022-23540: none by default", signature=b"x"),
    _none("none", "CVE-2021-22160: none although a key is configured", signature=signature_of(b"")),
]


def _mac_with(name: str, source: str, secret: bytes, *, alg: str = "HS256", kid: str = "RS256") -> Attack:
    signing_input = segment(header_with(alg=alg, kid=kid)) + b"." + segment(CLAIMS)
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    token = signing_input + b"." + base64url.encode(hmac.digest(secret, signing_input, digest))
    return Attack(name, source, _REFUSED, lambda: accept(token))


def _encoded(alg: str, encoding: Encoding, form: PublicFormat) -> bytes:
    return public_key(alg).public_key.public_bytes(encoding, form)


_PEM = _encoded("RS256", Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

CONFUSED = [
    _mac_with("HS256 with the RSA key's PEM as secret", "RFC 8725 2.1; CVE-2015-9235, CVE-2016-5431", _PEM),
    _mac_with("HS384 with the RSA key's PEM as secret", "CVE-2016-10555", _PEM, alg="HS384"),
    _mac_with("HS512 with the RSA key's PEM as secret", "CVE-2023-48238", _PEM, alg="HS512"),
    _mac_with("HS256 with the PEM less its last newline", "CVE-2024-54150", _PEM.rstrip()),
    _mac_with("HS256 with the PEM in CRLF", "CVE-2016-10555", _PEM.replace(b"\n", b"\r\n")),
    _mac_with(
        "HS256 with the PKCS#1 PEM",
        "CVE-2017-11424: a block list of PEM headers that missed one",
        _encoded("RS256", Encoding.PEM, PublicFormat.PKCS1),
    ),
    _mac_with(
        "HS256 with the RSA key's DER",
        "RFC 8725 2.1; CVE-2022-23541",
        _encoded("RS256", Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ),
    _mac_with(
        "HS256 with the RSA key in OpenSSH form",
        "CVE-2022-29217",
        _encoded("RS256", Encoding.OpenSSH, PublicFormat.OpenSSH),
    ),
    _mac_with(
        "HS256 with the EC key's PEM",
        "CVE-2024-33663",
        _encoded("ES256", Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        kid="ES256",
    ),
    _mac_with(
        "HS256 with the EC key in OpenSSH form",
        "CVE-2024-33663",
        _encoded("ES256", Encoding.OpenSSH, PublicFormat.OpenSSH),
        kid="ES256",
    ),
    _mac_with(
        "HS256 with the EC key's encoded point",
        "RFC 8725 2.1",
        _encoded("ES256", Encoding.X962, PublicFormat.UncompressedPoint),
        kid="ES256",
    ),
    _mac_with(
        "HS256 with the Ed25519 key's octets",
        "CVE-2022-29217",
        _encoded("EdDSA", Encoding.Raw, PublicFormat.Raw),
        kid="EdDSA",
    ),
    _mac_with(
        "HS256 with the Ed25519 key in OpenSSH form",
        "CVE-2022-29217",
        _encoded("EdDSA", Encoding.OpenSSH, PublicFormat.OpenSSH),
        kid="EdDSA",
    ),
    _mac_with(
        "HS256 with the RSA key's JWK as secret",
        "RFC 8725 2.1; CVE-2024-37568",
        strict_json.encode(public_key("RS256").public_jwk),
    ),
    _mac_with(
        "HS256 with the modulus text as secret",
        "RFC 8725 2.1",
        str(public_key("RS256").public_jwk["n"]).encode(),
    ),
    _mac_with("HS256 with an empty secret", "CVE-2019-20933", b""),
    _mac_with(
        "HS256 under a kid nobody has",
        "CVE-2016-10555: the algorithm is refused before a key is looked for",
        _PEM,
        kid="nobody",
    ),
]


def _another(header_alg: str, kid: str, source: str, *, signed_with: str | None = None) -> Attack:
    token = signed(header_with(alg=header_alg, kid=kid), alg=signed_with or kid)
    return Attack(f"{header_alg} with the key {kid}", source, _REFUSED, lambda: accept(token))


MISMATCHED = [
    _another("RS256", "ES256", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("ES256", "RS256", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("PS256", "ES256", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("ES256", "EdDSA", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("EdDSA", "ES256", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("Ed25519", "ES256", "RFC 9864 2.2: Ed25519 is for OKP keys on Ed25519"),
    _another("RS256", "EdDSA", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("EdDSA", "RS256", "RFC 8725 3.1: a key is for one kind of algorithm"),
    _another("ES256", "ES384", "RFC 7518 3.4: ES256 is P-256 with SHA-256"),
    _another("ES256", "ES512", "RFC 7518 3.4: ES256 is P-256 with SHA-256"),
    _another("ES384", "ES256", "RFC 7518 3.4: ES384 is P-384 with SHA-384"),
    _another("ES384", "ES512", "RFC 7518 3.4: ES384 is P-384 with SHA-384"),
    _another("ES512", "ES256", "RFC 7518 3.4: ES512 is P-521 with SHA-512"),
    _another("ES512", "ES384", "RFC 7518 3.4: ES512 is P-521 with SHA-512"),
]


def _unknown(alg: object, source: str) -> Attack:
    token = signed(header_with(alg=alg))
    return Attack(f"alg {alg!r}", source, _REFUSED, lambda: accept(token))


UNKNOWN = [
    _unknown("es256", "RFC 7515 4.1.1: alg is case-sensitive"),
    _unknown("Es256", "RFC 7515 4.1.1: alg is case-sensitive"),
    _unknown("ES256 ", "RFC 7515 4.1.1: compared as it is, without trimming"),
    _unknown("ES256\0", "RFC 7515 4.1.1; truncation at NUL in C implementations"),
    _unknown("EDDSA", "RFC 7515 4.1.1: alg is case-sensitive"),
    _unknown("ed25519", "RFC 7515 4.1.1: alg is case-sensitive"),
    _unknown("ES256K", "RFC 8725 3.2: not on any list here (RFC 8812)"),
    _unknown("ES521", "RFC 7518 3.1: no such algorithm"),
    _unknown("Ed448", "RFC 9864 2.2: not supported, so refused"),
    _unknown("RS1", "RFC 8725 3.2: SHA-1"),
    _unknown("HS1", "RFC 8725 3.2: SHA-1"),
    _unknown("MD5", "RFC 8725 3.2"),
    _unknown("dir", "RFC 7516: an encryption algorithm is no signature; CVE-2023-51774"),
    _unknown("RSA-OAEP", "RFC 7516: an encryption algorithm is no signature; CVE-2022-3102"),
    _unknown("RSA1_5", "RFC 8725 3.2; RFC 7516: an encryption algorithm is no signature"),
    _unknown("PBES2-HS256+A128KW", "CVE-2023-6681, CVE-2022-36083: costly key derivation on demand"),
    _unknown("A128GCMKW", "RFC 7516: an encryption algorithm is no signature"),
    _unknown("ML-DSA-44", "RFC 8725 3.2: not supported, so refused"),
    _unknown("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "RFC 7518 A.1: XML names are no alg values"),
    _unknown("__proto__", "RFC 8725 3.1: a table look-up that reaches inherited members"),
    _unknown("E" * 4000, "RFC 8725 3.2: an unknown name of any length"),
]


def _with_secret(name: str, source: str, token: bytes, secret: str = SECRET) -> Attack:
    return Attack(name, source, _REFUSED, lambda: accept_with_secret(token, secret))


def _hs(alg: str, secret: str, **members: object) -> bytes:
    signing_input = segment({"alg": alg, **members}) + b"." + segment(CLAIMS)
    return (
        signing_input + b"." + base64url.encode(hmac.digest(secret.encode(), signing_input, f"sha{alg[2:]}"))
    )


def _secret_key_given_a_signature() -> None:
    verify_signature(parse_compact(signed()), SymmetricKey(Secret(SECRET)))


def _public_key_given_a_mac() -> None:
    verify_signature(parse_compact(_hs("HS256", SECRET)), public_key("RS256"))


def _key_set_given_a_mac() -> None:
    verify_with_key_set(parse_compact(_hs("HS256", SECRET, kid="nobody")), KeySet.of([public_key("RS256")]))


def _not_on_the_list() -> None:
    require_algorithm(parse_compact(signed(header_with(alg="RS256", kid="RS256"), alg="RS256")), ["PS256"])


def _an_empty_list() -> None:
    require_algorithm(parse_compact(signed()), [])


SECRETS = [
    _with_secret(
        "a signature where a MAC is due", "OpenID Connect Core 9: client_secret_jwt is HMAC", signed()
    ),
    _with_secret("alg none where a MAC is due", "RFC 8725 3.2", joined({"alg": "none"}, CLAIMS)),
    _with_secret("HS384 with a secret of 47 octets", "RFC 7518 3.2", _hs("HS384", "s" * 47), "s" * 47),
    _with_secret("HS512 with a secret of 63 octets", "RFC 7518 3.2", _hs("HS512", "s" * 63), "s" * 63),
    Attack("a secret used as a signature key", "RFC 8725 2.1", _REFUSED, _secret_key_given_a_signature),
    Attack("a public key used as a MAC key", "RFC 8725 2.1", _REFUSED, _public_key_given_a_mac),
    Attack("a key set asked for a MAC key", "CVE-2024-37568", _REFUSED, _key_set_given_a_mac),
    Attack("an algorithm that is not on the caller's list", "RFC 8725 3.1", _REFUSED, _not_on_the_list),
    Attack("an empty list lets nothing pass", "RFC 8725 3.1", _REFUSED, _an_empty_list),
    Attack(
        "HS256 with a secret of 31 octets",
        "RFC 7518 3.2; RFC 8725 3.5; CVE-2025-45768",
        "weak",
        lambda: accept_with_secret(_hs("HS256", "s" * 31), "s" * 31),
    ),
    Attack(
        "HS256 with an empty secret on both sides",
        "RFC 7518 3.2; CVE-2019-20933",
        "weak",
        lambda: accept_with_secret(_hs("HS256", ""), ""),
    ),
    Attack(
        "a MAC under another secret",
        "RFC 7515 5.2",
        "bad_signature",
        lambda: accept_with_secret(_hs("HS256", "t" * 64)),
    ),
    Attack(
        "a MAC cut short",
        "RFC 7518 3.2: the whole MAC is compared; CVE-2020-28042",
        "bad_signature",
        lambda: accept_with_secret(_hs("HS256", SECRET)[:-3]),
    ),
    Attack(
        "an empty MAC",
        "CVE-2020-28042",
        "bad_signature",
        lambda: accept_with_secret(_hs("HS256", SECRET).rpartition(b".")[0] + b"."),
    ),
]

ATTACKS = [*UNSECURED, *CONFUSED, *MISMATCHED, *UNKNOWN, *SECRETS]
