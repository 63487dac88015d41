"""Credentials of requests: exactly one method, read by the RFCs."""

import base64

import pytest

from keyturn_shared.errors import KeyturnError
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.client_authentication.credentials import (
    ASSERTION_TYPE,
    PresentedSecret,
    UnverifiedAssertion,
    read_credentials,
)

KEY = SigningKey.generate()
ASSERTION = KEY.sign_compact(KEY.header_segment(), {"iss": "a", "sub": "a"})


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "client_id", "secret"),
    [
        (basic("a:b"), "a", "b"),
        (basic("a:b:c"), "a", "b:c"),
        (basic("a%3Ab:c+d%2B"), "a:b", "c d+"),
        (basic("%C3%A9:%E2%82%AC"), "é", "€"),
        ("bAsIc " + base64.b64encode(b"a:b").decode(), "a", "b"),
        (basic("a:"), "a", ""),
    ],
)
def test_basic_credentials_are_form_decoded(header: str, client_id: str, secret: str) -> None:
    presented = read_credentials(header, {})
    assert isinstance(presented, PresentedSecret)
    assert (presented.method, presented.client_id) == ("client_secret_basic", client_id)
    assert presented.secret.reveal() == secret


def test_posted_credentials_are_taken_as_they_are() -> None:
    presented = read_credentials(None, {"client_id": "a", "client_secret": "b+%20"})
    assert isinstance(presented, PresentedSecret)
    assert (presented.method, presented.secret.reveal()) == ("client_secret_post", "b+%20")


def test_an_assertion_names_its_client_by_its_subject() -> None:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": ASSERTION, "client_id": "a"}
    presented = read_credentials(None, form)
    assert isinstance(presented, UnverifiedAssertion)
    assert (presented.method, presented.client_id) == ("private_key_jwt", "a")


@pytest.mark.parametrize(
    ("header", "form", "code"),
    [
        (None, {}, "missing_credentials"),
        (None, {"client_id": "a"}, "missing_credentials"),
        (None, {"client_secret": "b"}, "missing_credentials"),
        ("Bearer x", {"client_id": "a"}, "missing_credentials"),
        (basic("a:b"), {"client_secret": "b", "client_id": "a"}, "invalid_request"),
        (basic("a:b"), {"client_assertion": ASSERTION}, "invalid_request"),
        (None, {"client_assertion": ASSERTION, "client_secret": "b"}, "invalid_request"),
        (basic("a:b"), {"client_id": "b"}, "invalid_request"),
        (basic("no colon"), {}, "invalid_request"),
        ("Basic !!!", {}, "invalid_request"),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), {}, "invalid_request"),
        (None, {"client_assertion": ASSERTION}, "invalid_request"),
        (None, {"client_assertion": ASSERTION, "client_assertion_type": "other"}, "invalid_request"),
        (None, {"client_assertion": "x", "client_assertion_type": ASSERTION_TYPE}, "malformed"),
        (
            None,
            {"client_assertion": ASSERTION, "client_assertion_type": ASSERTION_TYPE, "client_id": "b"},
            "wrong_issuer",
        ),
    ],
)
def test_anything_else_is_refused(header: str | None, form: dict[str, str], code: str) -> None:
    with pytest.raises(KeyturnError) as refused:
        read_credentials(header, form)
    assert refused.value.code == code


def test_a_presented_secret_does_not_print() -> None:
    assert "hidden" not in repr(read_credentials(None, {"client_id": "a", "client_secret": "hidden"}))
