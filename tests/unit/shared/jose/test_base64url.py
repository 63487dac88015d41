"""Each value has one spelling (RFC 7515 section 2, RFC 4648 section 5)."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn_shared.jose import base64url
from keyturn_shared.jose.errors import MalformedError


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_round_trip_agrees_with_standard_library(octets: bytes) -> None:
    text = base64url.encode(octets)
    assert text == base64.urlsafe_b64encode(octets).rstrip(b"=")
    assert base64url.decode(text) == octets
    assert base64url.decode_text(base64url.encode_text(octets)) == octets


@settings(deadline=None)
@given(st.binary(max_size=12) | st.text("AQgw-_+/=Bx\n .", max_size=9).map(str.encode))
def test_whatever_decodes_is_canonical(text: bytes) -> None:
    """A text is refused, or encoding its value gives the same text back."""
    try:
        octets = base64url.decode(text)
    except MalformedError:
        return
    assert base64url.encode(octets) == text


def test_example_of_rfc_7515_appendix_c() -> None:
    assert base64url.encode(bytes([3, 236, 255, 224, 193])) == b"A-z_4ME"
    assert base64url.decode(b"A-z_4ME") == bytes([3, 236, 255, 224, 193])


@pytest.mark.parametrize(
    "text", ["A", "AB", "ABC", "AA==", "AA=", "+/AA", "A\nAA", " AAA", "AAAA.", "\u00e9AAA"]
)
def test_other_spellings_are_refused(text: str) -> None:
    """Padding, whitespace, the standard alphabet, impossible lengths, unused bits that are set."""
    with pytest.raises(MalformedError):
        base64url.decode_text(text)


@pytest.mark.parametrize("text", ["YWI", "YWI=", "YQ", "YQ==", "YWJj", "-_8", "+/8="])
def test_published_keys_may_have_padding_and_the_other_alphabet(text: str) -> None:
    octets = base64.b64decode(text.translate({45: "+", 95: "/"}) + "=" * (-len(text) % 4))
    assert base64url.decode_published(text) == octets


@pytest.mark.parametrize("text", ["YWI==", "YQ=", "YQ===", "YWJj====", "YWJj=", "=", "Y=WI", "YW I="])
def test_published_keys_have_the_right_padding_or_none(text: str) -> None:
    with pytest.raises(MalformedError):
        base64url.decode_published(text)
