"""Key sets in libraries' own spellings: one reader accepts those that change no key."""

import base64
from codecs import BOM_UTF8
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.errors import InvalidKeySetError, MalformedError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from tests.unit.shared.jose.scene import public_key

RSA, EC, ED = (public_key(alg).public_jwk for alg in ("RS256", "ES256", "EdDSA"))


def octets(jwk: dict[str, Any], name: str) -> bytes:
    return base64url.decode_text(jwk[name])


def zeros(jwk: dict[str, Any], name: str, count: int = 1) -> dict[str, Any]:
    """Return the key with a number padded by leading zeros."""
    return {**jwk, name: base64url.encode_text(bytes(count) + octets(jwk, name))}


def plain_base64(jwk: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**jwk, **{name: base64.b64encode(octets(jwk, name)).decode() for name in names}}


NAMED_WITHOUT_VALUE = dict.fromkeys(("d", "p", "q", "dp", "dq", "qi", "oth", "k", "x5u", "x5t"))
SPELLINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a padded modulus": ({**RSA, "n": f"{RSA['n']}=="}, RSA),
    "a modulus in base64": (plain_base64(RSA, "n", "e"), RSA),
    "coordinates in base64": (plain_base64(EC, "x", "y"), EC),
    "an Ed25519 key in base64": (plain_base64(ED, "x"), ED),
    "a zero octet before n": (zeros(RSA, "n"), RSA),
    "two zero octets before n": (zeros(RSA, "n", 2), RSA),
    "a zero octet before e": (zeros(RSA, "e"), RSA),
    "a zero octet before x": (zeros(EC, "x"), EC),
    "a zero octet before y": (zeros(EC, "y"), EC),
    "an empty key_ops": ({**RSA, "key_ops": []}, RSA),
    "every member named, with null": ({**NAMED_WITHOUT_VALUE, **RSA}, RSA),
    "members of another type, null": ({**EC, "n": None, "e": None, "exp": 1610923149000}, EC),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_that_changes_no_key_is_read(spelling: str) -> None:
    """The result is the same key, which is written canonically from here on."""
    written, meant = SPELLINGS[spelling]
    [key] = KeySet.from_json(strict_json.encode({"keys": [written]})).keys
    assert key.thumbprint == VerificationKey.from_jwk(meant).thumbprint
    assert key.public_jwk == VerificationKey.from_jwk(meant).public_jwk


def test_a_coordinate_without_its_leading_zeros_is_read() -> None:
    """One coordinate of this private key begins with a zero, which Java's BigInteger omits."""
    public = ec.derive_private_key(379, ec.SECP256R1()).public_key()
    whole = VerificationKey.from_public_key(public).public_jwk
    short = {**whole, "x": base64url.encode_text(octets(whole, "x").lstrip(b"\0"))}
    assert short != whole
    assert VerificationKey.from_jwk(short).public_jwk == VerificationKey.from_jwk(whole).public_jwk


def test_a_byte_order_mark_is_passed_over() -> None:
    text = strict_json.encode({"keys": [EC]})
    assert KeySet.from_json(BOM_UTF8 + text).keys[0].kid == "ES256"
    with pytest.raises(InvalidKeySetError):
        KeySet.from_json(BOM_UTF8 * 2 + text)


def test_a_member_that_occurs_again_is_read_where_every_reader_reads_it_alike() -> None:
    again = strict_json.encode({"keys": [EC]}).replace(b'"kid":', b'"kid":"ES256","kid":')
    assert KeySet.from_json(again).keys[0].kid == "ES256"
    other = again.replace(b'"ES256","kid"', b'"other","kid"', 1)
    with pytest.raises(InvalidKeySetError, match=r"occurs twice: keys\[0\]\.kid"):
        KeySet.from_json(other)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"a": {"b": 1, "b": true}}', r"a\.b"),
        ('{"clients": [{}, {"baseUrl": "/a", "x": 1, "baseUrl": "/b"}]}', r"clients\[1\]\.baseUrl"),
        ('{"attributes": {"jwks.url": 1, "jwks.url": 2}}', r"attributes\.'jwks\.url'"),
        ('{"a\\"\\u0000\\nb": 1, "a\\"\\u0000\\nb": 2}', r"'a\?\?\?b'"),
    ],
)
@pytest.mark.parametrize("may_repeat", [False, True])
def test_a_name_that_occurs_twice_is_told_with_its_place(text: str, place: str, may_repeat: bool) -> None:
    with pytest.raises(MalformedError, match=f"occurs twice: {place}$"):
        strict_json.decode_object(text.encode(), may_repeat=may_repeat)


def test_a_skipped_key_is_told_with_its_reason() -> None:
    keys = KeySet.from_json(strict_json.encode({"keys": [{**RSA, "n": "AQAB"}, EC]}))
    assert [key.kid for key in keys.keys] == ["ES256"]
    assert "key 0 (RS256) is skipped: " in str(keys.skipped[0])
