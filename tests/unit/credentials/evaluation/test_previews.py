"""Readable parts of tokens."""

from keyturn_credentials.evaluation.previews import expiry_note, preview_of
from keyturn_shared.jose.signing import SigningKey


def test_a_preview_has_the_header_as_it_was_sent() -> None:
    key = SigningKey.generate(kid="first")
    token = key.sign_compact(key.header_segment("at+jwt"), {"iss": "me"})
    preview = preview_of(token, {"iss": "me"})
    assert preview.header == {"alg": "ES256", "kid": "first", "typ": "at+jwt"}
    assert preview.claims == {"iss": "me"}


def test_the_note_on_exp_is_true_before_and_after_it() -> None:
    assert expiry_note({"exp": 1030}, 1000.0) == {"expiry": "exp is 30 s ahead."}
    passed = "exp passed 5 s ago, within the tolerance for clocks."
    assert expiry_note({"exp": 995}, 1000.0) == {"expiry": passed}
    assert expiry_note({}, 1000.0) == {}
