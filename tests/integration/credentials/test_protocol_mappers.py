"""Protocol mappers of clients and client scopes, from the admin API to what nodes get to know."""

from typing import Any

import pytest

from keyturn_credentials.store.database import Database
from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant
from keyturn_shared.projection import client_field, decode_client, decode_realm, projection_value, realm_field
from tests.testkit.admin_api import AdminApi
from tests.testkit.stored_projections import stored_projections

IN_TOKENS = {"access.token.claim": "true"}


def hardcoded(name: str, claim: str, value: str, **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": "oidc-hardcoded-claim-mapper",
        "config": {"claim.name": claim, "claim.value": value, **IN_TOKENS},
        **members,
    }


AUDIENCE = {
    "name": "api",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.custom.audience": "https://api.example", **IN_TOKENS},
}


async def make(api: AdminApi, **members: Any) -> str:
    """Create realm acme with a client; return the client's path."""
    await api.create("", {"realm": "acme"})
    return f"/acme/clients/{await api.create('/acme/clients', {'clientId': 'orders', **members})}"


async def granted(api: AdminApi, scope: str | None = None, realm: str = "acme") -> Grant:
    """Return what a token of client orders would contain, by what nodes get to know."""
    realm_id = (await api.call("GET", f"/{realm}")).json()["id"]
    fields = [realm_field(realm), client_field(realm_id, "orders")]
    database = Database(api.settings.database_url)
    found = await stored_projections(database, fields)
    await database.close()
    of_realm, of_client = (projection_value(0, body) for _, body in (found[each] for each in fields) if body)
    profile = profile_of(decode_realm(of_realm)[1], decode_client(of_client)[1])
    return decide_grant(profile, scope, ())


async def scope_path(api: AdminApi, name: str) -> str:
    scopes = (await api.call("GET", "/acme/client-scopes")).json()
    return next(f"/acme/client-scopes/{scope['id']}" for scope in scopes if scope["name"] == name)


async def test_mappers_of_a_client_are_in_force_from_one_call_to_the_next(api: AdminApi) -> None:
    models = f"{await make(api)}/protocol-mappers/models"
    made = await api.call("POST", models, json=hardcoded("tier", "a.tier", "gold"))
    assert made.status_code == 201, made.text
    assert int(made.headers["keyturn-sequence"]) > 0
    assert "keyturn-notice" not in made.headers
    one = f"{models}/{made.headers['location'].rpartition('/')[2]}"
    assert made.headers["location"].endswith(one)
    assert (await granted(api)).claims == {"a": {"tier": "gold"}}
    shown = (await api.call("GET", one)).json()
    assert shown["config"]["introspection.token.claim"] == "true"
    assert (await api.call("GET", models)).json() == [shown]
    changed = {**shown, "config": {**shown["config"], "claim.value": "iron"}}
    assert (await api.call("PUT", one, json=changed)).status_code == 204
    assert (await granted(api)).claims == {"a": {"tier": "iron"}}
    assert (await api.call("DELETE", one)).status_code == 204
    assert (await granted(api)).claims == {}
    for method in ("GET", "DELETE"):
        gone = await api.call(method, one)
        assert (gone.status_code, gone.json()["errorMessage"]) == (404, "Model not found")


async def test_several_are_added_at_once_or_none(api: AdminApi) -> None:
    path = f"{await make(api)}/protocol-mappers"
    several = [hardcoded("a", "a", "1"), AUDIENCE]
    assert (await api.call("POST", f"{path}/add-models", json=several)).status_code == 204
    assert (await granted(api)).audiences == ("https://api.example",)
    for wrong, status in (
        ([hardcoded("b", "b", "1"), AUDIENCE], 409),
        ([hardcoded("b", "b", "1"), hardcoded("c", "iss", "x")], 400),
        ({"name": "b"}, 400),
        ([1], 400),
    ):
        answer = await api.call("POST", f"{path}/add-models", json=wrong)
        assert answer.status_code == status, answer.text
    listed = (await api.call("GET", f"{path}/protocol/openid-connect")).json()
    assert [mapper["name"] for mapper in listed] == ["a", "api"]
    assert (await api.call("GET", f"{path}/protocol/saml")).json() == []


async def test_a_mapper_of_a_scope_is_in_the_tokens_that_have_the_scope(api: AdminApi) -> None:
    await make(api)
    await api.create("/acme/client-scopes", {"name": "tenant"})
    path = await scope_path(api, "tenant")
    models = f"{path}/protocol-mappers/models"
    made = await api.call("POST", models, json=hardcoded("tenant", "tenant", "blue"))
    assert made.status_code == 201, made.text
    assert (await api.call("GET", path)).json()["protocolMappers"][0]["name"] == "tenant"
    scope_id = path.rpartition("/")[2]
    await api.call("PUT", f"/acme/default-optional-client-scopes/{scope_id}")
    assert (await granted(api)).claims == {}
    assert (await granted(api, "tenant")).claims == {"tenant": "blue"}
    await api.call("PUT", f"/acme/default-default-client-scopes/{scope_id}")
    assert (await granted(api)).claims == {"tenant": "blue"}
    one = f"{models}/{made.headers['location'].rpartition('/')[2]}"
    assert (await api.call("PUT", one, json=hardcoded("tenant", "tenant", "red"))).status_code == 204
    assert (await granted(api)).claims == {"tenant": "red"}
    assert (await api.call("DELETE", one)).status_code == 204
    assert (await granted(api)).claims == {}
    assert (await api.call("GET", f"{path}/protocol-mappers/protocol/openid-connect")).json() == []


@pytest.mark.parametrize("whose", ["client", "scope"])
async def test_what_no_mapper_may_set_is_refused_and_changes_nothing(api: AdminApi, whose: str) -> None:
    path = await make(api)
    owner = path if whose == "client" else await scope_path(api, "roles")
    models = f"{owner}/protocol-mappers/models"
    before = (await api.call("GET", models)).json()
    sequence = (await api.call("GET", "/acme/event-log")).json()
    for claim in ("iss", "azp", "client_uuid", "aud", "cnf.jkt", "realm_access.roles"):
        refused = await api.call("POST", models, json=hardcoded("evil", claim, "x"))
        assert refused.status_code == 400
        assert f"must not set the claim {claim.partition('.')[0]}" in refused.json()["errorMessage"]
        whole = {"protocolMappers": [*before, hardcoded("evil", claim, "x")]}
        assert (await api.call("PUT", owner, json=whole)).status_code == 400
    assert (await api.call("GET", models)).json() == before
    assert (await api.call("GET", "/acme/event-log")).json() == sequence


async def test_what_has_no_effect_is_kept_shown_and_told(api: AdminApi) -> None:
    path = await make(api)
    own = {"name": "own\u00e9", "protocolMapper": "script-own.js", "config": {"any": "thing"}}
    made = await api.call("POST", f"{path}/protocol-mappers/models", json=own)
    assert made.status_code == 201
    assert made.headers["keyturn-notice"] == (
        "protocol mapper own? (script-own.js) has no effect: keyturn has no mapper of this type"
    )
    [shown] = (await api.call("GET", f"{path}/protocol-mappers/models")).json()
    assert shown["config"] == {"any": "thing"}
    whole = (await api.call("GET", path)).json()
    assert whole["protocolMappers"] == [shown]
    put = await api.call("PUT", path, json=whole)
    assert "script-own.js" in put.headers["keyturn-notice"]
    scope = {"name": "tenant", "protocolMappers": [own]}
    created = await api.call("POST", "/acme/client-scopes", json=scope)
    assert "script-own.js" in created.headers["keyturn-notice"]
    other = await api.call("POST", "/acme/clients", json={"clientId": "b", "protocolMappers": [own]})
    assert "script-own.js" in other.headers["keyturn-notice"]


async def test_each_change_is_in_the_audit_log_with_the_mapper(api: AdminApi) -> None:
    models = f"{await make(api)}/protocol-mappers/models"
    made = await api.call("POST", models, json=hardcoded("tier", "tier", "gold"))
    mapper_id = made.headers["location"].rpartition("/")[2]
    await api.call("DELETE", f"{models}/{mapper_id}")
    entries = (await api.call("GET", "/acme/audit")).json()
    details = [entry["details"] for entry in entries if "protocol_mapper" in str(entry["details"])]
    assert sorted(details, key=str) == [{"protocol_mapper_id": mapper_id}, {"protocol_mappers": ["tier"]}]


async def test_mappers_survive_an_export_and_an_import(api: AdminApi) -> None:
    path = await make(api, protocolMappers=[AUDIENCE, hardcoded("tier", "tier", "gold")])
    scope = await scope_path(api, "roles")
    await api.call("POST", f"{scope}/protocol-mappers/models", json=hardcoded("more", "more", "x"))
    before = await granted(api)
    assert before.claims == {"tier": "gold", "more": "x"}
    exported = (await api.call("POST", "/acme/partial-export?exportClients=true")).json()
    assert (
        exported["clients"][0]["protocolMappers"] == (await api.call("GET", path)).json()["protocolMappers"]
    )
    assert (await api.call("DELETE", "/acme")).status_code == 204
    assert (await api.call("POST", "", json=exported)).status_code == 201
    assert await granted(api) == before
    again = (await api.call("POST", "/acme/partial-export?exportClients=true")).json()
    assert again["clientScopes"] == exported["clientScopes"]
    assert again["clients"][0]["protocolMappers"] == exported["clients"][0]["protocolMappers"]


async def test_a_realm_of_keycloaks_gives_its_service_accounts_keycloaks_claims(api: AdminApi) -> None:
    """The scopes of a real export, in the form that Keycloak 26.7 writes."""
    await make(api)
    scopes = (await api.call("GET", "/acme/client-scopes")).json()
    listed = ["web-origins", "service_account", "acr", "profile", "roles", "basic", "email"]
    organization = {
        "name": "organization",
        "protocol": "openid-connect",
        "protocolMappers": [
            {"name": "organization", "protocol": "openid-connect", "consentRequired": False}
            | {
                "protocolMapper": "oidc-organization-membership-mapper",
                "config": {"claim.name": "organization"},
            }
        ],
    }
    export = {
        "realm": "moved",
        "keycloakVersion": "26.7.3",
        "clientScopes": [*scopes, organization],
        "defaultDefaultClientScopes": listed,
        "clients": [
            {
                "clientId": "orders",
                "serviceAccountsEnabled": True,
                "webOrigins": ["+"],
                "redirectUris": ["https://orders.example/*"],
                "defaultClientScopes": listed,
            }
        ],
    }
    made = await api.call("POST", "?report=true", json=export)
    assert made.status_code == 201, made.text
    assert made.json()["realm"]["notes"] == []
    grant = await granted(api, realm="moved")
    assert grant.claims == {
        "client_id": "orders",
        "preferred_username": "service-account-orders",
        "email_verified": False,
        "allowed-origins": ["https://orders.example"],
    }
    assert sorted(grant.notes) == [("clientAddress",), ("clientHost",)]


async def test_lightweight_tokens_have_what_is_for_them(api: AdminApi) -> None:
    for_it = hardcoded("b", "b", "2")
    for_it["config"]["lightweight.claim"] = "true"
    path = await make(api, protocolMappers=[hardcoded("a", "a", "1"), for_it])
    attributes = {"client.use.lightweight.access.token.enabled": "true"}
    assert (await api.call("PUT", path, json={"attributes": attributes})).status_code == 204
    assert (await granted(api)).claims == {"b": "2"}
