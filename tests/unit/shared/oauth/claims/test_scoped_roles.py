"""Client scopes bring roles into the scope of clients without full scope, and are granted only for them."""

from typing import Any

import pytest

from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.errors import TokenEndedError
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant
from keyturn_shared.projection import RealmProjection, RoleSet
from tests.testkit.filled_redis import realm_of
from tests.testkit.oauth_scene import access_token, client, scene

REALM: dict[str, Any] = {
    "realm_roles": {"a": RoleSet(), "b": RoleSet(), "all": RoleSet(("a", "b"), {"orders": ("read",)})},
    "client_roles": {"orders": {"read": RoleSet()}},
    "default_scopes": ("roles", "first"),
    "optional_scopes": ("second", "third"),
    "silent_scopes": frozenset({"roles"}),
    "client_scope_roles": {"first": RoleSet(("a",)), "second": RoleSet(("b",), {"orders": ("read",)})},
}


def granted(scope: str | None = None, realm: RealmProjection | None = None, **members: Any) -> Grant:
    given = {"roles": RoleSet(("all",)), "full_scope": False, **members}
    return decide_grant(profile_of(realm or realm_of("acme", **REALM), client(**given)), scope, ())


def roles_in(grant: Grant) -> dict[str, Any]:
    return {name: grant.claims[name] for name in ("realm_access", "resource_access") if name in grant.claims}


def test_a_default_scope_brings_its_roles_and_an_optional_one_those_on_request() -> None:
    assert roles_in(granted()) == {"realm_access": {"roles": ["a"]}}
    assert granted().audiences == ()
    asked = granted("second third")
    assert roles_in(asked) == {
        "realm_access": {"roles": ["a", "b"]},
        "resource_access": {"orders": {"roles": ["read"]}},
    }
    assert asked.audiences == ("orders",)
    assert asked.scope == "first second third"


def test_with_full_scope_every_role_is_there_whatever_is_requested() -> None:
    assert roles_in(granted(full_scope=True)) == roles_in(granted("second", full_scope=True))
    assert roles_in(granted(full_scope=True))["realm_access"] == {"roles": ["a", "all", "b"]}


@pytest.mark.parametrize("full_scope", [True, False])
def test_a_scope_with_roles_is_granted_only_to_those_who_have_one_of_them(full_scope: bool) -> None:
    """Otherwise it is left out, as in Keycloak, also when it is requested."""
    held: dict[str, Any] = {"roles": RoleSet(("b",)), "full_scope": full_scope}
    assert granted(**held).scope == ""
    assert granted("second third", **held).scope == "second third"
    assert granted("second third", roles=RoleSet(("a",)), full_scope=full_scope).scope == "first third"


def test_a_composite_role_of_a_scope_brings_what_it_is_composed_of() -> None:
    realm = realm_of("acme", **REALM | {"client_scope_roles": {"first": RoleSet(("all",))}})
    claims = roles_in(granted(realm=realm, roles=RoleSet(("b",), {"orders": ("read",)})))
    assert claims == {"realm_access": {"roles": ["b"]}, "resource_access": {"orders": {"roles": ["read"]}}}


def test_a_scope_that_has_lost_its_roles_has_nothing_to_do_with_roles() -> None:
    realm = realm_of("acme", **REALM | {"client_scope_roles": {"first": RoleSet(("gone",))}})
    assert granted(realm=realm).scope == "first"
    assert roles_in(granted(realm=realm)) == {}


async def test_a_role_that_no_scope_brings_any_more_is_taken_away() -> None:
    """From tokens of the client that still say it."""
    holder = client(roles=RoleSet(("all",)), full_scope=False)
    stated: dict[str, Any] = {"realm_access": {"roles": ["a", "b"]}}
    made = scene(holder, **REALM)
    verified = await made.tokens.verify_access_token("acme", access_token(made, **stated))
    assert verified.claims["realm_access"] == stated["realm_access"], "an optional scope brings b"
    fewer = REALM | {"client_scope_roles": {"first": RoleSet(("a",))}}
    made = scene(holder, **fewer)
    verified = await made.tokens.verify_access_token("acme", access_token(made, **stated))
    assert verified.claims["realm_access"] == {"roles": ["a"]}
    strict = scene(holder, **fewer, ends_tokens_by_role=True)
    with pytest.raises(TokenEndedError):
        await strict.tokens.verify("acme", access_token(strict, **stated))
