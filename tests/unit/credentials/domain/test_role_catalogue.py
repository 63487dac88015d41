"""Roles in the shape of Keycloak's exports, and what composite ones stand for."""

from typing import Any

import pytest

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_realm
from keyturn_credentials.domain.role_catalogue import (
    MAX_COMPOSED_BYTES,
    MAX_COMPOSITES,
    MAX_ROLES,
    contents,
    projected_roles,
    roles_of_realm,
    with_imported_roles,
)
from keyturn_credentials.domain.scope_mappings import projected_scope_mappings
from keyturn_credentials.domain.service_account import ServiceAccount, service_accounts_in
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.projection import RoleSet

REALM = Realm(
    "r",
    "acme",
    document={
        "roles": {
            "realm": [
                {"name": "a", "composite": True, "composites": {"realm": ["b"], "client": {"x": ["c"]}}},
                {"name": "b", "composites": {"realm": ["a", "gone"]}},
                {"no": "name"},
                7,
            ],
            "client": {"x": [{"name": "c", "composites": {"client": {"x": ["d"]}}}, {"name": "d"}], "y": 7},
        },
        "scopeMappings": [{"client": "web", "roles": ["a"]}, {"client": "web"}, 7],
        "clientScopeMappings": {"x": [{"client": "web", "roles": ["d"]}]},
    },
)


def test_a_composite_role_stands_for_all_that_it_leads_to() -> None:
    """Also where roles contain each other, or what is not there."""
    known = roles_of_realm(REALM)
    assert set(known) == {(None, "a"), (None, "b"), ("x", "c"), ("x", "d")}
    assert contents(known, (None, "a")) == {(None, "b"), ("x", "c"), ("x", "d")}
    assert contents(known, (None, "b")) == {(None, "a"), ("x", "c"), ("x", "d")}
    of_realm, of_clients = projected_roles(REALM)
    assert of_realm["a"] == RoleSet(("b",), {"x": ("c", "d")})
    assert of_clients == {"x": {"c": RoleSet((), {"x": ("d",)}), "d": RoleSet()}}


def test_roles_in_the_scope_of_a_client() -> None:
    assert projected_scope_mappings(REALM) == {"web": RoleSet(("a",), {"x": ("d",)})}


@pytest.mark.parametrize("document", [{}, {"roles": 7}, {"roles": {"realm": {}, "client": []}}])
def test_what_an_earlier_build_kept_is_no_role(document: dict[str, Any]) -> None:
    assert roles_of_realm(Realm("r", "acme", document=document)) == {}


@pytest.mark.parametrize(
    "roles",
    [
        [],
        "a",
        {"realm": {}},
        {"realm": [{"name": ""}]},
        {"realm": [{"name": "x" * 256}]},
        {"client": []},
        {"client": {"x": {}}},
        {"client": {"x": ["a"]}},
        {"realm": [{"name": str(number)} for number in range(MAX_ROLES + 1)]},
    ],
    ids=lambda roles: str(roles)[:30],
)
def test_what_is_no_role_is_refused(roles: Any) -> None:
    with pytest.raises(InvalidRequestError, match="roles"):
        change_realm(Realm("r", "acme"), {"roles": roles})


EXPORT = {
    "roles": {"realm": [{"name": "a", "description": "another"}, {"name": "new"}]},
    "users": [
        {
            "id": "7d2f",
            "username": "service-account-orders",
            "serviceAccountClientId": "orders",
            "realmRoles": ["payments", "new"],
            "clientRoles": {"x": ["d", "e"]},
        },
        {"username": "alice", "realmRoles": ["of-alice"]},
    ],
}


def test_an_import_brings_roles_and_those_that_its_service_accounts_were_given() -> None:
    """Roles that are there already stay as they are; people's are left alone."""
    after = with_imported_roles(REALM, EXPORT)
    known = roles_of_realm(after)
    assert known.keys() - roles_of_realm(REALM).keys() == {(None, "new"), (None, "payments"), ("x", "e")}
    assert "description" not in known[None, "a"]
    assert with_imported_roles(after, EXPORT) is after


def test_the_service_accounts_of_an_export() -> None:
    account = ServiceAccount("7d2f", ("payments", "new"), {"x": ("d", "e")})
    assert service_accounts_in(EXPORT) == {"orders": account}
    assert ServiceAccount.from_stored(account.as_stored()) == account
    assert ServiceAccount.from_stored({}) == ServiceAccount()


@pytest.mark.parametrize(
    "user",
    [
        {"realmRoles": "a"},
        {"realmRoles": [7]},
        {"clientRoles": ["a"]},
        {"clientRoles": {"x": "a"}},
        {"realmRoles": [str(number) for number in range(501)]},
    ],
    ids=lambda user: str(user)[:30],
)
def test_a_service_account_without_a_shape_is_refused(user: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="orders"):
        service_accounts_in({"users": [{"serviceAccountClientId": "orders", **user}]})


def composed(edges: dict[str, list[str]]) -> dict[str, Any]:
    return {"roles": {"realm": [{"name": name, "composites": {"realm": of}} for name, of in edges.items()]}}


def test_composite_roles_stand_for_a_bounded_number_of_others() -> None:
    """A chain is short when it is written down, and its projection would have millions of names."""
    names = [f"{number:04}" for number in range(MAX_ROLES)]
    chain = {name: names[number + 1 : number + 2] for number, name in enumerate(names)}
    with pytest.raises(InvalidRequestError, match="stand for too many roles"):
        change_realm(Realm("r", "acme"), composed(chain))
    length = 300
    assert 4 * length * length / 2 < MAX_COMPOSED_BYTES
    short = {name: chain[name] for name in names[:length]}
    of_realm, _ = projected_roles(change_realm(Realm("r", "acme"), composed(short)))
    assert len(of_realm["0000"].realm) == length - 1


def test_composite_roles_have_a_bounded_number_of_parts() -> None:
    names = [f"{number:x}" for number in range(101)]
    dense = dict.fromkeys(names, names)
    assert len(names) ** 2 > MAX_COMPOSITES
    with pytest.raises(InvalidRequestError, match="10201 entries; at most 10000 are allowed"):
        change_realm(Realm("r", "acme"), composed(dense))


def test_a_service_account_has_so_many_roles_and_no_more() -> None:
    def given(count: int) -> dict[str, Any]:
        roles = [f"role-{number}" for number in range(count)]
        return {
            "users": [
                {"serviceAccountClientId": "worker", "realmRoles": roles[1:], "clientRoles": {"x": roles[:1]}}
            ]
        }

    assert service_accounts_in(given(500))["worker"].client_roles == {"x": ("role-0",)}
    with pytest.raises(InvalidRequestError, match="worker has 501 roles; at most 500 are allowed"):
        service_accounts_in(given(501))
