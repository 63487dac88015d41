"""Client scopes of a realm, the lists that contain them, and what clients are granted."""

from typing import Any

import pytest

from keyturn_credentials.store.database import Database
from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.errors import InvalidScopeError
from keyturn_shared.oauth.tokens.grant import decide_grant
from keyturn_shared.projection import client_field, decode_client, decode_realm, projection_value, realm_field
from tests.testkit.admin_api import AdminApi
from tests.testkit.stored_projections import stored_projections

BUILT_IN = {"acr", "basic", "roles", "web-origins", "service_account"}
FOR_USERS = {"profile", "email", "address", "phone", "microprofile-jwt"}


async def make(api: AdminApi, **members: Any) -> str:
    """Realm ``acme`` with a client; the client's path."""
    await api.create("", {"realm": "acme"})
    return f"/acme/clients/{await api.create('/acme/clients', {'clientId': 'orders', **members})}"


async def granted(api: AdminApi, scope: str | None = None) -> str:
    """The scope of a token that a node would issue to the client."""
    fields = [
        realm_field("acme"),
        client_field((await api.call("GET", "/acme")).json()["id"], "orders"),
    ]
    database = Database(api.settings.database_url)
    found = await stored_projections(database, fields)
    await database.close()
    realm, client = (projection_value(0, body) for _, body in (found[field] for field in fields) if body)
    return decide_grant(profile_of(decode_realm(realm)[1], decode_client(client)[1]), scope, ()).scope


async def names(api: AdminApi, path: str) -> list[str]:
    answer = await api.call("GET", path)
    assert answer.status_code == 200, answer.text
    return [scope["name"] for scope in answer.json()]


async def ids(api: AdminApi) -> dict[str, str]:
    return {scope["name"]: scope["id"] for scope in (await api.call("GET", "/acme/client-scopes")).json()}


async def test_a_new_realm_has_keycloaks_scopes_and_names_those_for_users_on_request_only(
    api: AdminApi,
) -> None:
    path = await make(api)
    assert set(await names(api, "/acme/client-scopes")) == BUILT_IN | FOR_USERS
    assert set(await names(api, "/acme/default-default-client-scopes")) == BUILT_IN - {"service_account"}
    assert set(await names(api, "/acme/default-optional-client-scopes")) == FOR_USERS
    assert await names(api, f"{path}/default-client-scopes") == await names(
        api, "/acme/default-default-client-scopes"
    )
    listed = (await api.call("GET", "/acme/default-default-client-scopes")).json()
    assert {(tuple(scope), scope["protocol"]) for scope in listed} == {
        (("id", "name", "protocol"), "openid-connect")
    }
    shown = (await api.call("GET", path)).json()
    assert set(shown["optionalClientScopes"]) == FOR_USERS
    assert await granted(api) == ""
    assert await granted(api, "openid profile email") == "profile email"
    with pytest.raises(InvalidScopeError):
        await granted(api, "orders.read")


async def test_a_moved_client_is_granted_what_its_tokens_named_in_keycloak(api: AdminApi) -> None:
    listed = ["web-origins", "service_account", "acr", "profile", "roles", "basic", "email"]
    await make(api, defaultClientScopes=listed, optionalClientScopes=["address"])
    assert await granted(api) == "profile email"
    assert await granted(api, "address") == "profile email address"


async def test_a_client_keeps_scopes_of_its_own_that_the_realm_does_not_describe(api: AdminApi) -> None:
    path = await make(api, defaultClientScopes=["read"], optionalClientScopes=["write"])
    assert await granted(api, "write") == "read write"
    [shown] = (await api.call("GET", f"{path}/default-client-scopes")).json()
    assert shown["name"] == "read"
    assert (await api.call("DELETE", f"{path}/default-client-scopes/{shown['id']}")).status_code == 204
    assert await granted(api) == ""


async def test_a_scope_is_made_listed_and_removed(api: AdminApi) -> None:
    """And when it is removed, no client is granted it any more, whoever has it in a list."""
    path = await make(api)
    silent = {"include.in.token.scope": "false"}
    for name, attributes in (("read", {}), ("hidden", silent)):
        scope = await api.create("/acme/client-scopes", {"name": name, "attributes": attributes})
        assert (await api.call("PUT", f"{path}/default-client-scopes/{scope}")).status_code == 204
    assert await granted(api) == "read"
    made = await ids(api)
    assert (await api.call("PUT", f"{path}/optional-client-scopes/{made['read']}")).status_code == 204
    assert await granted(api) == "", "a scope is in one of the two lists"
    assert await granted(api, "read") == "read"
    told = await api.call(
        "PUT",
        f"/acme/client-scopes/{made['hidden']}",
        json={"attributes": {"include.in.token.scope": "true"}},
    )
    assert told.status_code == 204
    assert await granted(api) == "hidden"
    for name in ("read", "hidden"):
        assert (await api.call("DELETE", f"/acme/client-scopes/{made[name]}")).status_code == 204
    assert await granted(api) == ""
    with pytest.raises(InvalidScopeError):
        await granted(api, "read")
    shown = (await api.call("GET", path)).json()
    assert "read" not in shown["optionalClientScopes"] + shown["defaultClientScopes"]
    assert not {"read", "hidden"} & set(await ids(api))
    assert (await api.call("GET", f"/acme/client-scopes/{made['read']}")).status_code == 404


async def test_the_realms_lists_are_those_of_clients_without_lists(api: AdminApi) -> None:
    await make(api)
    scope = await api.create("/acme/client-scopes", {"name": "tenant"})
    before = await names(api, "/acme/default-optional-client-scopes")
    for member in ("optional", "default"):
        assert (await api.call("PUT", f"/acme/default-{member}-client-scopes/{scope}")).status_code == 204
    assert await granted(api) == "tenant"
    assert await names(api, "/acme/default-optional-client-scopes") == before
    assert (await api.call("DELETE", f"/acme/default-default-client-scopes/{scope}")).status_code == 204
    assert await granted(api) == ""


@pytest.mark.parametrize(
    "representation",
    [
        {},
        {"name": ""},
        {"name": "two words"},
        {"name": "a", "protocol": "saml"},
        {"name": "a", "attributes": {"x": 1}},
        {"name": "a", "description": 7},
        {"name": "a", "unknown": True},
        {"name": "x" * 256},
    ],
    ids=str,
)
async def test_what_is_no_scope_is_refused(api: AdminApi, representation: dict[str, Any]) -> None:
    await make(api)
    refused = await api.call("POST", "/acme/client-scopes", json=representation)
    assert refused.status_code == 400
    assert set(await names(api, "/acme/client-scopes")) == BUILT_IN | FOR_USERS


async def test_a_scope_has_one_name_for_good(api: AdminApi) -> None:
    await make(api)
    known = await ids(api)
    assert (await api.call("POST", "/acme/client-scopes", json={"name": "email"})).status_code == 409
    renamed = await api.call("PUT", f"/acme/client-scopes/{known['email']}", json={"name": "mail"})
    assert renamed.status_code == 400
    assert (await api.call("PUT", "/acme/client-scopes/nothing", json={})).status_code == 404
    assert await ids(api) == known


async def test_an_imported_realm_has_the_scopes_of_its_export(api: AdminApi) -> None:
    exported = {
        "realm": "acme",
        "clientScopes": [
            {"name": "tenant", "protocol": "openid-connect", "attributes": {}},
            {"name": "quiet", "attributes": {"include.in.token.scope": "false"}},
            {"name": "role_list", "protocol": "saml"},
        ],
        "defaultDefaultClientScopes": ["tenant", "quiet", "role_list"],
        "clients": [{"clientId": "orders", "serviceAccountsEnabled": True}],
    }
    assert (await api.call("POST", "", json=exported)).status_code == 201
    assert await granted(api) == "tenant"
    assert set(await names(api, "/acme/client-scopes")) == {"tenant", "quiet", "role_list"}
    shown = (await api.call("GET", "/acme")).json()
    assert not {"clientScopes", "defaultDefaultClientScopes", "defaultOptionalClientScopes"} & shown.keys()
    assert (await api.call("PUT", "/acme", json=shown)).status_code == 204
    again = (await api.call("POST", "/acme/partial-export")).json()
    assert [scope["name"] for scope in again["clientScopes"]] == ["tenant", "quiet", "role_list"]
    assert again["defaultDefaultClientScopes"] == ["tenant", "quiet", "role_list"]
    broken = {**exported, "realm": "broken", "clientScopes": [{"name": "a"}, {"name": "a"}]}
    assert (await api.call("POST", "", json=broken)).status_code == 400
