"""A service account refers to roles by their ids, as soon as both projections have them."""

from keyturn_shared.oauth.claims.role_claims import held_roles
from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.projection import RoleSet
from tests.testkit.filled_redis import realm_of
from tests.testkit.oauth_scene import client

NAMES = {"realm_roles": {"a": RoleSet(), "all": RoleSet(("a",))}}
REALM = realm_of("acme", **NAMES, roles_by_id={"id-a": (None, "a"), "id-all": (None, "all")})


def test_ids_count_and_names_do_not() -> None:
    assert held_roles(REALM, client(roles=RoleSet(("all",)), role_ids=("id-a", "gone"))) == {(None, "a")}
    assert held_roles(REALM, client(role_ids=("id-all",))) == {(None, "a"), (None, "all")}
    assert held_roles(REALM, client(roles=RoleSet(("all",)), role_ids=())) == frozenset()


def test_projections_of_an_earlier_build_have_names_only() -> None:
    assert held_roles(REALM, client(roles=RoleSet(("a",)))) == {(None, "a")}
    of_before = realm_of("acme", **NAMES)
    assert held_roles(of_before, client(roles=RoleSet(("a",)), role_ids=("id-all",))) == {(None, "a")}


def test_own_roles_of_a_client_without_full_scope_bring_what_they_are_composed_of() -> None:
    realm = realm_of(
        "acme",
        realm_roles={"a": RoleSet()},
        client_roles={"worker": {"own": RoleSet(("a",))}},
        roles_by_id={"id-own": ("worker", "own")},
    )
    held = client(full_scope=False, role_ids=("id-own",))
    assert profile_of(realm, held).roles.of_any == {(None, "a"), ("worker", "own")}
