"""The candidate keys of a token, and the unused keys of a set."""

import pytest

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.algorithms import ALGORITHMS
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import BadSignatureError, InvalidKeySetError, KeysNotTriedError
from keyturn_shared.jose.key_set import MAX_CANDIDATES, KeySet
from keyturn_shared.jose.signing import SigningKey, header_segment
from keyturn_shared.jose.verify import verify_with_key_set
from tests.unit.shared.jose.scene import public_key

RSA, EC, P384 = (public_key(alg).public_jwk for alg in ("RS256", "ES256", "ES384"))
ES256, RS256, PS256, HS256 = (ALGORITHMS[name] for name in ("ES256", "RS256", "PS256", "HS256"))


def _set(*jwks: object) -> KeySet:
    return KeySet.from_json(strict_json.encode({"keys": jwks, "comment": "ignored"}))


def test_unusable_keys_are_skipped_with_a_reason() -> None:
    """One bad key does not affect the good ones (RFC 7517 section 5)."""
    keys = _set(
        {"kty": "AKP", "kid": "pq"}, {**EC, "use": "enc"}, {**EC, "crv": "P-999"}, 7, EC, {**RSA, "n": "AQ"}
    )
    assert [key.kid for key in keys.keys] == ["ES256"]
    assert [(skipped.index, skipped.kid, skipped.reason.value) for skipped in keys.skipped] == [
        (0, "pq", "unknown_key_type"),
        (1, "ES256", "not_for_signatures"),
        (2, "ES256", "unknown_curve"),
        (3, None, "invalid"),
        (5, "RS256", "invalid"),
    ]


def test_candidates_by_kid_and_algorithm() -> None:
    """The kid names the key, which must allow the algorithm."""
    keys = _set(RSA, EC)
    assert [key.kid for key in keys.candidates("ES256", ES256)] == ["ES256"]
    assert [key.kid for key in keys.candidates("RS256", PS256)] == ["RS256"]
    assert keys.candidates("RS256", ES256) == ()
    assert keys.candidates("nobody", ES256) == ()
    assert keys.candidates("RS256", HS256) == ()


def test_without_a_kid_every_key_that_fits_is_a_candidate_up_to_a_bound() -> None:
    """Each costs a signature check."""
    keys = KeySet.of([*(SigningKey.generate().verification_key for _ in range(6)), public_key("RS256")])
    found = keys.candidates(None, ES256)
    assert found == keys.keys[:MAX_CANDIDATES]
    assert found.left_out == 2
    assert keys.candidates(None, RS256) == keys.keys[6:]
    assert keys.candidates(None, RS256).left_out == 0


def test_a_signature_that_an_untried_key_may_have_made_is_not_called_bad() -> None:
    """The code tells an operator that the client must name its key."""
    keys = [SigningKey.generate() for _ in range(MAX_CANDIDATES + 1)]
    token = parse_compact(keys[-1].sign_compact(header_segment("ES256"), {"sub": "orders"}))
    every = KeySet.of(key.verification_key for key in keys)
    with pytest.raises(KeysNotTriedError, match="1 more fit"):
        verify_with_key_set(token, every)
    with pytest.raises(BadSignatureError) as refused:
        verify_with_key_set(token, KeySet.of(every.keys[:-1]))
    assert refused.value.code == "bad_signature"


def test_keys_that_share_a_kid_are_all_candidates() -> None:
    """A rotation that reused its kid (Keycloak 14263), or one kid for two key types (14794, 15616)."""
    new = SigningKey.generate(kid="ES256").public_jwk
    keys = _set({**RSA, "kid": "ES256"}, EC, new)
    assert len(keys.candidates("ES256", ES256)) == 2
    assert len(keys.candidates("ES256", RS256)) == 1


def test_the_same_key_twice_is_one_candidate() -> None:
    """Under the same kid; under another it has another name."""
    keys = _set(EC, EC, {**EC, "kid": "other"})
    assert [skipped.reason.value for skipped in keys.skipped] == ["duplicate"]
    assert len(keys.candidates("ES256", ES256)) == 1
    assert len(keys.candidates(None, ES256)) == 2


def test_has_kid_whatever_the_algorithm() -> None:
    """It distinguishes an unknown kid from a known one for another algorithm."""
    keys = _set(RSA)
    assert keys.has_kid("RS256")
    assert not keys.has_kid("ES256")


def test_a_set_survives_its_json() -> None:
    keys = _set(RSA, EC, P384)
    read = KeySet.from_members(keys.public_jwks).public_jwks
    assert KeySet.from_members(read).public_jwks == keys.public_jwks


def test_an_empty_set_is_a_set() -> None:
    """The fetcher decides whether it may replace a good one."""
    assert _set() == KeySet(())


def test_caps_can_be_lowered() -> None:
    text = strict_json.encode({"keys": [EC, RSA]})
    assert KeySet.from_json(text, max_bytes=len(text), max_keys=2).keys
    with pytest.raises(InvalidKeySetError):
        KeySet.from_json(text, max_bytes=len(text) - 1)
    with pytest.raises(InvalidKeySetError):
        KeySet.from_json(text, max_keys=1)


def test_refusal_of_a_private_key_does_not_quote_it() -> None:
    """The error is logged."""
    with pytest.raises(InvalidKeySetError) as refused:
        _set({**EC, "d": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"})
    assert "c2Vj" not in f"{refused.value!r} {refused.value.detail}"


def test_a_key_that_is_skipped_says_which_one_it_is_and_why() -> None:
    jwks: list[object] = [{"kty": "oct"}, {"kty": "x", "kid": "k" * 120}, 7]
    found = KeySet.from_members({"keys": jwks})
    assert [each.kid for each in found.skipped] == [None, "k" * 100, None]
    first, second, third = map(str, found.skipped) if len(found.skipped) == 3 else ("", "", "")
    assert first.startswith("key 0 is skipped: ")
    assert second.startswith(f"key 1 ({'k' * 100}) is skipped: ")
    assert third == f"key 2 is skipped: {found.skipped[2].detail}"
    assert "not an object" in third
