"""Web origins of a client, as they are in its tokens."""

from typing import Any

import pytest

from keyturn_credentials.domain.web_origins import MAX_ORIGINS_BYTES, allowed_origins, has_too_many_origins


@pytest.mark.parametrize(
    ("document", "origins"),
    [
        ({}, ()),
        ({"webOrigins": []}, ()),
        ({"webOrigins": ["https://a.example", "*", "https://a.example"]}, ("https://a.example", "*")),
        (
            {"webOrigins": ["+"], "redirectUris": ["https://b.example:8443/cb/*", "app://x", "/in", "*"]},
            ("https://b.example:8443",),
        ),
        (
            {"webOrigins": ["+"], "redirectUris": ["/in"], "rootUrl": "https://c.example/app"},
            ("https://c.example",),
        ),
        (
            {"webOrigins": ["+"], "redirectUris": ["https://user@d.example/", "https://[x"]},
            ("https://d.example",),
        ),
        ({"webOrigins": "x", "redirectUris": 5}, ()),
    ],
)
def test_origins_are_those_given_and_those_of_redirect_uris(
    document: dict[str, Any], origins: tuple[str, ...]
) -> None:
    assert allowed_origins(document) == origins


def test_more_than_a_token_should_have_are_in_none() -> None:
    frame = len('[""]')
    fitting = {"webOrigins": ["x" * (MAX_ORIGINS_BYTES - frame)]}
    assert allowed_origins(fitting)
    assert not has_too_many_origins(fitting)
    longer = {"webOrigins": ["x" * (MAX_ORIGINS_BYTES - frame + 1)]}
    assert allowed_origins(longer) == ()
    assert has_too_many_origins(longer)
