"""Roles are created, changed and deleted, and all that refers to them follows."""

from typing import Any

import pytest

from keyturn_credentials.domain.given_roles import (
    effective_roles,
    given_roles,
    with_role_ids,
    with_roles_given,
)
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_realm, realm_from
from keyturn_credentials.domain.role_catalogue import composites_of, keys_by_id, role_id, roles_of_realm
from keyturn_credentials.domain.role_changes import (
    with_changed_role,
    with_client_renamed,
    with_composites,
    with_new_role,
    without_client,
    without_role,
)
from keyturn_credentials.domain.scope_mappings import Holder, mappings_of, with_mappings
from keyturn_credentials.domain.service_account import MAX_ROLES, ServiceAccount
from keyturn_credentials.errors import (
    ConflictError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
)

REALM = change_realm(
    Realm("r", "acme"),
    {
        "roles": {
            "realm": [
                {"name": "all", "composites": {"realm": ["a"], "client": {"x": ["read"]}}},
                {"name": "a"},
            ],
            "client": {"x": [{"name": "read", "attributes": {"k": ["v"]}, "description": "Reads"}]},
        },
        "scopeMappings": [{"client": "web", "roles": ["a"]}, {"clientScope": "tenant", "roles": ["a"]}],
        "clientScopeMappings": {"x": [{"client": "web", "roles": ["read"]}]},
    },
)
ACCOUNT = with_role_ids(REALM, ServiceAccount(None, ("all",), {"x": ("read",)}))
WEB = Holder.client("web")


def composed(realm: Realm, name: str) -> set[tuple[str | None, str]]:
    return set(composites_of(roles_of_realm(realm)[None, name]))


def id_of(realm: Realm, key: tuple[str | None, str]) -> str:
    return role_id(realm, key, roles_of_realm(realm)[key])


def test_a_renamed_role_is_the_same_role_for_all_that_have_it() -> None:
    after = with_changed_role(REALM, (None, "a"), {"name": "b"})
    after = with_changed_role(after, ("x", "read"), {"name": "get", "description": "Gets"})
    assert composed(after, "all") == {(None, "b"), ("x", "get")}
    assert mappings_of(after, WEB) == ((None, "b"), ("x", "get"))
    assert mappings_of(after, Holder.client_scope("tenant")) == ((None, "b"),)
    assert given_roles(after, ACCOUNT) == [(None, "all"), ("x", "get")]
    assert id_of(after, (None, "b")) == id_of(REALM, (None, "a"))
    assert roles_of_realm(after)["x", "get"]["attributes"] == {"k": ["v"]}, "absent attributes are kept"


def test_a_role_that_is_created_again_is_nobodys() -> None:
    """Neither by its name nor by its id."""
    former = id_of(REALM, ("x", "read"))
    gone = without_role(REALM, ("x", "read"))
    assert composed(gone, "all") == {(None, "a")}
    assert mappings_of(gone, WEB) == ((None, "a"),)
    again, key = with_new_role(gone, "x", {"name": "read", "id": former})
    imported = change_realm(gone, {"roles": {"client": {"x": [{"name": "read", "id": former}]}}})
    for realm in (again, imported):
        assert id_of(realm, key) != former
        assert ("x", "read") not in effective_roles(realm, ACCOUNT)
    assert given_roles(again, ACCOUNT) == [(None, "all")]


def test_roles_follow_their_client_to_a_new_id_and_go_with_it() -> None:
    moved = with_client_renamed(REALM, "x", "y")
    assert given_roles(moved, ACCOUNT) == [(None, "all"), ("y", "read")]
    assert composed(moved, "all") == {(None, "a"), ("y", "read")}
    assert mappings_of(moved, WEB) == ((None, "a"), ("y", "read"))
    assert mappings_of(with_client_renamed(moved, "web", "app"), Holder.client("app")) == mappings_of(
        moved, WEB
    )
    gone = without_client(moved, "y")
    assert set(roles_of_realm(gone)) == {(None, "all"), (None, "a")}
    assert composed(gone, "all") == {(None, "a")}
    assert given_roles(gone, ACCOUNT) == [(None, "all")]
    assert mappings_of(without_client(gone, "web"), WEB) == ()
    assert without_client(gone, "nobody") == gone
    with pytest.raises(ConflictError):
        with_client_renamed(with_new_role(moved, "z", {"name": "own"})[0], "z", "y")


def test_roles_may_contain_each_other_and_themselves_as_in_keycloak() -> None:
    a, everything = id_of(REALM, (None, "a")), id_of(REALM, (None, "all"))
    after = with_composites(REALM, (None, "a"), [everything, a, a], is_in=True)
    assert composed(after, "a") == {(None, "all"), (None, "a")}
    assert effective_roles(after, ACCOUNT) == {(None, "all"), (None, "a"), ("x", "read")}
    left = with_composites(after, (None, "a"), [everything, a], is_in=False)
    assert composed(left, "a") == set()
    assert "composites" not in roles_of_realm(left)[None, "a"]
    with pytest.raises(NotFoundError, match="composite"):
        with_composites(REALM, (None, "a"), ["nothing"], is_in=True)


def test_every_role_of_an_earlier_build_has_an_id_that_stays() -> None:
    stored = Realm(
        "r", "acme", document={"roles": {"realm": [{"name": "a"}], "client": {"x": [{"name": "b"}]}}}
    )
    before = dict(keys_by_id(stored))
    assert len(before) == 2
    after = with_changed_role(stored, (None, "a"), {"name": "c"})
    after = with_client_renamed(after, "x", "y")
    assert {chosen: before[chosen] for chosen in keys_by_id(after)} == before
    assert set(keys_by_id(after).values()) == {(None, "c"), ("y", "b")}


@pytest.mark.parametrize(
    "representation",
    [
        {},
        {"name": ""},
        {"name": " a"},
        {"name": "a\nb"},
        {"name": 7},
        {"name": "x" * 256},
        {"name": "n", "unknown": True},
        {"name": "n", "description": 7},
        {"name": "n", "description": "x" * 4097},
        {"name": "n", "attributes": {"k": "v"}},
        {"name": "n", "attributes": {"k": [1]}},
        {"name": "n", "attributes": {"k": ["x"] * 101}},
        {"name": "n", "attributes": {"k": ["x" * 4097]}},
        {"name": "n", "composites": ["a"]},
        {"name": "n", "composites": {"realm": [7]}},
        {"name": "n", "description": "-----BEGIN PRIVATE KEY-----"},
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_no_role_is_refused(representation: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        with_new_role(REALM, None, representation)
    with pytest.raises(InvalidRequestError):
        with_changed_role(REALM, (None, "a"), representation)


def test_a_role_of_nothing_that_is_there_is_refused() -> None:
    with pytest.raises(NotFoundError):
        with_new_role(REALM, None, {"name": "n", "composites": {"realm": ["nothing"]}})
    with pytest.raises(InvalidRequestError, match="composites"):
        with_changed_role(REALM, (None, "a"), {"name": "a", "composites": {"realm": ["all"]}})
    with pytest.raises(ConflictError):
        with_new_role(REALM, "x", {"name": "read"})
    with pytest.raises(ConflictError):
        with_changed_role(REALM, (None, "a"), {"name": "all"})
    with pytest.raises(NotFoundError):
        without_role(REALM, (None, "read"))


@pytest.mark.parametrize(
    ("realm", "key"),
    [
        ("master", (None, "admin")),
        ("master", (None, "create-realm")),
        ("master", ("acme-realm", "manage-clients")),
        ("acme", ("realm-management", "realm-admin")),
    ],
)
def test_a_role_that_would_give_power_over_keycloak_is_not_created(
    realm: str, key: tuple[str | None, str]
) -> None:
    owner, name = key
    with pytest.raises(InvalidRequestError, match="no power over keyturn"):
        with_new_role(Realm("r", realm), owner, {"name": name})
    made, other = with_new_role(Realm("r", "other"), "orders" if owner else None, {"name": "plain"})
    assert other in roles_of_realm(made)


@pytest.mark.parametrize(
    ("realm", "composites"),
    [
        ("master", {"realm": ["admin"]}),
        ("master", {"client": {"acme-realm": ["manage-clients"]}}),
        ("acme", {"client": {"realm-management": ["realm-admin"]}}),
    ],
)
def test_no_role_is_composed_of_one_that_would_give_power_over_keycloak(
    realm: str, composites: dict[str, Any]
) -> None:
    """Each holder of the role would have it too. Roles of that kind keep what they are composed of."""
    of_realm = [{"name": name} for name in (*composites.get("realm", ()), "plain")]
    of_clients = {
        owner: [{"name": name} for name in (*names, "another")]
        for owner, names in composites.get("client", {}).items()
    }
    imported = realm_from({"realm": realm, "roles": {"realm": of_realm, "client": of_clients}}, realm_id="r")
    with pytest.raises(InvalidRequestError, match="no power over keyturn"):
        with_new_role(imported, None, {"name": "new", "composites": composites})
    [power] = [key for key in roles_of_realm(imported) if key[1] not in ("plain", "another")]
    chosen = {key: each for each, key in keys_by_id(imported).items()}
    with pytest.raises(InvalidRequestError, match="no power over keyturn"):
        with_composites(imported, (None, "plain"), [chosen[power]], is_in=True)
    assert with_composites(imported, (None, "plain"), [chosen[power]], is_in=False) is not None
    for owner in of_clients:
        composed = with_composites(imported, (owner, "another"), [chosen[power]], is_in=True)
        assert roles_of_realm(composed)[owner, "another"]["composite"] is True


def test_a_service_account_is_given_so_many_roles_and_no_more() -> None:
    names = [f"r{number}" for number in range(MAX_ROLES + 1)]
    realm = change_realm(Realm("r", "acme"), {"roles": {"realm": [{"name": name} for name in names]}})
    most = with_roles_given(realm, ServiceAccount(), [(None, name) for name in names[1:]], is_in=True)
    with pytest.raises(LimitReachedError):
        with_roles_given(realm, most, [(None, "r0")], is_in=True)
    fewer = with_roles_given(realm, most, [(None, "r1")], is_in=False)
    assert (None, "r0") in given_roles(realm, with_roles_given(realm, fewer, [(None, "r0")], is_in=True))


def test_a_service_account_that_has_no_role_left_refers_to_none() -> None:
    emptied = with_roles_given(REALM, ACCOUNT, given_roles(REALM, ACCOUNT), is_in=False)
    assert (emptied.role_ids, emptied.realm_roles, emptied.client_roles) == ((), (), {})
    assert ServiceAccount.from_stored(ACCOUNT.as_stored()) == ACCOUNT
    assert mappings_of(with_mappings(REALM, WEB, []), WEB) == ()
