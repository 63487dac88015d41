"""Well-formed tokens, and their parsed parts."""

import pytest

from keyturn_shared.jose import compact
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.errors import AlgorithmNotAllowedError, MalformedError
from tests.unit.shared.jose.scene import CLAIMS, HEADER, claims_with, header_with, joined, segment, signed


def test_parts_are_kept_as_sent() -> None:
    token = signed()
    parsed = parse_compact(token)
    header, payload, _ = token.split(b".")
    assert (parsed.header.algorithm.name, parsed.header.kid, parsed.header.typ) == ("ES256", "ES256", "JWT")
    assert parsed.claims == CLAIMS
    assert segment(parsed.payload) == payload
    assert parsed.signing_input == header + b"." + payload
    assert len(parsed.signature) == 64
    assert parse_compact(token.decode()) == parsed


def test_example_of_rfc_7519_section_3_1_is_read() -> None:
    """The JSON may contain line breaks."""
    token = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert parse_compact(token).claims == {
        "iss": "joe",
        "exp": 1300819380,
        "http://example.com/is_root": True,
    }


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "application/AT+jwt"])
def test_media_type_is_compared_without_case_or_prefix(typ: str) -> None:
    """RFC 7515 section 4.1.9."""
    header = parse_compact(joined(header_with(typ=typ), CLAIMS)).header
    assert header.is_type("at+jwt")
    assert not header.is_type("jwt")


def test_token_without_typ_has_no_type() -> None:
    assert not parse_compact(joined(header_with(typ=None), CLAIMS)).header.is_type("JWT")


def test_members_that_carry_keys_are_read_past() -> None:
    """MSAL and others send x5c and x5t: allowed, and ignored."""
    extra = {
        "x5c": ["MIIB"],
        "x5t": "a",
        "x5u": "https://a.example",
        "jku": "https://b.example",
        "jwk": {"kty": "EC"},
    }
    parsed = parse_compact(joined({**HEADER, **extra}, CLAIMS))
    assert parsed.header == parse_compact(joined(HEADER, CLAIMS)).header


@pytest.mark.parametrize("audience", ["a", "", ["a", "b"], []])
def test_audience_is_a_string_or_an_array(audience: object) -> None:
    """RFC 7519 section 4.1.3; its value is checked elsewhere."""
    assert parse_compact(joined(HEADER, claims_with(aud=audience))).claims["aud"] == audience


def test_size_cap_is_exact_and_can_be_lowered() -> None:
    """A token of exactly the maximum size is accepted."""
    token = signed()
    assert parse_compact(token, max_bytes=len(token))
    with pytest.raises(MalformedError):
        parse_compact(token, max_bytes=len(token) - 1)


def test_headers_are_decoded_once_and_refusals_every_time() -> None:
    """Refused and long headers take no place in the cache."""
    compact._read_header_once.cache_clear()
    for number in range(5):
        parse_compact(joined(HEADER, claims_with(jti=str(number))))
    with pytest.raises(AlgorithmNotAllowedError):
        parse_compact(joined(header_with(alg="none"), CLAIMS))
    parse_compact(joined(header_with(x5c=["A" * 2000]), CLAIMS))
    cached = compact._read_header_once.cache_info()
    assert (cached.hits, cached.currsize) == (4, 1)
    assert cached.maxsize is not None
