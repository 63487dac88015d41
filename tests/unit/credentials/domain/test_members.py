"""Members of Keycloak's representations are supported, refused, or without meaning here."""

from collections.abc import Callable
from typing import Any

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_members import CLIENT_ATTRIBUTES, CLIENT_MEMBERS
from keyturn_credentials.domain.members import Meaning, Members
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.realm_keys import signing_alg
from keyturn_credentials.domain.realm_members import REALM_MEMBERS
from keyturn_credentials.domain.representation import (
    change_client,
    change_realm,
    client_from,
    describe_client,
    describe_realm,
    realm_from,
)
from keyturn_credentials.errors import InvalidRequestError

CLIENT = Client(uuid="u", realm_id="r", client_id="orders")
REALM = Realm("r", "shop")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("enable", "enabled"),
        ("Enabled", "enabled"),
        ("serviceAccountEnabled", "serviceAccountsEnabled"),
        ("not_before", "notBefore"),
        ("clientID", "clientId"),
    ],
)
def test_a_misspelt_member_of_a_client_is_refused_with_the_name_it_resembles(name: str, meant: str) -> None:
    said = f'unrecognized field "{name}": did you mean "{meant}"?'
    with pytest.raises(InvalidRequestError) as changing:
        change_client(CLIENT, {name: False})
    assert changing.value.detail == said
    with pytest.raises(InvalidRequestError) as making:
        client_from({"clientId": "x", name: False}, uuid="u", realm_id="r")
    assert making.value.detail == said


@pytest.mark.parametrize(
    "act",
    [
        lambda: change_client(CLIENT, {"xyzzy": 1}),
        lambda: change_realm(REALM, {"xyzzy": None}),
        lambda: realm_from({"realm": "x", "xyzzy": 1}, realm_id="r"),
    ],
)
def test_a_member_that_resembles_none_is_refused_too(act: Callable[[], object]) -> None:
    with pytest.raises(InvalidRequestError, match=r'^unrecognized field "xyzzy"$'):
        act()


def test_a_member_that_an_earlier_build_kept_can_be_put_back() -> None:
    kept = Client(
        uuid="u", realm_id="r", client_id="orders", document={"enable": False, "protocolMappers": [1]}
    )
    realm = Realm("r", "acme")
    shown = describe_client(kept, realm, show_secret=True, now=0.0)
    assert describe_client(change_client(kept, shown), realm, show_secret=True, now=0.0) == shown
    with pytest.raises(InvalidRequestError, match="protocolMappers"):
        change_client(kept, {"protocolMappers": [2]})


def fixed(members: Members) -> list[str]:
    return [name for name, member in members.items() if member.meaning is Meaning.FIXED]


@pytest.mark.parametrize("name", fixed(CLIENT_MEMBERS))
@pytest.mark.parametrize("value", ["saml", True, [{"name": "m"}], {"x": 1}])
def test_a_member_of_a_client_that_asks_for_what_is_not_done_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        change_client(CLIENT, {name: value})
    assert name in refused.value.detail


@pytest.mark.parametrize("name", fixed(CLIENT_MEMBERS))
def test_a_member_of_a_client_may_have_the_value_that_is_done(name: str) -> None:
    for value in (*CLIENT_MEMBERS[name].accepted, None):
        change_client(CLIENT, {name: value})


@pytest.mark.parametrize("name", fixed(CLIENT_ATTRIBUTES))
def test_an_attribute_that_asks_for_what_is_not_done_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        change_client(CLIENT, {"attributes": {name: "true"}})
    for value in ("false", False, "", None):
        change_client(CLIENT, {"attributes": {name: value}})


@pytest.mark.parametrize("name", fixed(REALM_MEMBERS))
@pytest.mark.parametrize("value", ["all", True, {"policies": [{"name": "p"}]}, {"profiles": [{"name": "p"}]}])
def test_a_member_of_a_realm_that_asks_for_what_is_not_done_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        change_realm(REALM, {name: value})
    assert name in refused.value.detail


@pytest.mark.parametrize("name", fixed(REALM_MEMBERS))
def test_a_member_of_a_realm_may_have_the_value_that_is_done(name: str) -> None:
    for value in (*REALM_MEMBERS[name].accepted, None):
        change_realm(REALM, {name: value})


def test_names_of_attributes_are_free() -> None:
    assert change_client(CLIENT, {"attributes": {"my.own": "x"}}).attributes == {"my.own": "x"}


def test_a_client_without_full_scope_has_no_roles() -> None:
    roles = {"attributes": {"keyturn.admin.roles": "view-clients"}}
    limited = change_client(CLIENT, {"fullScopeAllowed": False})
    for before, change in ((limited, roles), (CLIENT, {"fullScopeAllowed": False, **roles})):
        with pytest.raises(InvalidRequestError, match="fullScopeAllowed"):
            change_client(before, change)
    assert change_client(CLIENT, {"fullScopeAllowed": True, **roles}).admin_roles


@pytest.mark.parametrize(
    ("before", "change", "alg"),
    [
        ({}, {}, "ES256"),
        ({}, {"defaultSignatureAlgorithm": "RS256"}, "RS256"),
        ({"keyturn.signing.algorithm": "ES384"}, {"defaultSignatureAlgorithm": "RS256"}, "RS256"),
        ({"keyturn.signing.algorithm": "ES384"}, {"defaultSignatureAlgorithm": "ES384"}, "ES384"),
        (
            {"keyturn.signing.algorithm": "ES384"},
            # As read, with only the attribute changed.
            {"defaultSignatureAlgorithm": "ES384", "attributes": {"keyturn.signing.algorithm": "EdDSA"}},
            "EdDSA",
        ),
        ({"keyturn.signing.algorithm": "ES384"}, {"attributes": {"keyturn.signing.algorithm": ""}}, "ES256"),
    ],
)
def test_either_name_of_the_signing_algorithm_is_in_force(
    before: dict[str, str], change: dict[str, Any], alg: str
) -> None:
    realm = change_realm(Realm("r", "shop", attributes=before), change)
    assert signing_alg(realm) == alg
    shown = describe_realm(realm)
    assert shown["defaultSignatureAlgorithm"] == alg
    assert describe_realm(change_realm(realm, shown)) == shown


@pytest.mark.parametrize(
    "change",
    [
        {"defaultSignatureAlgorithm": "HS256"},
        {"defaultSignatureAlgorithm": ["ES256"]},
        {"defaultSignatureAlgorithm": "RS256", "attributes": {"keyturn.signing.algorithm": "ES384"}},
    ],
)
def test_algorithms_that_contradict_each_other_or_are_not_made_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="defaultSignatureAlgorithm"):
        change_realm(REALM, change)


def test_a_default_algorithm_that_an_earlier_build_kept_changes_no_keys_if_it_is_none() -> None:
    assert signing_alg(Realm("r", "shop", document={"defaultSignatureAlgorithm": "HS512"})) == "ES256"
