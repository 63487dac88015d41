"""Callers that may ask about an access token (RFC 9701 section 5), as a table."""

from typing import Any

import pytest

from keyturn_shared.oauth.errors import WrongAudienceError
from keyturn_shared.oauth.tokens.addressees import named_audiences, require_addressed
from tests.testkit.oauth_scene import ISSUER, client, scene

SHOP = client("shop", resource_audiences=("https://shop.example", "https://till.example"))

HEARS = [
    {"aud": ISSUER},
    {},
    {"aud": []},
    {"aud": [ISSUER]},
    {"aud": "shop"},
    {"aud": ["other", "shop"]},
    {"aud": "https://till.example"},
    {"aud": [ISSUER, "https://shop.example"]},
    {"aud": "other", "client_id": "shop"},
]
HEARS_NOTHING = [
    {"aud": "other"},
    {"aud": ["other"]},
    {"aud": [ISSUER, "other"]},
    {"aud": "shopping"},
    {"aud": "sho", "client_id": "other"},
]


@pytest.mark.parametrize("claims", HEARS)
async def test_a_client_hears_of_its_own_tokens_and_of_those_for_it_or_for_nobody(
    claims: dict[str, Any],
) -> None:
    made = scene(SHOP)
    await require_addressed(made.read_set, made.realm, claims, "shop")


@pytest.mark.parametrize("caller", ["shop", "unknown"])
@pytest.mark.parametrize("claims", HEARS_NOTHING)
async def test_nobody_hears_of_tokens_for_others(claims: dict[str, Any], caller: str) -> None:
    made = scene(SHOP)
    with pytest.raises(WrongAudienceError):
        await require_addressed(made.read_set, made.realm, claims, caller)


@pytest.mark.parametrize("claims", HEARS_NOTHING)
async def test_in_a_realm_with_open_introspection_everybody_hears_of_all(claims: dict[str, Any]) -> None:
    made = scene(SHOP, open_introspection=True)
    await require_addressed(made.read_set, made.realm, claims, "shop")


def test_the_realm_itself_is_no_named_audience() -> None:
    realm = scene().realm
    assert named_audiences(realm, {"aud": ISSUER}) == frozenset()
    assert named_audiences(realm, {"aud": "abc"}) == {"abc"}
    assert named_audiences(realm, {"aud": [ISSUER, "a", "b"]}) == {"a", "b"}
