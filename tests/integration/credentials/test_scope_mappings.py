"""Scope mappings of clients and of client scopes, in Keycloak's shapes, and what they do to tokens."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.credentials.granted_roles import granted, roles_in
from tests.testkit.admin_api import AdminApi


@dataclass(frozen=True)
class Scene:
    """Realm ``acme`` with client ``worker``, which has every role and no full scope, and client scope
    ``tenant``, which it has by default."""

    api: AdminApi
    worker: str
    orders: str
    scope: str

    @property
    def holders(self) -> tuple[str, str]:
        return (
            f"/acme/clients/{self.worker}/scope-mappings",
            f"/acme/client-scopes/{self.scope}/scope-mappings",
        )

    async def get(self, path: str) -> Any:
        answer = await self.api.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def names(self, path: str) -> list[str]:
        return [role["name"] for role in await self.get(path)]

    async def change(self, method: str, path: str, body: Any = None) -> int:
        return (await self.api.call(method, path, **({} if body is None else {"json": body}))).status_code

    async def claims(self) -> dict[str, Any]:
        return roles_in((await granted(self.api, "acme"))[1])


@pytest.fixture
async def scene(api: AdminApi) -> Scene:
    await api.create("", {"realm": "acme"})
    orders = await api.create("/acme/clients", {"clientId": "orders"})
    scope = await api.create("/acme/client-scopes", {"name": "tenant"})
    scopes = {"defaultClientScopes": ["roles", "tenant"], "optionalClientScopes": []}
    worker = await api.create("/acme/clients", {"clientId": "worker", "fullScopeAllowed": False, **scopes})
    await api.create(f"/acme/clients/{orders}/roles", {"name": "read"})
    await api.create("/acme/roles", {"name": "part"})
    await api.create("/acme/roles", {"name": "all", "composites": {"realm": ["part"]}})
    user = (await api.call("GET", f"/acme/clients/{worker}/service-account-user")).json()["id"]
    for kind, path in (("realm", "roles"), (f"clients/{orders}", f"clients/{orders}/roles")):
        roles = (await api.call("GET", f"/acme/{path}")).json()
        given = await api.call("POST", f"/acme/users/{user}/role-mappings/{kind}", json=roles)
        assert given.status_code == 204
    return Scene(api, worker, orders, scope)


@pytest.mark.parametrize("index", [0, 1], ids=["client", "client scope"])
async def test_roles_are_in_tokens_while_they_are_in_scope(scene: Scene, index: int) -> None:
    path = scene.holders[index]
    every, part = await scene.get("/acme/roles")
    [read] = await scene.get(f"/acme/clients/{scene.orders}/roles")
    assert await scene.claims() == await scene.get(path) == {}
    assert await scene.change("POST", f"{path}/realm", [{"id": every["id"]}]) == 204
    assert await scene.change("POST", f"{path}/clients/{scene.orders}", [{"name": "read"}]) == 204
    assert await scene.claims() == {
        "realm_access": {"roles": ["all", "part"]},
        "resource_access": {"orders": {"roles": ["read"]}},
    }
    assert await scene.get(path) == {
        "realmMappings": [every],
        "clientMappings": {"orders": {"id": scene.orders, "client": "orders", "mappings": [read]}},
    }
    assert await scene.names(f"{path}/realm") == ["all"]
    assert await scene.names(f"{path}/realm/available") == ["part"]
    assert await scene.names(f"{path}/realm/composite") == ["all", "part"]
    of_client = f"{path}/clients/{scene.orders}"
    for part_of, names in (("", ["read"]), ("/available", []), ("/composite", ["read"])):
        assert await scene.names(f"{of_client}{part_of}") == names
    assert await scene.change("DELETE", f"{path}/realm", [every]) == 204
    assert await scene.change("POST", f"{path}/realm", [part]) == 204
    assert (await scene.claims())["realm_access"] == {"roles": ["part"]}
    assert await scene.change("DELETE", f"{path}/realm") == 204
    assert await scene.change("DELETE", of_client) == 204
    assert await scene.claims() == await scene.get(path) == {}
    audit = (await scene.get("/acme/audit?max=1"))[0]
    assert audit["details"]["change"] == "roles removed"


async def test_a_client_with_full_scope_has_every_role_in_scope(scene: Scene) -> None:
    path = scene.holders[0]
    assert await scene.names(f"{path}/realm/composite") == []
    await scene.api.call("PUT", f"/acme/clients/{scene.worker}", json={"fullScopeAllowed": True})
    assert await scene.names(f"{path}/realm/composite") == ["all", "part"]
    assert await scene.names(f"{path}/clients/{scene.orders}/composite") == ["read"]


async def test_mappings_end_with_what_they_are_about(scene: Scene) -> None:
    of_client, of_scope = scene.holders
    [read] = await scene.get(f"/acme/clients/{scene.orders}/roles")
    for path in scene.holders:
        await scene.change("POST", f"{path}/clients/{scene.orders}", [read])
    await scene.change("DELETE", f"/acme/clients/{scene.orders}/roles/read")
    assert await scene.get(of_client) == await scene.get(of_scope) == {}
    every = (await scene.get("/acme/roles"))[0]
    for path in scene.holders:
        await scene.change("POST", f"{path}/realm", [every])
    await scene.change("DELETE", f"/acme/client-scopes/{scene.scope}")
    again = await scene.api.create("/acme/client-scopes", {"name": "tenant"})
    assert await scene.get(f"/acme/client-scopes/{again}/scope-mappings") == {}
    await scene.api.call("PUT", f"/acme/clients/{scene.worker}", json={"clientId": "renamed"})
    assert await scene.names(f"{of_client}/realm") == ["all"]
    await scene.change("DELETE", f"/acme/clients/{scene.worker}")
    worker = await scene.api.create("/acme/clients", {"clientId": "renamed"})
    assert await scene.get(f"/acme/clients/{worker}/scope-mappings") == {}


async def test_what_is_no_role_there_is_refused(scene: Scene) -> None:
    every = (await scene.get("/acme/roles"))[0]
    for path in scene.holders:
        for method in ("POST", "DELETE"):
            assert await scene.change(method, f"{path}/realm", [{"id": "nothing"}]) == 404
            assert await scene.change(method, f"{path}/clients/{scene.orders}", [every]) == 404
            assert await scene.change(method, f"{path}/clients/nothing", []) == 404
            assert await scene.change(method, f"{path}/realm", {}) == 400
        assert await scene.change("POST", f"{path}/realm") == 400
        assert await scene.get(path) == {}
    for path in ("/acme/clients/nothing", "/acme/client-scopes/nothing"):
        assert await scene.change("POST", f"{path}/scope-mappings/realm", []) == 404


async def test_scope_mappings_go_on_with_an_export(scene: Scene) -> None:
    every = (await scene.get("/acme/roles"))[0]
    for path in scene.holders:
        await scene.change("POST", f"{path}/realm", [every])
        await scene.change("POST", f"{path}/clients/{scene.orders}", [{"name": "read"}])
    exported = (await scene.api.call("POST", "/acme/partial-export?exportClients=true")).json()
    copy = {name: value for name, value in exported.items() if name != "id"} | {"realm": "copy"}
    copy["clients"] = [
        {name: value for name, value in client.items() if name not in ("id", "secret")}
        for client in exported["clients"]
    ]
    made = await scene.api.call("POST", "", json=copy)
    assert made.status_code == 201, made.text
    assert roles_in((await granted(scene.api, "copy"))[1]) == await scene.claims() != {}
    again = (await scene.api.call("POST", "/copy/partial-export")).json()
    for member in ("roles", "scopeMappings", "clientScopeMappings"):
        assert again[member] == exported[member]
