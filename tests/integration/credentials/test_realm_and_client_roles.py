"""Roles of a realm and of its clients, in Keycloak's shapes."""

from typing import Any

import pytest

from tests.testkit.admin_api import AdminApi

ROLES = "/acme/roles"
NO_COMPOSITE = "Could not find composite role"
NO_BODY = "the body must be a JSON array of roles, each with its id"


async def shown(api: AdminApi, path: str) -> Any:
    answer = await api.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(api: AdminApi, path: str) -> list[str]:
    return [role["name"] for role in await shown(api, path)]


async def make(api: AdminApi) -> tuple[str, str]:
    """Realm ``acme`` with client ``orders``, its role ``read``, and the realm's roles ``all`` and ``other``.
    Return the realm's id and the client's."""
    await api.create("", {"realm": "acme"})
    uuid = await api.create("/acme/clients", {"clientId": "orders"})
    await api.create(f"/acme/clients/{uuid}/roles", {"name": "read", "attributes": {"team": ["a", "b"]}})
    composites = {"client": {"orders": ["read"]}}
    await api.create(ROLES, {"name": "all", "description": "Everything", "composites": composites})
    await api.create(ROLES, {"name": "other"})
    return (await shown(api, "/acme"))["id"], uuid


async def test_roles_are_shown_as_in_keycloak(api: AdminApi) -> None:
    realm_id, uuid = await make(api)
    role = await shown(api, f"{ROLES}/all")
    assert role == {
        "id": role["id"],
        "name": "all",
        "description": "Everything",
        "composite": True,
        "clientRole": False,
        "containerId": realm_id,
        "attributes": {},
    }
    brief = {name: value for name, value in role.items() if name != "attributes"}
    assert (await shown(api, ROLES))[0] == brief
    read = await shown(api, f"/acme/clients/{uuid}/roles/read")
    assert (read["clientRole"], read["containerId"]) == (True, uuid)
    assert read["attributes"] == {"team": ["a", "b"]}
    for path in (f"{ROLES}/all/composites", f"{ROLES}/all/composites/clients/{uuid}"):
        assert [each["id"] for each in await shown(api, path)] == [read["id"]]
    assert await shown(api, f"{ROLES}/all/composites/realm") == []
    assert await shown(api, f"/acme/roles-by-id/{read['id']}") == read
    assert (await api.call("GET", "/acme")).json().keys().isdisjoint({"roles", "scopeMappings"})


async def test_lists_of_roles_are_searched_and_paged(api: AdminApi) -> None:
    await make(api)
    assert await names(api, ROLES) == ["all", "other"]
    assert await names(api, f"{ROLES}?search=EVERY") == ["all"]
    assert await names(api, f"{ROLES}?search=o&first=0&max=1") == ["other"]
    assert await names(api, f"{ROLES}?first=1&max=5") == ["other"]
    assert await names(api, f"{ROLES}?first=-1&max=-1") == ["all", "other"]
    assert "attributes" in (await shown(api, f"{ROLES}?briefRepresentation=false"))[0]
    assert (await api.call("GET", f"{ROLES}?first=many")).status_code == 400


async def test_a_role_is_changed_renamed_and_deleted_by_name_and_by_id(api: AdminApi) -> None:
    _, uuid = await make(api)
    role = await shown(api, f"{ROLES}/other")
    changed = await api.call("PUT", f"{ROLES}/other", json={**role, "name": "new", "description": "New"})
    assert (changed.status_code, changed.text) == (204, "")
    assert int(changed.headers["keyturn-sequence"]) > 0
    assert (await api.call("GET", f"{ROLES}/other")).status_code == 404
    path = f"/acme/roles-by-id/{role['id']}"
    assert (await shown(api, path))["description"] == "New"
    assert (await api.call("PUT", path, json={"name": "all"})).status_code == 409
    assert (await api.call("POST", f"{path}/composites", json=[role])).status_code == 204
    assert (await shown(api, path))["composite"] is True
    assert (await api.call("DELETE", f"{path}/composites", json=[{"id": role["id"]}])).status_code == 204
    assert (await api.call("DELETE", path)).status_code == 204
    assert (await api.call("DELETE", path)).status_code == 404
    assert (await api.call("DELETE", f"/acme/clients/{uuid}/roles/read")).status_code == 204
    assert await names(api, f"{ROLES}/all/composites") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "roles", {"name": "all"}, 409, "Role with name all already exists"),
        ("POST", "roles", {}, 400, "role has no name"),
        (
            "POST",
            "roles",
            {"name": "n", "composites": {"realm": ["no"]}},
            404,
            NO_COMPOSITE,
        ),
        ("PUT", "roles/all", {"description": "d"}, 400, "role has no name"),
        ("PUT", "roles/no", {"name": "n"}, 404, "Could not find role"),
        ("POST", "roles/all/composites", [{"name": "other"}], 404, NO_COMPOSITE),
        ("POST", "roles/all/composites", [{"id": "no"}], 404, NO_COMPOSITE),
        ("POST", "roles/all/composites", {"id": "no"}, 400, "the body must be a JSON array of objects"),
        (
            "DELETE",
            "roles/all/composites",
            None,
            400,
            "the body must be a JSON array of roles, each with its id",
        ),
        ("GET", "roles/all/composites/clients/no", None, 404, "Could not find client"),
        ("GET", "clients/no/roles", None, 404, "Could not find client"),
        ("POST", "clients/no/roles", {"name": "n"}, 404, "Could not find client"),
        ("GET", "roles-by-id/no", None, 404, "Could not find role with id"),
        ("PUT", "roles-by-id/no", {"name": "n"}, 404, "Could not find role with id"),
    ],
)
async def test_refusals_have_keycloaks_status_and_change_nothing(
    api: AdminApi, method: str, path: str, body: Any, status: int, text: str
) -> None:
    await make(api)
    before = await shown(api, f"{ROLES}?briefRepresentation=false")
    request = {} if body is None else {"json": body}
    refused = await api.call(method, f"/acme/{path}", **request)
    assert (refused.status_code, refused.json()["errorMessage"]) == (status, text)
    assert await shown(api, f"{ROLES}?briefRepresentation=false") == before


async def test_who_manages_clients_changes_their_roles_and_not_the_realms(api: AdminApi) -> None:
    """Also by id, where the role decides which permission is required."""
    _, uuid = await make(api)
    for name in ("manage-clients", "manage-realm"):
        attributes = {"keyturn.admin.roles": name}
        await api.create("/master/clients", {"clientId": name, "attributes": attributes})
    of_realm = (await shown(api, f"{ROLES}/all"))["id"]
    of_client = (await shown(api, f"/acme/clients/{uuid}/roles/read"))["id"]
    for caller, role, path, status in (
        ("manage-clients", of_realm, f"{ROLES}/all", 403),
        ("manage-realm", of_client, f"/acme/clients/{uuid}/roles/read", 403),
        ("manage-clients", of_client, f"/acme/clients/{uuid}/roles/read", 204),
        ("manage-realm", of_realm, f"{ROLES}/all", 204),
    ):
        name = path.rpartition("/")[2]
        for address in (path, f"/acme/roles-by-id/{role}"):
            answer = await api.call("PUT", address, client_id=caller, json={"name": name})
            assert answer.status_code == status, (caller, address)
        deleted = await api.call("DELETE", f"/acme/roles-by-id/{role}", client_id=caller)
        assert deleted.status_code == status


async def test_roles_go_with_their_client_and_follow_it_to_a_new_id(api: AdminApi) -> None:
    _, uuid = await make(api)
    read = await shown(api, f"/acme/clients/{uuid}/roles/read")
    assert (await api.call("PUT", f"/acme/clients/{uuid}", json={"clientId": "sales"})).status_code == 204
    assert await shown(api, f"/acme/clients/{uuid}/roles/read") == read
    assert await names(api, f"{ROLES}/all/composites") == ["read"]
    other = await api.create("/acme/clients", {"clientId": "orders"})
    assert await names(api, f"/acme/clients/{other}/roles") == []
    assert (await api.call("DELETE", f"/acme/clients/{uuid}")).status_code == 204
    assert await names(api, f"{ROLES}/all/composites") == []
    again = await api.create("/acme/clients", {"clientId": "sales"})
    assert await names(api, f"/acme/clients/{again}/roles") == []
    assert (await api.call("GET", f"/acme/roles-by-id/{read['id']}")).status_code == 404


async def test_every_change_of_a_role_is_in_the_audit_log(api: AdminApi) -> None:
    _, uuid = await make(api)
    await api.call("DELETE", f"/acme/clients/{uuid}/roles/read")
    entry = (await shown(api, "/acme/audit?max=1"))[0]
    assert entry["action"] == "realm_updated"
    assert entry["details"] == {"role": "read", "change": "deleted", "of_client": "orders"}


async def test_roles_are_exported_with_their_ids_and_attributes(api: AdminApi) -> None:
    _, uuid = await make(api)
    ids = {role["name"]: role["id"] for role in await shown(api, ROLES)}
    exported = (await api.call("POST", "/acme/partial-export?exportClients=true")).json()
    copy = {name: value for name, value in exported.items() if name != "id"} | {"realm": "copy"}
    copy["clients"] = [{"clientId": client["clientId"]} for client in exported["clients"]]
    assert (await api.call("POST", "", json=copy)).status_code == 201
    assert {role["name"]: role["id"] for role in await shown(api, "/copy/roles")} == ids
    again = (await api.call("POST", "/copy/partial-export")).json()
    assert again["roles"] == exported["roles"]
    assert exported["roles"]["client"]["orders"][0]["attributes"] == {"team": ["a", "b"]}
    await api.call("DELETE", f"/acme/clients/{uuid}")
