"""Any DPoP header is a valid proof, or refused by name."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_shared.jose.public_keys import load_spki
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.errors import InvalidDpopProofError, PossessionError
from keyturn_shared.oauth.sender_constraint.confirmation import confirmation_of
from keyturn_shared.oauth.sender_constraint.dpop import MAX_PROOF_BYTES, read_dpop_proof
from tests.testkit.dpop import proof

KEY = SigningKey.generate()
GOOD = proof(KEY, "POST", "https://id.example/token")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_good_proof_shows_its_key() -> None:
    assert read_dpop_proof(GOOD).thumbprint == KEY.verification_key.thumbprint


@given(st.text(max_size=80))
def test_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidDpopProofError):
        read_dpop_proof(text)


@given(jwk=JSON, typ=JSON)
def test_whatever_stands_for_the_key_is_refused(jwk: object, typ: object) -> None:
    _, claims, signature = GOOD.split(".")
    header = segment({"alg": "ES256", "typ": typ if typ is not None else "dpop+jwt", "jwk": jwk})
    with pytest.raises(InvalidDpopProofError):
        read_dpop_proof(f"{header}.{claims}.{signature}")


@given(position=st.integers(0, len(GOOD) - 1), character=st.characters(codec="ascii"))
def test_a_proof_of_which_any_character_differs_is_refused(position: int, character: str) -> None:
    changed = GOOD[:position] + character + GOOD[position + 1 :]
    if changed != GOOD:
        with pytest.raises(InvalidDpopProofError):
            read_dpop_proof(changed)


def test_a_key_that_anybody_can_send_displaces_no_key_of_a_client() -> None:
    load_spki.cache_clear()
    read_dpop_proof(GOOD)
    assert load_spki.cache_info().currsize == 0


def test_a_proof_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidDpopProofError):
        read_dpop_proof(proof(KEY, "POST", "https://id.example/token", padding="x" * MAX_PROOF_BYTES))


@pytest.mark.parametrize(
    "cnf",
    ["x", [], {}, 1, {"jkt": 1}, {"jwk": {}}, {"jkt": "a", "kid": "b"}, {"x5t#S256": None}, {"x5t": "a"}],
)
def test_a_token_bound_in_a_way_that_is_not_known_is_no_bearer_token(cnf: object) -> None:
    with pytest.raises(PossessionError):
        confirmation_of({"cnf": cnf})


def test_a_token_that_is_bound_to_nothing_is_a_bearer_token() -> None:
    assert confirmation_of({}) == {}
