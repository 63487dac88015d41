"""Claims that protocol mappers set in tokens, and those that they must not set."""

from typing import Any

import pytest

from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.oauth.claims.token_profile import MAX_COMBINATIONS, profile_of
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant
from keyturn_shared.projected_mappers import PROTOCOL_CLAIMS, ROLES_MAPPERS, ProjectedMapper, refused_claim
from keyturn_shared.projection import ClientProjection, RealmProjection, RoleSet
from tests.testkit.clocks import SetClock
from tests.testkit.filled_redis import realm_of
from tests.testkit.oauth_scene import client, scene

ROLES: dict[str, Any] = {
    "realm_roles": {"boss": RoleSet(), "clerk": RoleSet()},
    "client_roles": {"pay.ments": {"pay": RoleSet(), "view": RoleSet()}, "shop": {"buy": RoleSet()}},
}
HELD = RoleSet(("boss", "clerk"), {"pay.ments": ("pay", "view"), "shop": ("buy",)})
Mapper = ProjectedMapper


def constant(path: str, value: Any, **members: Any) -> Mapper:
    return Mapper(kind="constant", claim=tuple(path.split(".")), value=value, **members)


def realm(**mappers: tuple[Mapper, ...]) -> RealmProjection:
    names = tuple(mappers)
    return realm_of("acme", **ROLES, default_scopes=names, scope_mappers=mappers)


def granted(*mappers: Mapper, held: RoleSet = HELD, **members: Any) -> Grant:
    return decide_grant(profile_of(realm(), client(mappers=mappers, roles=held, **members)), None, ())


@pytest.mark.parametrize(
    ("mappers", "claims"),
    [
        ((constant("tier", "gold"),), {"tier": "gold"}),
        ((constant("a.b.c", 5), constant("a.b.d", [1])), {"a": {"b": {"c": 5, "d": [1]}}}),
        ((constant("a", 1), constant("a.b", 2)), {"a": 1}),
        ((constant("a", 1), constant("a", 2)), {"a": 2}),
        ((constant("a", [1]), constant("a", [1, 2])), {"a": [1, 2]}),
        ((Mapper(kind="identity", claim=("me",), source="username"),), {"me": "service-account-worker"}),
        ((Mapper(kind="identity", claim=("me",), source="client_id", multivalued=True),), {"me": ["worker"]}),
        ((Mapper(kind="identity", claim=("sub",), source="client_id"),), {"sub": "worker"}),
        ((Mapper(kind="allowed_origins", claim=("allowed-origins",)),), {}),
        ((Mapper(kind="of a later build", claim=("x",)),), {}),
        ((Mapper(kind="realm_roles", claim=("groups",), prefix="R_", multivalued=True),),
         {"groups": ["R_boss", "R_clerk"]}),
        ((Mapper(kind="realm_roles", claim=("one",)),), {"one": "boss"}),
        ((Mapper(kind="client_roles", claim=("by", "${client_id}"), multivalued=True),),
         {"by": {"pay.ments": ["pay", "view"], "shop": ["buy"]}}),
        ((Mapper(kind="client_roles", claim=("r",), owner="shop", multivalued=True),), {"r": ["buy"]}),
        ((Mapper(kind="client_roles", claim=("r",), multivalued=True),), {"r": ["pay", "view", "buy"]}),
        ((Mapper(kind="client_roles", claim=("r",), owner="nobody", multivalued=True),), {}),
        ((constant("hidden", 1, in_token=False),), {}),
    ],
)  # fmt: skip
def test_each_kind_sets_its_claim(mappers: tuple[Mapper, ...], claims: dict[str, Any]) -> None:
    assert granted(*mappers).claims == claims


def test_roles_are_added_and_renamed_before_they_are_listed() -> None:
    """First come the other names, then the hardcoded roles, then audiences and claims, as in Keycloak."""
    grant = granted(
        *ROLES_MAPPERS,
        Mapper(kind="hardcoded_role", owner="api", role="call"),
        Mapper(kind="hardcoded_role", role="clerk"),
        Mapper(kind="role_name", role="clerk", new_owner="shop", new_role="sell"),
        Mapper(kind="role_name", owner="shop", role="no", new_role="never"),
    )
    assert grant.claims == {
        "realm_access": {"roles": ["boss", "clerk"]},
        "resource_access": {
            "api": {"roles": ["call"]},
            "pay.ments": {"roles": ["pay", "view"]},
            "shop": {"roles": ["buy", "sell"]},
        },
    }
    assert grant.audiences == ("api", "pay.ments", "shop")


def test_audiences_are_added_to_those_of_the_client() -> None:
    added = Mapper(kind="audience", value="https://api.example")
    assert granted(added, added).audiences == ("https://api.example",)
    assert granted(added, audiences=("own",)).audiences == ("own", "https://api.example")
    assert granted(added, administers=True).audiences == ()
    assert granted(Mapper(kind="audience", value="x", in_token=False)).audiences == ()


def test_mappers_are_those_of_the_client_and_of_the_scopes_that_the_token_has() -> None:
    scopes = {
        "usual": (constant("a", 1),),
        "more": (constant("b", 2),),
        "most": (constant("c", 3),),
        "others": (constant("d", 4),),
    }
    of = client(mappers=(constant("own", 0),), default_scopes=("usual",), scopes=("more", "most"))
    profile = profile_of(realm(**scopes), of)
    for scope, claims in (
        (None, {"own": 0, "a": 1}),
        ("usual", {"own": 0, "a": 1}),
        ("more", {"own": 0, "a": 1, "b": 2}),
        ("most more", {"own": 0, "a": 1, "b": 2, "c": 3}),
    ):
        assert decide_grant(profile, scope, ()).claims == claims
        assert decide_grant(profile, scope, ()).claims is decide_grant(profile, scope, ()).claims


def test_only_so_many_combinations_of_scopes_are_kept() -> None:
    names = tuple(f"s{number}" for number in range(100))
    profile = profile_of(
        realm(**{name: (constant(name, 1),) for name in names}), client(default_scopes=(), scopes=names)
    )
    for name in names:
        assert decide_grant(profile, name, ()).claims == {name: 1}
    assert len(profile._combinations) <= MAX_COMBINATIONS


@pytest.mark.parametrize("name", sorted(PROTOCOL_CLAIMS - {"sub", "preferred_username", "client_id"}))
def test_no_projection_makes_a_mapper_set_a_claim_of_the_protocol(name: str) -> None:
    for mapper in (constant(name, "x"), constant(f"{name}.x", 1),
                   Mapper(kind="identity", claim=(name,), source="client_id"),
                   Mapper(kind="note", claim=(name,)),
                   Mapper(kind="realm_roles", claim=(name,), multivalued=True)):  # fmt: skip
        assert refused_claim(mapper) == name
        grant = granted(mapper)
        assert (grant.claims, grant.notes) == ({}, ())


@pytest.mark.parametrize(
    "mapper",
    [
        constant("sub", "another"),
        constant("preferred_username", "another"),
        constant("client_id", "another"),
        Mapper(kind="identity", claim=("client_id",), source="username"),
        Mapper(kind="identity", claim=("sub",), source="client_id", multivalued=True),
        Mapper(kind="identity", claim=("sub", "x"), source="client_id"),
        constant("realm_access.roles", ["admin"]),
        constant("resource_access", {}),
        Mapper(kind="realm_roles", claim=("realm_access", "roles")),
        Mapper(kind="realm_roles", claim=("realm_access", "others"), multivalued=True),
        Mapper(kind="client_roles", claim=("resource_access", "roles"), multivalued=True),
        constant("active", True),
    ],
)
def test_identity_and_roles_come_from_what_the_client_is_and_has(mapper: Mapper) -> None:
    assert refused_claim(mapper) == mapper.claim[0]
    assert granted(mapper).claims == {}


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        (("${client_id}",), "iss"),
        (("${client_id}", "roles"), "cnf"),
        (("s${client_id}",), "ub"),
        (("client_${client_id}",), "uuid"),
        (("gener${client_id}",), "ation"),
        (("resource_${client_id}",), "access"),
    ],
)
@pytest.mark.parametrize("is_multivalued", [True, False])
def test_the_id_of_a_client_in_a_path_does_not_make_it_a_claim_of_the_protocol(
    path: tuple[str, ...], owner: str, *, is_multivalued: bool
) -> None:
    roles = {owner: {"uuid-of-another": RoleSet()}, "shop": {"buy": RoleSet()}}
    mapper = Mapper(kind="client_roles", claim=path, multivalued=is_multivalued)
    held = RoleSet((), {owner: ("uuid-of-another",), "shop": ("buy",)})
    of = client(mappers=(mapper,), roles=held)
    claims = decide_grant(profile_of(realm_of("acme", client_roles=roles), of), None, ()).claims
    assert list(claims) == [path[0].replace("${client_id}", "shop")]


def test_the_callers_address_is_in_the_claims_that_have_it_and_in_no_other_token() -> None:
    grant = granted(
        constant("net.zone", "dmz"),
        Mapper(kind="note", claim=("clientHost",), source="clientHost"),
        Mapper(kind="note", claim=("net", "address"), source="clientAddress"),
        Mapper(kind="note", claim=("net", "zone", "x"), source="clientAddress"),
    )
    assert grant.claims == {"net": {"zone": "dmz"}}
    made = scene(client())
    issuer = AccessTokenIssuer(SetClock(1_000_000), random=bytes)

    def claims(address: str) -> dict[str, Any]:
        return dict(parse_compact(issuer.issue(made.realm, client(), grant, address=address).token).claims)

    shown = claims("192.0.2.7")
    assert (shown["clientHost"], shown["net"]) == ("192.0.2.7", {"zone": "dmz", "address": "192.0.2.7"})
    assert claims("192.0.2.8")["net"]["address"] == "192.0.2.8"
    assert "clientHost" not in claims("")
    assert claims("")["net"] == {"zone": "dmz"}


def test_a_lightweight_token_has_only_what_is_for_it() -> None:
    of = client(
        lightweight_tokens=True,
        mappers=(constant("a", 1), constant("b", 2, in_lightweight=True, in_token=False)),
    )
    profile = profile_of(realm(), of)
    assert decide_grant(profile, None, ()).claims == {"b": 2}
    shown = profile.introspected({"scope": "", "b": 2})
    assert shown == {
        "scope": "",
        "b": 2,
        "a": 1,
        "acr": "1",
        "preferred_username": "service-account-worker",
    }


def test_allowed_origins_are_the_clients() -> None:
    mapper = Mapper(kind="allowed_origins", claim=("allowed-origins",))
    grant = granted(mapper, allowed_origins=("https://a.example",))
    assert grant.claims == {"allowed-origins": ["https://a.example"]}


def test_a_realm_of_an_earlier_build_has_keycloaks_mappers_of_roles_only() -> None:
    earlier = realm_of("acme", **ROLES, default_scopes=("roles", "web-origins"))
    of: ClientProjection = client(
        roles=RoleSet(("boss",), {"shop": ("buy",)}), allowed_origins=("https://a",)
    )
    grant = decide_grant(profile_of(earlier, of), None, ())
    assert grant.claims == {
        "realm_access": {"roles": ["boss"]},
        "resource_access": {"shop": {"roles": ["buy"]}},
    }
    assert grant.audiences == ("shop",)
