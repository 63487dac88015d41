"""Roles of a service account in its tokens, and what is left of them when some are taken away."""

from typing import Any

import pytest

from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.errors import TokenEndedError
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant
from keyturn_shared.projection import RoleSet
from tests.testkit.filled_redis import realm_of
from tests.testkit.oauth_scene import ISSUER, access_token, client, scene

ROLES: dict[str, Any] = {
    "realm_roles": {
        "payments": RoleSet(),
        "all": RoleSet(("payments",), {"orders": ("read",)}),
    },
    "client_roles": {"orders": {"read": RoleSet(), "write": RoleSet()}, "worker": {"own": RoleSet()}},
    "default_scopes": ("roles",),
    "silent_scopes": frozenset({"roles"}),
}
REALM = realm_of("acme", **ROLES)


def granted(scope: str | None = None, targets: tuple[str, ...] = (), **members: Any) -> Grant:
    return decide_grant(profile_of(REALM, client(**members)), scope, targets)


def test_a_token_has_the_roles_and_those_that_they_are_composed_of() -> None:
    grant = granted(roles=RoleSet(("all",), {"worker": ("own",)}))
    assert grant.claims == {
        "realm_access": {"roles": ["all", "payments"]},
        "resource_access": {"orders": {"roles": ["read"]}, "worker": {"roles": ["own"]}},
    }
    assert grant.audiences == ("orders",), "the other clients whose roles it has"
    assert grant.scope == ""


def test_a_token_without_roles_has_no_claims_about_them() -> None:
    assert granted().claims == {}
    assert granted(roles=RoleSet(("unknown",), {"orders": ("unknown",), "nobody": ("read",)})).claims == {}


def test_roles_are_in_tokens_with_the_scope_roles_only() -> None:
    held: dict[str, Any] = {"roles": RoleSet(("payments",))}
    assert granted(default_scopes=(), scopes=(), **held).claims == {}
    assert granted(default_scopes=(), scopes=("roles",), **held).claims == {}
    asked = granted("roles", default_scopes=(), scopes=("roles",), **held)
    assert asked.claims == {"realm_access": {"roles": ["payments"]}}


def test_without_full_scope_only_its_own_roles_and_those_mapped_to_its_scope_count() -> None:
    held = client(
        full_scope=False, roles=RoleSet(("payments", "all"), {"worker": ("own",), "orders": ("write",)})
    )
    assert profile_of(REALM, held).roles.of_any == {("worker", "own")}
    mapped = realm_of("acme", **ROLES, scope_mappings={"worker": RoleSet(("payments",))})
    assert profile_of(mapped, held).roles.of_any == {("worker", "own"), (None, "payments")}


def test_an_administrators_token_stays_one_for_the_admin_api() -> None:
    assert granted(roles=RoleSet((), {"orders": ("read",)}), administers=True).audiences == ()


def test_audiences_that_are_asked_for_may_be_those_of_roles() -> None:
    grant = granted(None, ("orders",), roles=RoleSet((), {"orders": ("read",)}), audiences=("api",))
    assert grant.audiences == ("orders",)


STATED: dict[str, Any] = {
    "realm_access": {"roles": ["all", "payments"]},
    "resource_access": {"orders": {"roles": ["read", "write"]}},
}


@pytest.mark.parametrize(
    ("roles", "shown"),
    [
        (RoleSet(("all",), {"orders": ("write",)}), STATED),
        (
            RoleSet(("payments",), {"orders": ("write",)}),
            {"realm_access": {"roles": ["payments"]}, "resource_access": {"orders": {"roles": ["write"]}}},
        ),
        (RoleSet(("payments",)), {"realm_access": {"roles": ["payments"]}}),
        (RoleSet(), {}),
    ],
)
async def test_a_role_that_was_taken_away_is_shown_to_nobody_or_ends_the_token(
    roles: RoleSet, shown: dict[str, Any]
) -> None:
    """The token still says it; whoever asks hears what is true now."""
    made = scene(client(roles=roles), **ROLES)
    verified = await made.tokens.verify_access_token("acme", access_token(made, **STATED))
    assert {name: verified.claims[name] for name in STATED if name in verified.claims} == shown
    assert verified.claims["iss"] == ISSUER
    strict = scene(client(roles=roles), **ROLES, ends_tokens_by_role=True)
    if shown == STATED:
        await strict.tokens.verify("acme", access_token(strict, **STATED))
    else:
        with pytest.raises(TokenEndedError):
            await strict.tokens.verify("acme", access_token(strict, **STATED))
