"""Private keys sign, survive encryption, and are never shown."""

import copy
import pickle

import pytest

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, InvalidKeyError
from keyturn_shared.jose.jwk import PRIVATE_MEMBERS
from keyturn_shared.jose.signing import SigningKey, header_segment
from keyturn_shared.jose.symmetric import SymmetricKey
from keyturn_shared.jose.verify import verify_signature
from keyturn_shared.secret import Secret
from tests.testkit.secret_signing import sign_with_secret
from tests.unit.shared.jose.scene import CLAIMS, rsa_private_key, signing_key

ALL = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


@pytest.mark.parametrize("alg", ALL)
def test_what_a_key_signs_its_public_key_verifies(alg: str) -> None:
    """Also after a round trip through the private JWK."""
    key = signing_key(alg)
    again = SigningKey.from_private_jwk(key.export_private_jwk())
    token = again.sign_compact(again.header_segment("at+jwt"), CLAIMS)
    parsed = parse_compact(token)
    verify_signature(parsed, key.verification_key)
    assert (parsed.header.algorithm.name, parsed.header.kid, parsed.header.typ) == (alg, alg, "at+jwt")
    assert parsed.claims == CLAIMS
    assert again.public_jwk == key.public_jwk


def test_default_is_es256_under_its_thumbprint() -> None:
    key = SigningKey.generate()
    assert key.algorithm == "ES256"
    assert key.kid == key.verification_key.thumbprint
    assert key.public_jwk == {
        "kid": key.kid,
        "crv": "P-256",
        "kty": "EC",
        "x": key.public_jwk["x"],
        "y": key.public_jwk["y"],
        "alg": "ES256",
        "use": "sig",
    }


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_private_part_shows_only_in_the_export(alg: str) -> None:
    """Not in repr, in the public JWK, by copying or by pickling."""
    key = signing_key(alg)
    private = strict_json.decode_object(key.export_private_jwk())
    shown = f"{key!r} {key} {key.public_jwk} {key.verification_key!r}"
    assert PRIVATE_MEMBERS.isdisjoint(key.public_jwk)
    assert all(private[name] not in shown for name in PRIVATE_MEMBERS & private.keys())
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)


def _exported(key_alg: str = "ES256", /, **changes: object) -> bytes:
    jwk = strict_json.decode_object(signing_key(key_alg).export_private_jwk()) | changes
    return strict_json.encode({name: value for name, value in jwk.items() if value is not None})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b'{"kty":"oct","k":"AAAA","alg":"ES256"}',
        _exported(d=None),
        _exported(d="AQ"),
        _exported(d="!"),
        _exported(d=7),
        _exported(alg=None),
        _exported(alg="ES384"),
        _exported(kty="RSA"),
        _exported(x=SigningKey.generate().public_jwk["x"]),
        _exported("RS256", p="Aw"),
        _exported("RS256", n=None),
        _exported("EdDSA", d="AQ"),
        _exported("EdDSA", x=SigningKey.generate("EdDSA").public_jwk["x"]),
    ],
)
def test_broken_private_jwk_is_refused_without_quoting_it(text: bytes) -> None:
    """The error has no cause that might reveal more."""
    with pytest.raises(InvalidKeyError) as refused:
        SigningKey.from_private_jwk(text)
    assert refused.value.__cause__ is None
    assert signing_key("ES256").export_private_jwk().decode() not in refused.value.detail


@pytest.mark.parametrize("alg", ["HS256", "none", "es256", ""])
def test_only_signature_algorithms_make_signing_keys(alg: str) -> None:
    """HMAC is for secrets."""
    with pytest.raises(AlgorithmNotAllowedError):
        SigningKey.generate(alg)


def test_key_and_algorithm_have_to_match() -> None:
    with pytest.raises(InvalidKeyError):
        SigningKey(rsa_private_key(), "ES256")


@pytest.mark.parametrize(("alg", "octets"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_verifies_from_its_length_on(alg: str, octets: int) -> None:
    """RFC 7518 section 3.2: at least as long as the MAC."""
    whole, short = "s" * octets, "s" * (octets - 1)
    verify_signature(parse_compact(sign_with_secret(whole, alg, CLAIMS)), SymmetricKey(Secret(whole)))
    token = parse_compact(sign_with_secret(short, alg, CLAIMS))
    with pytest.raises((AlgorithmNotAllowedError, InvalidKeyError)):
        verify_signature(token, SymmetricKey(Secret(short)))


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_a_secret_verifies_hmac_only(alg: str) -> None:
    key = SigningKey.generate(alg)
    token = parse_compact(key.sign_compact(key.header_segment(), CLAIMS))
    with pytest.raises(AlgorithmNotAllowedError):
        verify_signature(token, SymmetricKey(Secret("s" * 64)))


def test_secret_never_shows() -> None:
    key = SymmetricKey(Secret("0123456789abcdef" * 4))
    assert "0123" not in f"{key!r} {key}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_header_segment_has_a_kid_only_if_given() -> None:
    """client_secret_jwt has none."""
    assert header_segment("HS256") == b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"


def test_a_made_rsa_key_is_as_long_as_asked_for() -> None:
    key = SigningKey.generate("RS256", rsa_bits=2048)
    assert (key.public_jwk["e"], len(str(key.public_jwk["n"]))) == ("AQAB", 342)


def test_a_header_is_of_a_plain_jwt_unless_told_otherwise() -> None:
    key = SigningKey.generate()
    assert parse_compact(key.sign_compact(key.header_segment(), {})).header.typ == "JWT"
    assert parse_compact(key.sign_compact(header_segment("ES256"), {})).header.typ == "JWT"


def test_a_key_may_be_given_another_name() -> None:
    key = SigningKey.generate(kid="old")
    assert key.renamed("new").public_jwk == {**key.public_jwk, "kid": "new"}
