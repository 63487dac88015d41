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


def users(**accounts: str) -> list[dict[str, Any]]:
    """Make service accounts with these ids."""
    return [{"id": chosen, "serviceAccountClientId": client_id} for client_id, chosen in accounts.items()]


async def test_no_import_gives_a_service_account_the_id_of_another_one(api: AdminApi) -> None:
    """The id is the subject of its tokens, by which resource servers know who calls."""
    await api.create("", {"realm": "acme"})
    uuid = await api.create("/acme/clients", {"clientId": "victim"})
    of_victim = (await api.call("GET", f"/acme/clients/{uuid}/service-account-user")).json()["id"]
    worker = {"clientId": "worker", "serviceAccountsEnabled": True}
    document = {"clients": [worker], "users": users(worker=of_victim)}
    for if_exists in ("FAIL", "OVERWRITE"):
        for dry_run in ("true", "false"):
            report = await api.call(
                "POST",
                f"/acme/partialImport?dryRun={dry_run}",
                json={**document, "ifResourceExists": if_exists},
            )
            assert any("does not have the id" in note for note in report.json()["results"][0]["notes"]), (
                report.text
            )
        assert (await granted(api, "acme"))[0] != of_victim
    for taken in (of_victim, "1d1d2b5e-0000-4000-8000-000000000001"):
        await api.call("POST", "/acme/partialImport", json={
            "ifResourceExists": "OVERWRITE",
            "clients": [{"clientId": "victim", "serviceAccountsEnabled": True}],
            "users": users(victim=taken),
        })  # fmt: skip
        shown = (await api.call("GET", f"/acme/clients/{uuid}/service-account-user")).json()["id"]
        assert shown == taken, "its own id, or one that nobody has"


async def test_two_service_accounts_of_one_export_do_not_share_an_id(api: AdminApi) -> None:
    chosen = "1d1d2b5e-0000-4000-8000-000000000001"
    document = {
        "realm": "acme",
        "clients": [{"clientId": name, "serviceAccountsEnabled": True} for name in ("orders", "worker")],
        "users": users(orders=chosen, worker=chosen),
    }
    report = (await api.call("POST", "?report=true", json=document)).json()
    assert ["does not have the id" in str(line["notes"]) for line in report["results"]] == [False, True]
    assert (await granted(api, "acme"))[0] != chosen
    document = {**document, "realm": "odd", "users": users(worker=f"{chosen}-and-more")}
    report = (await api.call("POST", "?report=true", json=document)).json()
    assert ["does not have the id" in str(line["notes"]) for line in report["results"]] == [False, True]


async def test_only_who_manages_the_realm_imports_roles_of_the_realm(api: AdminApi) -> None:
    """Another address would not create them for anyone else. Roles of clients are their managers'."""
    await api.create("", {"realm": "acme"})
    for name, admin_roles in (("clients", "manage-clients"), ("both", "manage-clients,manage-realm")):
        attributes = {"keyturn.admin.roles": admin_roles}
        await api.create("/acme/clients", {"clientId": name, "attributes": attributes})
    by_user = {"clients": EXPORT["clients"], "users": EXPORT["users"]}
    of_clients = {**EXPORT, "roles": {"client": EXPORT["roles"]["client"]}, "users": []}

    async def sent(document: dict[str, Any], caller: str, *, dry_run: bool = False) -> int:
        path = f"/acme/partialImport?dryRun={str(dry_run).lower()}"
        document = {**document, "ifResourceExists": "OVERWRITE"}
        return (await api.call("POST", path, json=document, realm="acme", client_id=caller)).status_code

    for document in (EXPORT, by_user):
        for dry_run in (True, False):
            assert await sent(document, "clients", dry_run=dry_run) == 403
    assert (await api.call("GET", "/acme/roles")).json() == []
    assert (await api.call("GET", "/acme/clients?clientId=worker")).json() == []
    assert await sent(of_clients, "clients") == 200
    assert await sent(EXPORT, "both") == 200
    assert [role["name"] for role in (await api.call("GET", "/acme/roles")).json()] == ["all", "payments"]
    assert await sent(EXPORT, "clients") == 200, "the realm has them by now"
