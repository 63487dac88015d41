"""Every difference is found, and only those that are by design have a reason."""

from typing import Any

import pytest

from keyturn.migrate.compare.differences import Difference, Granted, Refused, canonical, differences
from keyturn.migrate.compare.expectations import Sides
from keyturn_credentials.domain.client import account_id_from

OLD, NEW = "https://old/realms/acme", "https://new/realms/acme"
SIDES = Sides((OLD, NEW), "orders", has_account=True)
KEYCLOAK = Granted(
    {
        "access_token": "one",
        "expires_in": 300,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "profile email",
    },
    {"alg": "RS256", "typ": "JWT", "kid": "old-key"},
    {
        "exp": 1300,
        "iat": 1000,
        "jti": "trrtcc:1",
        "iss": OLD,
        "aud": "account",
        "sub": "s",
        "azp": "orders",
        "realm_access": {"roles": ["a", "b"]},
        "scope": "profile email",
        "email_verified": False,
        "clientHost": "10.0.0.1",
    },
    {"active": True, "client_id": "orders", "iss": OLD, "exp": 1300, "iat": 1000, "aud": ["account"]},
    None,
)
KEYTURN = Granted(
    {
        "access_token": "two",
        "expires_in": 299,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "email profile",
    },
    {"alg": "RS256", "typ": "JWT", "kid": "new-key"},
    {
        "exp": 1302,
        "iat": 1002,
        "jti": "2",
        "iss": NEW,
        "aud": ["account"],
        "sub": "s",
        "azp": "orders",
        "realm_access": {"roles": ["b", "a"]},
        "scope": "email profile",
        "client_uuid": "u",
    },
    {"active": True, "client_id": "orders", "iss": NEW, "exp": 1302, "iat": 1002, "aud": "account"},
    None,
)


def with_(side: Granted, part: str, **members: Any) -> Granted:
    """Return the token with these members of a part; None removes one."""
    parts = {name: getattr(side, name) for name in Granted.__dataclass_fields__}
    changed = {**parts[part], **members}
    parts[part] = {name: value for name, value in changed.items() if value is not None}
    return Granted(**parts)


def unexplained(found: list[Difference]) -> list[tuple[str, str]]:
    return [(each.where, each.name) for each in found if each.reason is None]


def test_tokens_of_a_moved_client_differ_by_design_alone() -> None:
    found = differences(SIDES, KEYCLOAK, KEYTURN)
    assert unexplained(found) == []
    assert [(each.where, each.name) for each in found] == [
        ("header", "kid"),
        ("claims", "clientHost"),
        ("claims", "client_uuid"),
        ("claims", "email_verified"),
        ("claims", "iss"),
        ("introspection", "iss"),
    ]


@pytest.mark.parametrize(
    ("part", "members", "name"),
    [
        ("claims", {"aud": "other"}, "aud"),
        ("claims", {"aud": None}, "aud"),
        ("claims", {"sub": "another"}, "sub"),
        ("claims", {"iss": "https://elsewhere"}, "iss"),
        ("claims", {"realm_access": {"roles": ["a"]}}, "realm_access"),
        ("claims", {"realm_access": {"roles": ["a", "b", "admin"]}}, "realm_access"),
        ("claims", {"exp": 1902}, "lifetime"),
        ("claims", {"exp": "9999999999"}, "lifetime"),
        ("claims", {"preferred_username": "1"}, "preferred_username"),
        ("claims", {"jti": None}, "jti"),
        ("claims", {"azp": "other"}, "azp"),
        ("claims", {"extra": 1}, "extra"),
        ("claims", {"scope": "email"}, "scope"),
        ("header", {"alg": "ES256"}, "alg"),
        ("header", {"typ": "at+jwt"}, "typ"),
        ("header", {"kid": None}, "kid"),
        ("response", {"expires_in": 60}, "expires_in"),
        ("response", {"token_type": "DPoP"}, "token_type"),
        ("introspection", {"active": False}, "active"),
        ("introspection", {"client_id": "other"}, "client_id"),
    ],
)
def test_a_difference_at_keyturn_is_unexplained(part: str, members: dict[str, Any], name: str) -> None:
    found = differences(SIDES, KEYCLOAK, with_(KEYTURN, part, **members))
    assert unexplained(found) == [(part, name)]


@pytest.mark.parametrize(
    ("part", "members"),
    [
        ("claims", {"clientAddress": "10.0.0.1"}),
        ("claims", {"allowed-origins": ["https://app"]}),
        ("claims", {"sid": "1"}),
        ("response", {"refresh_token": "r", "session_state": "s"}),
        ("introspection", {"active": False}),
    ],
)
def test_a_difference_at_the_keycloak_is_by_design(part: str, members: dict[str, Any]) -> None:
    found = differences(SIDES, with_(KEYCLOAK, part, **members), KEYTURN)
    assert unexplained(found) == []
    assert len(found) >= 6


@pytest.mark.parametrize(
    ("part", "at_keycloak", "at_keyturn", "expected"),
    [
        ("claims", "10.0.0.1", "10.0.0.2", []),
        ("claims", None, "10.0.0.2", [("claims", "clientAddress")]),
        ("introspection", None, "10.0.0.2", []),
    ],
)
def test_the_callers_address_is_each_sides_own(
    part: str, at_keycloak: str | None, at_keyturn: str, expected: list[tuple[str, str]]
) -> None:
    left = with_(KEYCLOAK, part, clientAddress=at_keycloak)
    right = with_(KEYTURN, part, clientAddress=at_keyturn)
    assert unexplained(differences(SIDES, left, right)) == expected


def test_true_is_not_one_and_a_text_is_no_array_elsewhere() -> None:
    left, right = with_(KEYCLOAK, "claims", flag=True, acr="1"), with_(KEYTURN, "claims", flag=1, acr=["1"])
    assert unexplained(differences(SIDES, left, right)) == [("claims", "acr"), ("claims", "flag")]


def test_a_subject_differs_by_design_only_if_the_source_lacked_the_service_account() -> None:
    derived = with_(KEYTURN, "claims", sub=account_id_from("u"))
    without = Sides((OLD, NEW), "orders", has_account=False)
    assert unexplained(differences(without, KEYCLOAK, derived)) == []
    assert unexplained(differences(SIDES, KEYCLOAK, derived)) == [("claims", "sub")]


@pytest.mark.parametrize("subject", ["of-another-client", account_id_from("another"), None])
def test_only_the_derived_subject_is_by_design(subject: str | None) -> None:
    without = Sides((OLD, NEW), "orders", has_account=False)
    other = with_(KEYTURN, "claims", sub=subject)
    assert unexplained(differences(without, KEYCLOAK, other)) == [("claims", "sub")]


def test_an_audience_that_rfc_9068_asks_for_is_by_design() -> None:
    without = with_(with_(KEYCLOAK, "claims", aud=None), "introspection", aud=None)
    issuer = with_(with_(KEYTURN, "claims", aud=NEW), "introspection", aud=NEW)
    assert unexplained(differences(SIDES, without, issuer)) == []


def test_a_signature_that_no_published_key_made_is_unexplained_on_either_side() -> None:
    """Even if both sides have the same fault."""
    parts = {name: getattr(KEYTURN, name) for name in Granted.__dataclass_fields__}
    forged = Granted(**{**parts, "signature": "unknown_kid"})
    assert unexplained(differences(SIDES, KEYCLOAK, forged)) == [("header", "signature")]
    parts = {name: getattr(KEYCLOAK, name) for name in Granted.__dataclass_fields__}
    foreign = Granted(**{**parts, "signature": "unknown_kid"})
    assert unexplained(differences(SIDES, foreign, forged)) == [("header", "signature")]


def test_refusals_are_compared() -> None:
    keycloak = Refused(401, "unauthorized_client", "Invalid client or Invalid client credentials")
    keyturn = Refused(401, "invalid_client", "Invalid client or Invalid client credentials")
    (found,) = differences(SIDES, keycloak, keyturn)
    assert found.reason is not None
    assert differences(SIDES, keyturn, keyturn) == []
    assert unexplained(differences(SIDES, keyturn, Refused(400, "invalid_scope", ""))) == [
        ("refusal", "error")
    ]
    assert unexplained(differences(SIDES, keyturn, Refused(403, "invalid_client", ""))) == [
        ("refusal", "status")
    ]


@pytest.mark.parametrize("first", [True, False])
def test_a_token_of_one_side_alone_is_unexplained(first: bool) -> None:
    refused = Refused(401, "invalid_client", "")
    (found,) = differences(SIDES, KEYCLOAK, refused) if first else differences(SIDES, refused, KEYTURN)
    assert (found.name, found.reason) == ("outcome", None)
    assert {found.keycloak, found.keyturn} == {"a token", "401 invalid_client"}


def test_no_token_is_in_a_difference() -> None:
    left = with_(KEYCLOAK, "response", refresh_token="a-refresh-token", id_token="an-id-token")
    shown = repr(differences(SIDES, left, with_(KEYTURN, "response", access_token=None)))
    assert "a-refresh-token" not in shown
    assert "an-id-token" not in shown
    assert "'one'" not in shown


@pytest.mark.parametrize("claims", [{"iat": None}, {"iat": "1000"}])
def test_a_lifetime_that_cannot_be_told_is_unexplained(claims: dict[str, Any]) -> None:
    """Without it, a token that lives for years would be like one that lives for minutes."""
    left, right = with_(KEYCLOAK, "claims", **claims), with_(KEYTURN, "claims", exp=10**9, **claims)
    assert unexplained(differences(SIDES, left, right)) == [("claims", "lifetime")]


@pytest.mark.parametrize(("nbf", "expected"), [(1002, []), (1003, []), (900, [("claims", "nbf")])])
def test_the_start_of_validity_is_compared_with_the_time_of_issue(
    nbf: int, expected: list[tuple[str, str]]
) -> None:
    left, right = with_(KEYCLOAK, "claims", nbf=1000), with_(KEYTURN, "claims", nbf=nbf)
    assert unexplained(differences(SIDES, left, right)) == expected


def test_groups_are_roles_and_their_loss_is_unexplained() -> None:
    """Keycloak's scope microprofile-jwt has the realm roles there, and keyturn's too."""
    left = with_(KEYCLOAK, "claims", groups=["operator"])
    assert unexplained(differences(SIDES, left, KEYTURN)) == [("claims", "groups")]


@pytest.mark.parametrize(
    ("audience", "introspector"),
    [(["account", "orders"], None), ("orders", None), (["account"], "inventory")],
)
def test_a_token_that_is_active_at_keyturn_alone_is_by_design_only_for_its_client_outside_the_audience(
    audience: object, introspector: str | None
) -> None:
    sides = Sides((OLD, NEW), "orders", has_account=True, introspector=introspector)
    left = with_(with_(KEYCLOAK, "claims", aud=audience), "introspection", active=False)
    right = with_(KEYTURN, "claims", aud=audience)
    assert unexplained(differences(sides, left, right)) == [("introspection", "active")]


def test_a_client_whose_credential_only_keycloak_accepts_is_unexplained() -> None:
    """Keycloak has one error for a wrong credential and for a client without a service account."""
    without_account = Refused(401, "unauthorized_client", "Client not enabled to retrieve service account")
    wrong = Refused(401, "invalid_client", "Invalid client or Invalid client credentials")
    assert unexplained(differences(SIDES, without_account, wrong)) == [("refusal", "error")]


def test_an_empty_object_is_no_empty_array() -> None:
    left, right = with_(KEYCLOAK, "claims", roles={}), with_(KEYTURN, "claims", roles=[])
    assert unexplained(differences(SIDES, left, right)) == [("claims", "roles")]


def test_nested_arrays_cost_no_more_than_their_size() -> None:
    nested: Any = "'\"" * 50
    for _ in range(14):
        nested = [nested]
    assert len(canonical(nested)) < 1000


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({"iat": 1180, "exp": 1480}, []),
        ({"iat": 1181, "exp": 1481}, ["iat"]),
        ({"iat": 10**9, "exp": 10**9 + 300}, ["iat"]),
        ({"iat": -1e308, "exp": 1e308}, ["iat", "lifetime"]),
    ],
)
def test_tokens_of_the_same_moment_have_the_same_time_of_issue(
    claims: dict[str, Any], names: list[str]
) -> None:
    """One from the future has the same lifetime, and lives for longer."""
    right = with_(KEYTURN, "claims", **claims)
    assert unexplained(differences(SIDES, KEYCLOAK, right)) == [("claims", name) for name in names]
