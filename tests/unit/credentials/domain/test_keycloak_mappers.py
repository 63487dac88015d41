"""Claims and mappers of a real Keycloak, recorded in ``keycloak_mappers.json``: here they are the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from keyturn_credentials.domain.built_in_scopes import MAPPERS_OF
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scopes import CLIENT_SCOPES, scopes_of_realm
from keyturn_credentials.domain.mapper_effects import projected_mappers
from keyturn_credentials.domain.protocol_mappers import mappers_in
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_client, change_realm
from keyturn_credentials.domain.web_origins import allowed_origins
from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.tokens.grant import decide_grant
from keyturn_shared.projection import ClientProjection, RealmProjection, RoleSet

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "keycloak_mappers.json").read_text())
OF_EVERY_TOKEN = {"typ", "azp", "acr", "scope", "sub", "aud"}
ANY_OF_SEVERAL = "one"
"""A claim with one role: Keycloak takes any of them."""


@pytest.mark.parametrize("name", MAPPERS_OF)
def test_built_in_scopes_have_the_mappers_of_keycloak(name: str) -> None:
    mappers = [
        {key: mapper[key] for key in ("name", "protocolMapper", "config")} for mapper in MAPPERS_OF[name]
    ]
    assert sorted(mappers, key=lambda mapper: mapper["name"]) == RECORDED["clientScopes"][name]


def comparable(value: Any) -> Any:
    """Return the value with arrays in order: Keycloak's have none."""
    if isinstance(value, dict):
        return {name: comparable(inner) for name, inner in value.items()}
    return sorted(value, key=str) if isinstance(value, list) else value


def test_a_token_has_the_claims_that_keycloak_gives_it() -> None:
    given, account = RECORDED["client"], RECORDED["serviceAccount"]
    scopes = [
        {"name": name, "protocolMappers": mappers} for name, mappers in RECORDED["clientScopes"].items()
    ]
    stored_realm = change_realm(Realm("r", "demo"), {CLIENT_SCOPES: scopes})
    stored = change_client(Client(uuid=given["id"], realm_id="r", client_id=given["clientId"]), {
        name: value for name, value in given.items() if name not in ("id", "clientId")
    })  # fmt: skip
    roles = RoleSet(
        tuple(account["realmRoles"]), {name: tuple(names) for name, names in account["clientRoles"].items()}
    )
    realm = RealmProjection(
        id="r",
        name="demo",
        realm_roles={name: RoleSet() for name in roles.realm},
        client_roles={owner: {name: RoleSet() for name in names} for owner, names in roles.client.items()},
        scope_mappers={
            scope.name: projected_mappers(scope.mappers) for scope in scopes_of_realm(stored_realm)
        },
    )
    client = ClientProjection(
        uuid=stored.uuid,
        realm_id="r",
        client_id=stored.client_id,
        default_scopes=tuple(given["defaultClientScopes"]),
        roles=roles,
        subject=account["id"],
        mappers=projected_mappers(mappers_in(stored.document, stored.uuid)),
        allowed_origins=allowed_origins(stored.document),
    )
    grant = decide_grant(profile_of(realm, client), None, ())
    claims = {**grant.claims, **dict.fromkeys((path[0] for path in grant.notes), "127.0.0.1")}
    wanted = {name: value for name, value in RECORDED["claims"].items() if name not in OF_EVERY_TOKEN}
    assert claims.pop(ANY_OF_SEVERAL) in claims["realm_access"]["roles"]
    assert wanted.pop(ANY_OF_SEVERAL) in claims["realm_access"]["roles"]
    assert comparable(claims) == comparable(wanted)
    assert sorted(grant.audiences) == sorted(RECORDED["claims"]["aud"])
