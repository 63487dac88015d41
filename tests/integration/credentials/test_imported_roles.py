"""Roles of service accounts come with an import, are in tokens, and go on with the next export."""

from typing import Any

from tests.integration.credentials.granted_roles import granted
from tests.testkit.admin_api import AdminApi

EXPORT: dict[str, Any] = {
    "realm": "acme",
    "roles": {
        "realm": [{"name": "all", "composite": True, "composites": {"client": {"orders": ["read"]}}}],
        "client": {"orders": [{"name": "read"}]},
    },
    "clients": [{"clientId": "orders"}, {"clientId": "worker", "serviceAccountsEnabled": True}],
    "users": [
        {
            "id": "1d1d2b5e-0000-4000-8000-000000000001",
            "username": "service-account-worker",
            "serviceAccountClientId": "worker",
            "realmRoles": ["all", "payments"],
        },
        {"username": "alice", "credentials": [{"value": "hers"}]},
    ],
}
CLAIMS = {
    "realm_access": {"roles": ["all", "payments"]},
    "resource_access": {"orders": {"roles": ["read"]}},
}


async def test_an_imported_service_account_has_its_id_and_its_roles(api: AdminApi) -> None:
    assert (await api.call("POST", "", json=EXPORT)).status_code == 201
    subject, grant = await granted(api, "acme")
    assert subject == EXPORT["users"][0]["id"]
    assert grant.claims == CLAIMS
    assert grant.audiences == ("orders",)
    realm = await api.call("GET", "/acme")
    assert not {"roles", "users"} & realm.json().keys()
    again = (await api.call("POST", "/acme/partial-export?exportClients=true")).json()
    assert "hers" not in str(again)
    assert [user["username"] for user in again["users"]] == ["service-account-worker"]
    copy = {name: value for name, value in again.items() if name != "id"} | {"realm": "copy"}
    copy["clients"] = [
        {name: value for name, value in client.items() if name not in ("id", "secret")}
        for client in again["clients"]
    ]
    made = await api.call("POST", "", json=copy)
    assert made.status_code == 201, made.text
    assert await granted(api, "copy") == (subject, grant)


async def test_a_partial_import_brings_the_roles_that_its_service_accounts_have(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    dry = await api.call("POST", "/acme/partialImport?dryRun=true", json=EXPORT)
    assert dry.status_code == 200, dry.text
    assert (await api.call("POST", "/acme/partialImport", json=EXPORT)).status_code == 200
    assert (await granted(api, "acme"))[1].claims == CLAIMS
    fewer = {**EXPORT, "ifResourceExists": "OVERWRITE", "users": [{**EXPORT["users"][0], "realmRoles": []}]}
    assert (await api.call("POST", "/acme/partialImport", json=fewer)).status_code == 200
    assert (await granted(api, "acme"))[1].claims == {}


async def test_a_role_that_the_realm_loses_is_nobodys(api: AdminApi) -> None:
    assert (await api.call("POST", "", json=EXPORT)).status_code == 201
    left = {"roles": {"realm": [{"name": "payments"}]}}
    assert (await api.call("PUT", "/acme", json=left)).status_code == 204
    assert (await granted(api, "acme"))[1].claims == {"realm_access": {"roles": ["payments"]}}
