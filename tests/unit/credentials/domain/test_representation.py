"""A client's representation survives a round trip, as far as callers may set it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn_credentials.domain.attributes import MANAGED
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import (
    change_client,
    change_realm,
    client_from,
    describe_client,
    describe_realm,
    describe_realm_briefly,
    realm_from,
)
from keyturn_credentials.errors import InvalidRequestError

CLIENT = Client("1", "acme", "orders", attributes={"team": "a"}, document={"description": "old", "own": [1]})

# Not "k": next to a "kty" it would be taken for key material.
NAMES = st.text(st.sampled_from("abcxyz-"), min_size=4, max_size=8)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.text(st.sampled_from("abc äß\n"), max_size=10)),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(NAMES, children, max_size=3)),
    max_leaves=8,
)
TEXTS = st.text(st.sampled_from("abc äß="), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.dictionaries(NAMES, TEXTS, max_size=5))
def test_members_without_meaning_here_and_attributes_survive_a_round_trip(
    members: dict[str, Any], attributes: dict[str, str]
) -> None:
    sent = {"clientId": "orders", "attributes": attributes, "registeredNodes": members}
    made = client_from(sent, uuid="1", realm_id="acme")
    realm = Realm("acme", "acme")
    shown = describe_client(made, realm, show_secret=True, now=0.0)
    assert {name: shown[name] for name in sent} == sent
    # What was shown can be sent back, and shows the same again.
    assert describe_client(change_client(made, shown), realm, show_secret=True, now=0.0) == shown
    sent = {"realm": "acme", "attributes": attributes, "localizationTexts": members}
    realm = realm_from(sent, realm_id="1")
    described = describe_realm(realm)
    assert {name: described[name] for name in sent} == sent
    assert describe_realm(change_realm(realm, described)) == described


def test_what_is_absent_or_null_stays_and_an_empty_attribute_goes() -> None:
    changed = change_client(CLIENT, {"description": None, "name": "n", "attributes": {"b": "1"}})
    assert changed.document == {"description": "old", "own": [1], "name": "n"}
    assert changed.attributes == {"team": "a", "b": "1"}
    for nothing in ("", None):
        assert change_client(CLIENT, {"attributes": {"team": nothing}}).attributes == {}
    assert change_client(CLIENT, {}) == CLIENT


def test_numbers_and_booleans_become_texts_as_keycloak_reads_them() -> None:
    given_values = {"a": True, "b": False, "c": 7, "d": 1.5}
    changed = change_client(CLIENT, {"attributes": given_values})
    assert changed.attributes == {"team": "a", "a": "true", "b": "false", "c": "7", "d": "1.5"}


def test_what_is_known_of_secrets_is_not_taken_from_a_request() -> None:
    assert change_client(CLIENT, {"attributes": dict.fromkeys(MANAGED, "1")}) == CLIENT


@pytest.mark.parametrize(
    "members",
    [
        {"id": "2"},
        {"clientAuthenticatorType": "magic"},
        {"enabled": "yes"},
        {"enabled": 1},
        {"notBefore": "soon"},
        {"clientId": 7},
        {"name": ["x"]},
        {"redirectUris": "https://example.com"},
        {"redirectUris": [1]},
        {"attributes": []},
        {"attributes": {"a": {"b": 1}}},
        {"attributes": {"": "x"}},
        {"attributes": {"a" * 256: "x"}},
        {"attributes": {"a": "nul\0"}},
        {"attributes": {f"a{number}": "x" for number in range(501)}},
    ],
    ids=lambda members: str(members)[:40],
)
def test_what_is_of_another_type_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        change_client(CLIENT, members)


@pytest.mark.parametrize("members", [{"id": "2"}, {"enabled": 1}, {"realm": 7}, {"attributes": "x"}])
def test_a_realm_is_checked_alike(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        change_realm(Realm("1", "acme"), members)


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("false", False), ("TRUE", True), ("False", False)]
)
def test_a_boolean_or_a_number_may_be_written_as_text(text: str, meant: bool) -> None:
    """Keycloak's reader takes it so: a client that says "false" is not public."""
    made = client_from({"clientId": "a", "publicClient": text, "notBefore": "7"}, uuid="1", realm_id="acme")
    assert (made.is_confidential, made.not_before) == (not meant, 7)
    assert made.document["publicClient"] is meant
    realm = realm_from({"realm": "acme", "enabled": text, "accessTokenLifespan": "60"}, realm_id="1")
    assert (realm.enabled, realm.access_token_lifespan) == (meant, 60)


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", " JavaScript:x", "java\tscript:x", "data:text/html,x", "vbscript:x"]
)
def test_a_uri_that_runs_a_script_is_refused_unless_it_was_there(uri: str) -> None:
    for members in ({"redirectUris": ["https://a.example/*", uri]}, {"baseUrl": uri}, {"rootUrl": uri}):
        with pytest.raises(InvalidRequestError, match="run a script"):
            change_client(CLIENT, members)
        stored = replace(CLIENT, document=members)
        assert change_client(stored, {**members, "name": "other"}).document["name"] == "other"
    change_client(
        CLIENT, {"redirectUris": ["/javascript:x", "app://data:", "https://a.example/?javascript:"]}
    )


def test_a_realm_cannot_lose_its_name() -> None:
    with pytest.raises(InvalidRequestError, match="realm must not be empty"):
        change_realm(Realm("r", "acme"), {"realm": ""})


def test_a_realm_is_described_briefly_by_its_names() -> None:
    realm = change_realm(Realm("r", "acme"), {"displayName": "Acme", "loginTheme": "dark"})
    brief = {"id": "r", "realm": "acme", "enabled": True, "displayName": "Acme"}
    assert describe_realm_briefly(realm) == brief


def test_both_sources_of_keys_are_refused_unless_they_were_there() -> None:
    """Keycloak refuses them too; which one counts is nobody's guess."""
    both = {"use.jwks.url": "true", "jwks.url": "https://a.example/", "use.jwks.string": "TRUE"}
    with pytest.raises(InvalidRequestError, match="contradicts"):
        change_client(CLIENT, {"attributes": both})
    stored = replace(CLIENT, attributes=both)
    assert change_client(stored, {"attributes": {**both, "team": "b"}}).attributes["team"] == "b"


@pytest.mark.parametrize("sent", [{}, {"clientId": None}, {"clientId": "a", "id": "not an id"}])
def test_a_client_needs_an_id_of_its_own(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        client_from(sent, uuid="1", realm_id="acme")
