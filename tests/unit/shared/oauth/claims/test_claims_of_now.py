"""Remaining claims of a token when mappers, scopes or roles are taken away."""

from collections.abc import Mapping
from typing import Any

import pytest

from keyturn_shared.oauth.errors import TokenEndedError
from keyturn_shared.projected_mappers import ProjectedMapper
from keyturn_shared.projection import RoleSet
from tests.testkit.oauth_scene import access_token, client, scene

Mapper = ProjectedMapper
ROLES: dict[str, Any] = {
    "realm_roles": {"boss": RoleSet(), "clerk": RoleSet()},
    "client_roles": {"shop": {"buy": RoleSet()}},
}

NONE = RoleSet()


def constant(path: str, value: Any, **members: Any) -> Mapper:
    return Mapper(kind="constant", claim=tuple(path.split(".")), value=value, **members)


async def left(
    stated: dict[str, Any],
    *mappers: Mapper,
    held: RoleSet = NONE,
    is_introspection: bool = False,
    ends: bool = False,
    scopes: dict[str, tuple[Mapper, ...]] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """Return what is left of these claims of a token, by a client that has these mappers now."""
    made = scene(
        client(mappers=mappers, roles=held, **members),
        **ROLES,
        scope_mappers=scopes or {},
        ends_tokens_by_role=ends,
    )
    token = access_token(made, **stated)
    verified = await made.tokens.verify_access_token("acme", token)
    claims = verified.introspected() if is_introspection else verified.claims
    bare = await made.tokens.verify_access_token("acme", access_token(made))
    return {name: value for name, value in claims.items() if name not in bare.claims}


GOLD = constant("tier", "gold")
STATED = {"tier": "gold", "a": {"b": 1, "c": [1, 2]}, "flags": [True, "x"]}


@pytest.mark.parametrize(
    ("mappers", "remainder"),
    [
        ((GOLD, constant("a", {"b": 1, "c": [1, 2]}), constant("flags", [True, "x"])), STATED),
        ((GOLD, constant("a.b", 1), constant("a.c", [1, 2]), constant("flags", ["x", True])), STATED),
        ((constant("tier", "iron"),), {}),
        ((constant("a.b", 1),), {"a": {"b": 1}}),
        ((constant("a.c", [2, 3]), constant("a.b", 2)), {"a": {"c": [2]}}),
        ((constant("flags", ["y"]),), {}),
        ((constant("tier.x", "gold"), constant("a", "text")), {}),
        ((), {}),
    ],
)  # fmt: skip
async def test_claims_that_no_mapper_sets_any_more_are_shown_to_nobody(
    mappers: tuple[Mapper, ...], remainder: dict[str, Any]
) -> None:
    assert await left(STATED, *mappers) == remainder


GROUPS = Mapper(kind="realm_roles", claim=("groups",), prefix="R_", multivalued=True)
ONE = Mapper(kind="realm_roles", claim=("one",))
BY_CLIENT = Mapper(kind="client_roles", claim=("by", "${client_id}"), multivalued=True)
AT_THE_TOP = Mapper(kind="client_roles", claim=("at_${client_id}",), multivalued=True)


@pytest.mark.parametrize(
    ("mapper", "stated", "remainder"),
    [
        (GROUPS, {"groups": ["R_boss", "R_clerk"]}, {"groups": ["R_clerk"]}),
        (ONE, {"one": "boss"}, {}),
        (BY_CLIENT, {"by": {"shop": ["buy"]}}, {}),
        (AT_THE_TOP, {"at_shop": ["buy"]}, {}),
    ],
)
async def test_a_role_that_was_taken_away_is_in_no_claim_and_can_end_the_token(
    mapper: Mapper, stated: dict[str, Any], remainder: dict[str, Any]
) -> None:
    had = RoleSet(("boss", "clerk"), {"shop": ("buy",)})
    has = RoleSet(("clerk",))
    assert await left(stated, mapper, held=had, ends=True) == stated
    assert await left(stated, mapper, held=has) == remainder
    with pytest.raises(TokenEndedError):
        await left(stated, mapper, held=has, ends=True)


async def test_a_role_with_another_name_goes_with_the_role_and_with_the_mapper() -> None:
    renaming = Mapper(kind="role_name", role="boss", new_owner="shop", new_role="sell")
    fixed = Mapper(kind="hardcoded_role", role="guest")
    stated = {"realm_access": {"roles": ["guest"]}, "resource_access": {"shop": {"roles": ["sell"]}}}
    scopes = {"roles": (
        Mapper(kind="realm_roles", claim=("realm_access", "roles"), multivalued=True),
        Mapper(kind="client_roles", claim=("resource_access", "${client_id}", "roles"), multivalued=True),
    )}  # fmt: skip
    now: dict[str, Any] = {"held": RoleSet(("boss",)), "scopes": scopes, "default_scopes": ("roles",)}
    assert await left(stated, renaming, fixed, **now) == stated
    assert await left(stated, renaming, fixed, **{**now, "held": RoleSet()}) == {
        "realm_access": {"roles": ["guest"]}
    }
    assert await left(stated, renaming, **now) == {"resource_access": {"shop": {"roles": ["sell"]}}}
    assert await left(stated, renaming, fixed, **{**now, "default_scopes": ()}) == {}


async def test_claims_of_an_optional_scope_stay_as_long_as_the_client_may_have_it() -> None:
    scopes = {"extra": (constant("tier", "gold"),)}
    assert await _left_with_scopes({"tier": "gold"}, scopes, ("extra",)) == {"tier": "gold"}
    assert await _left_with_scopes({"tier": "gold"}, scopes, ()) == {}


async def test_the_callers_address_stays_while_a_mapper_sets_it() -> None:
    note = Mapper(kind="note", claim=("clientHost",), source="clientHost")
    assert await left({"clientHost": "192.0.2.7"}, note) == {"clientHost": "192.0.2.7"}
    assert await left({"clientHost": ["x"]}, note) == {}
    assert await left({"clientHost": "192.0.2.7"}) == {}


async def test_introspection_shows_what_mappers_say_is_for_it() -> None:
    for_both, token_only = constant("a", 1), constant("b.x", 2, in_introspection=False)
    introspection_only = constant("b.y", 3, in_token=False)
    mappers = (for_both, token_only, introspection_only)
    stated = {"a": 1, "b": {"x": 2}}
    assert await left(stated, *mappers) == stated
    assert await left(stated, *mappers, is_introspection=True) == {"a": 1, "b": {"y": 3}}
    assert await left({}, *mappers, is_introspection=True) == {"b": {"y": 3}}
    assert await left({"b": {"y": 3}}, *mappers) == {}, "no token had it"


async def test_introspection_adds_the_claims_of_the_scopes_that_the_token_names() -> None:
    scopes = {"extra": (constant("more", 1, in_token=False),)}
    for scope, shown in (("extra", {"more": 1}), ("", {})):
        assert await _left_with_scopes({"scope": scope}, scopes, ("extra",), is_introspection=True) == shown


async def test_damaged_claims_of_a_token_are_left_out_and_raise_nothing() -> None:
    damaged: tuple[dict[str, Any], ...] = (
        {"realm_access": 5},
        {"resource_access": []},
        {"realm_access": {"roles": {}}},
    )
    for claims in damaged:
        assert await left(claims) == {}


async def _left_with_scopes(
    stated: dict[str, Any],
    scopes: Mapping[str, tuple[Mapper, ...]],
    optional: tuple[str, ...],
    *,
    is_introspection: bool = False,
) -> dict[str, Any]:
    made = scene(client(default_scopes=(), scopes=optional), **ROLES, scope_mappers=scopes)
    token = access_token(made, **stated)
    verified = await made.tokens.verify_access_token("acme", token)
    claims = verified.introspected() if is_introspection else verified.claims
    bare = await made.tokens.verify_access_token("acme", access_token(made))
    return {name: value for name, value in claims.items() if name not in {*bare.claims, "scope"}}
