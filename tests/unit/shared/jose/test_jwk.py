"""A key is identified by its parameters, under whatever name it is published."""

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import BadSignatureError, InvalidKeyError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.public_keys import MAX_LOADED, load_spki, thumbprint_of
from keyturn_shared.jose.weak_keys import _SMALL_ORDER_Y
from tests.testkit.certificates import issue
from tests.unit.shared.jose.scene import public_key, rsa_private_key, signing_key

RFC_7638_KEY = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
    "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q"
    "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6"
    "WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RFC_8037_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def test_thumbprint_of_rfc_7638() -> None:
    """RFC 7638 section 3.1's example."""
    key = VerificationKey.from_jwk(RFC_7638_KEY)
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert (key.kid, key.alg, key.kty, key.crv) == ("2011-04-29", "RS256", "RSA", None)
    assert key.public_jwk == RFC_7638_KEY


def test_thumbprint_of_rfc_8037() -> None:
    """RFC 8037 appendix A.3's example, also the kid of a key without one."""
    key = VerificationKey.from_jwk(RFC_8037_KEY)
    assert key.thumbprint == key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert key.public_jwk == {**RFC_8037_KEY, "kid": key.kid}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_key_survives_its_jwk(alg: str) -> None:
    """Parameters and thumbprint stay the same; for a certificate's key too."""
    key = signing_key(alg).verification_key
    again = VerificationKey.from_jwk(key.public_jwk)
    assert again.public_jwk == key.public_jwk
    assert again.thumbprint == key.thumbprint == thumbprint_of(key.public_key)
    assert (again.alg, again.use, again.algorithms) == (alg, "sig", key.algorithms)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_key_that_is_only_held_is_not_loaded_and_verifies_once_it_is(alg: str) -> None:
    signer = signing_key(alg)
    jwk = signer.public_jwk
    load_spki.cache_clear()
    key = VerificationKey.from_jwk(jwk)
    assert load_spki.cache_info().currsize == 0
    for _ in range(2):
        key.verify(SIGNATURE_ALGORITHMS[signer.algorithm], signer.sign(b"text"), b"text")
        with pytest.raises(BadSignatureError):
            key.verify(SIGNATURE_ALGORITHMS[signer.algorithm], signer.sign(b"text"), b"other")
    assert (load_spki.cache_info().currsize, load_spki.cache_info().maxsize) == (1, MAX_LOADED)


def test_key_of_a_certificate() -> None:
    """Its kid is the thumbprint by default."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, rsa_private_key().public_key(), 1, start, start + datetime.timedelta(1)
        )
    ).sign(rsa_private_key(), hashes.SHA256())
    key = VerificationKey.from_certificate(certificate)
    assert key.kid == key.thumbprint == public_key("RS256").thumbprint
    assert VerificationKey.from_certificate(certificate, kid="mine").kid == "mine"


def test_key_without_a_kid_answers_to_keycloaks_name_too() -> None:
    """Keycloak's adapters send the SHA-256 of the public key's DER as kid."""
    unnamed = VerificationKey.from_jwk(RFC_8037_KEY)
    der = bytes.fromhex("302a300506032b6570032100") + base64url.decode_text(RFC_8037_KEY["x"])
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    keycloaks = base64url.encode_text(digest.finalize())
    assert unnamed.is_called(keycloaks)
    assert unnamed.is_called(unnamed.thumbprint)
    named = VerificationKey.from_jwk({**RFC_8037_KEY, "kid": "mine"})
    assert named.is_called("mine")
    assert not named.is_called(keycloaks)
    assert not named.is_called(named.thumbprint)


@pytest.mark.parametrize(
    ("alg", "names"),
    [
        ("RS256", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        ("ES256", ["ES256"]),
        ("ES384", ["ES384"]),
        ("ES512", ["ES512"]),
        ("EdDSA", ["EdDSA", "Ed25519"]),
    ],
)
def test_algorithms_follow_from_the_key(alg: str, names: list[str]) -> None:
    """Without alg, all that type and curve allow; with it, that one."""
    jwk = {name: value for name, value in public_key(alg).public_jwk.items() if name != "alg"}
    assert [algorithm.name for algorithm in VerificationKey.from_jwk(jwk).algorithms] == names
    bound = VerificationKey.from_jwk({**jwk, "alg": names[-1]}).algorithms
    assert [algorithm.name for algorithm in bound] == (names if alg == "EdDSA" else names[-1:])


def test_leading_zero_of_a_modulus_is_let_pass() -> None:
    """Java's BigInteger writes it; number and thumbprint are the same."""
    octets = base64url.decode_text(RFC_7638_KEY["n"])
    key = VerificationKey.from_jwk({**RFC_7638_KEY, "n": base64url.encode_text(b"\0" + octets)})
    assert key.public_jwk == RFC_7638_KEY


def test_purpose_is_kept() -> None:
    """``use`` and ``key_ops`` that allow verification stay in the public JWK; other members do not."""
    jwk: dict[str, Any] = {**RFC_8037_KEY, "kid": "a", "use": "sig", "key_ops": ["verify"]}
    assert VerificationKey.from_jwk({**jwk, "x5c": ["MIIB"], "exp": 1}).public_jwk == jwk


def test_points_of_small_order_are_the_known_ones() -> None:
    """Doubling each y of the list three times gives the neutral point, by the curve's own equation."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    for start in _SMALL_ORDER_Y:
        y = start
        for _ in range(3):
            # x² from the curve -x² + y² = 1 + d x² y²; y of the double is (y² + x²) / (1 - d x² y²).
            x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
            y = (y * y + x2) * pow(1 - d * x2 * y * y, -1, p) % p
        assert y == 1


def test_openssl_would_take_points_of_small_order() -> None:
    """This is why keyturn checks: under the neutral point one signature verifies for every message."""
    neutral = ed25519.Ed25519PublicKey.from_public_bytes(b"\1" + bytes(31))
    for message in (b"one", b"another"):
        neutral.verify(b"\1" + bytes(63), message)
    with pytest.raises(InvalidKeyError):
        VerificationKey.from_public_key(neutral)


def test_ordinary_rsa_keys_are_not_taken_for_roca() -> None:
    assert VerificationKey.from_jwk(RFC_7638_KEY)
    assert VerificationKey.from_public_key(rsa_private_key().public_key())


def test_repr_shows_no_more_than_the_public_key() -> None:
    """A verification key may be logged."""
    assert "thumbprint=" in repr(public_key("ES256"))


def test_unreduced_coordinates_are_refused() -> None:
    """For a small x on P-256, x + p names the same point, and would give it a second JWK."""
    p = ec.SECP256R1()
    assert p.key_size == 256
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    x = next(x for x in range(2, 50) if pow(_right_side(x, prime, b), (prime - 1) // 2, prime) == 1)
    y = pow(_right_side(x, prime, b), (prime + 1) // 4, prime)
    assert VerificationKey.from_jwk(_ec_jwk(x, y))
    with pytest.raises(InvalidKeyError):
        VerificationKey.from_jwk(_ec_jwk(x + prime, y))


def _right_side(x: int, prime: int, b: int) -> int:
    return (x**3 - 3 * x + b) % prime


def _ec_jwk(x: int, y: int) -> dict[str, object]:
    x_text, y_text = (base64url.encode_text(c.to_bytes(32, "big")) for c in (x, y))
    return {"kty": "EC", "crv": "P-256", "x": x_text, "y": y_text}


def test_public_jwk_is_json() -> None:
    """It is put into JWK Sets unchanged."""
    assert strict_json.decode_object(strict_json.encode(public_key("RS256").public_jwk))["kty"] == "RSA"


def test_a_certificates_key_may_be_for_one_algorithm() -> None:
    certificate = issue(None).certificate
    assert VerificationKey.from_certificate(certificate, kid="k", alg="ES256").alg == "ES256"
    assert VerificationKey.from_certificate(certificate).alg is None
