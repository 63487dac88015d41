"""Effects of protocol mappers: those that nodes apply, and those that are refused."""

from typing import Any

import pytest

from keyturn_credentials.domain import mapper_types as types
from keyturn_credentials.domain.mapper_effects import (
    MAX_CLAIM_NAME,
    MAX_CLAIM_PARTS,
    check_effects,
    effect_of,
    projected_mappers,
    without_effect,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.projected_mappers import PROTOCOL_CLAIMS, ProjectedMapper

IN_TOKENS = {"access.token.claim": "true"}


def mapper(kind: str, config: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    whole = {**IN_TOKENS, **(config or {})}
    return {"name": "m", "protocol": "openid-connect", "protocolMapper": kind, "config": whole, **members}


def hardcoded(name: str, value: str, kind: str | None = None) -> dict[str, Any]:
    typed = {} if kind is None else {"jsonType.label": kind}
    return mapper(types.HARDCODED_CLAIM, {"claim.name": name, "claim.value": value, **typed})


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("tier", ("tier",)),
        ("a.b.c", ("a", "b", "c")),
        (r"a.b\.c.d", ("a", "b.c", "d")),
        (r"https://example\.com/tier", ("https://example.com/tier",)),
        (r"a\\b", (r"a\b",)),
        ("a\\", ("a\\",)),
        ("${client_id}", ("${client_id}",)),
    ],
)
def test_dots_nest_a_claim_and_a_backslash_keeps_one_in_its_name(name: str, path: tuple[str, ...]) -> None:
    projected = effect_of(hardcoded(name, "x")).mapper
    assert projected is not None
    assert projected.claim == path


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (None, "5", "5"),
        ("String", "5", "5"),
        ("int", "-5", -5),
        ("int", str(2**31 - 1), 2**31 - 1),
        ("long", "+5", 5),
        ("long", str(-(2**63)), -(2**63)),
        ("boolean", "TRUE", True),
        ("boolean", "yes", False),
        ("JSON", '{"a":[1,null]}', {"a": [1, None]}),
        ("JSON", " 1.5 ", 1.5),
        ("JSON", "null", None),
    ],
)
def test_a_hardcoded_claim_has_its_type(kind: str | None, text: str, value: object) -> None:
    projected = effect_of(hardcoded("x", text, kind)).mapper
    assert projected is not None
    assert projected.value == value
    assert type(projected.value) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "x"),
        ("int", ""),
        ("int", str(2**31)),
        ("int", "1_000"),
        ("int", "٣"),
        ("long", str(2**63)),
        ("long", "9" * 400),
        ("JSON", "{"),
        ("JSON", '{"a":1,"a":2}'),
        ("JSON", "[" * 17 + "]" * 17),
        ("JSON", "[" * 5000),
        ("JSON", "1e999"),
        ("JSON", str(2**70)),
        ("JSON", '1}, "x": {'),
        ("JSON", '"\ud800"'),
    ],
)
def test_a_value_that_is_not_of_its_type_is_refused(kind: str, text: str) -> None:
    """Keycloak stores it, and then issues no token at all."""
    with pytest.raises(InvalidRequestError, match="protocol mapper m "):
        effect_of(hardcoded("x", text, kind))


def test_a_claim_is_no_deeper_than_verifiers_read() -> None:
    path = ".".join("abcdefghij")
    assert effect_of(hardcoded(path, "[" * 6 + "]" * 6, "JSON")).mapper
    with pytest.raises(InvalidRequestError, match="nested deeper"):
        effect_of(hardcoded(path, "[" * 7 + "]" * 7, "JSON"))


@pytest.mark.parametrize(
    "name", ["a." * MAX_CLAIM_PARTS + "b", "x" * (MAX_CLAIM_NAME + 1), "a..b", ".a", "a."]
)
def test_the_name_of_a_claim_is_bounded(name: str) -> None:
    assert effect_of(hardcoded("a." * (MAX_CLAIM_PARTS - 1) + "b", "x")).mapper
    assert effect_of(hardcoded("x" * MAX_CLAIM_NAME, "x")).mapper
    with pytest.raises(InvalidRequestError, match=r"claim\.name has"):
        effect_of(hardcoded(name, "x"))


@pytest.mark.parametrize(
    "name", sorted({*PROTOCOL_CLAIMS, "realm_access", "resource_access", "active", "nonce"})
)
def test_a_claim_of_the_protocol_is_refused_by_its_name(name: str) -> None:
    for claim in (name, f"{name}.x"):
        with pytest.raises(InvalidRequestError, match=f"must not set the claim {name}$"):
            effect_of(hardcoded(claim, "x"))


@pytest.mark.parametrize(
    ("kind", "config", "projected"),
    [
        (
            types.HARDCODED_ROLE,
            {"role": "a.b.pay"},
            {"kind": "hardcoded_role", "owner": "a.b", "role": "pay"},
        ),
        (types.HARDCODED_ROLE, {"role": "boss"}, {"kind": "hardcoded_role", "role": "boss"}),
        (
            types.ROLE_NAME,
            {"role": "boss", "new.role.name": "shop.sell"},
            {"kind": "role_name", "role": "boss", "new_owner": "shop", "new_role": "sell"},
        ),
        (
            types.AUDIENCE,
            {"included.client.audience": "payments", "included.custom.audience": "https://api"},
            {"kind": "audience", "value": "payments"},
        ),
        (
            types.AUDIENCE,
            {"included.custom.audience": "https://api"},
            {"kind": "audience", "value": "https://api"},
        ),
        (types.AUDIENCE_RESOLVE, {}, {"kind": "audience_resolve"}),
        (types.ALLOWED_ORIGINS, {}, {"kind": "allowed_origins", "claim": ("allowed-origins",)}),
        (
            types.REALM_ROLES,
            {"claim.name": "groups", "multivalued": "true", "usermodel.realmRoleMapping.rolePrefix": "R_"},
            {"kind": "realm_roles", "claim": ("groups",), "multivalued": True, "prefix": "R_"},
        ),
        (
            types.CLIENT_ROLES,
            {"claim.name": "by.${client_id}", "usermodel.clientRoleMapping.clientId": "shop"},
            {"kind": "client_roles", "claim": ("by", "${client_id}"), "owner": "shop"},
        ),
        (
            types.NOTE,
            {"claim.name": "clientHost", "user.session.note": "clientHost"},
            {"kind": "note", "claim": ("clientHost",), "source": "clientHost"},
        ),
        (
            types.NOTE,
            {"claim.name": "client_id", "user.session.note": "client_id", "jsonType.label": "String"},
            {"kind": "identity", "claim": ("client_id",), "source": "client_id"},
        ),
        (
            types.ATTRIBUTE,
            {"claim.name": "upn", "user.attribute": "username", "multivalued": "true"},
            {"kind": "identity", "claim": ("upn",), "source": "username", "multivalued": True},
        ),
        (
            types.PROPERTY,
            {"claim.name": "email_verified", "user.attribute": "emailVerified", "jsonType.label": "boolean"},
            {"kind": "constant", "claim": ("email_verified",), "value": False},
        ),
        (
            types.PROPERTY,
            {"claim.name": "on", "user.attribute": "enabled"},
            {"kind": "constant", "claim": ("on",), "value": "true"},
        ),
        (
            types.PROPERTY,
            {"claim.name": "sub", "user.attribute": "serviceAccountClientLink"},
            {"kind": "identity", "claim": ("sub",), "source": "client_uuid"},
        ),
    ],
)
def test_each_type_is_projected(kind: str, config: dict[str, str], projected: dict[str, Any]) -> None:
    assert effect_of(mapper(kind, config)).mapper == ProjectedMapper(**projected)


@pytest.mark.parametrize(
    ("switches", "places"),
    [
        ({"access.token.claim": "true"}, (True, True, False)),
        ({"access.token.claim": "true", "introspection.token.claim": "false"}, (True, False, False)),
        ({"introspection.token.claim": "true"}, (False, True, False)),
        ({"lightweight.claim": "true"}, (False, False, True)),
        ({"access.token.claim": "TRUE", "id.token.claim": "true"}, None),
        ({}, None),
    ],
)
def test_the_switches_say_where_a_claim_is(switches: dict[str, str], places: tuple[bool, ...] | None) -> None:
    entry = hardcoded("x", "y")
    entry["config"] = {"claim.name": "x", "claim.value": "y", **switches}
    projected = effect_of(entry).mapper
    found = projected and (projected.in_token, projected.in_introspection, projected.in_lightweight)
    assert found == places
    always = effect_of({**entry, "protocolMapper": types.AUDIENCE_RESOLVE, "config": {}}).mapper
    assert always == ProjectedMapper(kind="audience_resolve")


@pytest.mark.parametrize(
    ("entry", "is_keycloaks"),
    [
        (mapper("oidc-full-name-mapper"), True),
        (mapper("oidc-group-membership-mapper"), False),
        (mapper("oidc-sha256-pairwise-sub-mapper"), False),
        (mapper("script-own.js"), False),
        (mapper("saml-role-list-mapper", protocol="saml"), True),
        (mapper(types.HARDCODED_CLAIM, {"claim.value": "x"}), True),
        (mapper(types.HARDCODED_CLAIM, {"claim.name": "x"}), True),
        (mapper(types.HARDCODED_ROLE), True),
        (mapper(types.ROLE_NAME, {"role": "x"}), True),
        (mapper(types.AUDIENCE), True),
        (mapper(types.ATTRIBUTE, {"claim.name": "x", "user.attribute": "email"}), True),
        (mapper(types.NOTE, {"claim.name": "x", "user.session.note": "AUTH_TIME"}), True),
    ],
)
def test_mappers_without_effect_are_named(entry: dict[str, Any], is_keycloaks: bool) -> None:
    """A note in an import's report is about those that have an effect in Keycloak."""
    effect = effect_of(entry)
    assert effect.mapper is None
    [text] = without_effect([entry])
    assert text.startswith(f"protocol mapper m ({entry['protocolMapper']}) has no effect: ")
    assert bool(without_effect([entry], as_in_keycloak=False)) != is_keycloaks


def test_what_sub_and_acr_say_is_in_every_token_anyway() -> None:
    assert without_effect([mapper(types.SUBJECT), mapper(types.ACR)]) == []
    assert projected_mappers([mapper(types.SUBJECT), mapper(types.ACR)]) == ()


@pytest.mark.parametrize("kind", [types.REALM_ROLES, types.CLIENT_ROLES, types.NOTE, types.ATTRIBUTE])
def test_what_is_a_text_is_mapped_as_a_text(kind: str) -> None:
    config = {"claim.name": "x", "user.session.note": "client_id", "user.attribute": "username"}
    assert effect_of(mapper(kind, {**config, "jsonType.label": "String"})).mapper
    with pytest.raises(InvalidRequestError, match="must be String"):
        effect_of(mapper(kind, {**config, "jsonType.label": "long"}))


def test_what_was_stored_before_can_stay_and_is_not_projected() -> None:
    stored = hardcoded("iss", "x")
    check_effects([stored], [stored])
    with pytest.raises(InvalidRequestError):
        check_effects([stored], [])
    fine = hardcoded("x", "y")
    assert len(projected_mappers([stored, fine])) == 1
    assert "must not set the claim iss" in without_effect([stored], as_in_keycloak=False)[0]


def test_mappers_are_applied_in_the_order_of_their_priorities() -> None:
    roles = mapper(types.REALM_ROLES, {"claim.name": "x"})
    order = [
        each.kind for each in projected_mappers([roles, mapper(types.AUDIENCE_RESOLVE), hardcoded("a", "b")])
    ]
    assert order == ["constant", "audience_resolve", "realm_roles"]
