"""A signature is valid under its own key, and the refusal says what was wrong with the key."""

import pytest

from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, BadSignatureError, UnknownKidError
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.verify import require_algorithm, verify_signature, verify_with_key_set
from tests.unit.shared.jose.scene import header_with, key_set, public_key, signed, signing_key


def test_rfc_7515_appendix_a_3_verifies() -> None:
    """The RFC's key and signature for ES256."""
    p256 = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    token = parse_compact(
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    verify_signature(token, VerificationKey.from_jwk(p256))


def test_the_key_that_made_it_is_returned() -> None:
    """Callers record its thumbprint."""
    assert (
        verify_with_key_set(parse_compact(signed()), key_set()).thumbprint == public_key("ES256").thumbprint
    )


def test_without_a_kid_the_keys_are_tried_in_turn() -> None:
    keys = KeySet.of([SigningKey.generate().verification_key, public_key("RS256"), public_key("ES256")])
    token = parse_compact(signed(header_with(kid=None)))
    assert verify_with_key_set(token, keys) is keys.keys[2]


def test_keys_under_one_kid_are_tried_in_turn() -> None:
    """The old and the new key of a rotation that reused its kid both verify their signatures."""
    keys = KeySet.of([SigningKey.generate(kid="ES256").verification_key, public_key("ES256")])
    assert verify_with_key_set(parse_compact(signed()), keys) is keys.keys[1]


def test_refusals_tell_kid_algorithm_and_signature_apart() -> None:
    """Only an unknown kid justifies another fetch of the client's JWKS."""
    token = parse_compact(signed())
    with pytest.raises(UnknownKidError):
        verify_with_key_set(token, KeySet.of([public_key("ES384")]))
    rsa_named_alike = VerificationKey.from_public_key(public_key("RS256").public_key, kid="ES256")
    with pytest.raises(AlgorithmNotAllowedError):
        verify_with_key_set(token, KeySet.of([rsa_named_alike]))
    with pytest.raises(BadSignatureError):
        verify_with_key_set(token, KeySet.of([SigningKey.generate(kid="ES256").verification_key]))


def test_list_of_algorithms_is_the_callers() -> None:
    """RFC 8725 section 3.1."""
    token = parse_compact(signed())
    require_algorithm(token, {"RS256", "ES256"})
    with pytest.raises(AlgorithmNotAllowedError):
        require_algorithm(token, {"RS256"})


def test_both_names_of_ed25519_verify_under_either() -> None:
    """RFC 9864: a key marked with one name verifies tokens that use the other."""
    for of_key in ("EdDSA", "Ed25519"):
        key = VerificationKey.from_public_key(public_key("EdDSA").public_key, kid="EdDSA", alg=of_key)
        for of_token in ("EdDSA", "Ed25519"):
            verify_signature(parse_compact(signed(header_with(alg=of_token), alg="EdDSA")), key)
    assert signing_key("Ed25519").public_jwk["alg"] == "Ed25519"
