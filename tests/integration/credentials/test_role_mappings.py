"""Service accounts as users, and the roles that they were given, in Keycloak's shapes."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from keyturn_credentials.store.database import Database
from tests.integration.credentials.granted_roles import granted, roles_in
from tests.testkit.admin_api import AdminApi

ROLES = "/acme/roles"


@dataclass(frozen=True)
class Scene:
    """Realm ``acme`` with the clients ``worker`` and ``Orders``, whose role is ``read``, and with the realm's
    roles ``all``, composed of ``read``, and ``other``."""

    api: AdminApi
    worker: str
    orders: str
    user: str

    @property
    def mappings(self) -> str:
        return f"/acme/users/{self.user}/role-mappings"

    async def get(self, path: str) -> Any:
        answer = await self.api.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def names(self, path: str) -> list[str]:
        return [role["name"] for role in await self.get(f"{self.mappings}{path}")]

    async def change(self, method: str, path: str, body: Any = None, **request: Any) -> int:
        if body is not None:
            request["json"] = body
        return (await self.api.call(method, f"{self.mappings}{path}", **request)).status_code

    async def roles_in_tokens(self) -> dict[str, Any]:
        return roles_in((await granted(self.api, "acme"))[1])


@pytest.fixture
async def scene(api: AdminApi) -> Scene:
    await api.create("", {"realm": "acme"})
    orders = await api.create("/acme/clients", {"clientId": "Orders"})
    worker = await api.create("/acme/clients", {"clientId": "worker"})
    await api.create(f"/acme/clients/{orders}/roles", {"name": "read"})
    await api.create(ROLES, {"name": "all", "composites": {"client": {"Orders": ["read"]}}})
    await api.create(ROLES, {"name": "other", "attributes": {"team": ["a"]}})
    user = (await api.call("GET", f"/acme/clients/{worker}/service-account-user")).json()["id"]
    return Scene(api, worker, orders, user)


async def test_a_role_is_in_tokens_from_when_it_is_given_until_it_is_taken_away(scene: Scene) -> None:
    every, other = await scene.get(f"{ROLES}/all"), await scene.get(f"{ROLES}/other")
    read = await scene.get(f"/acme/clients/{scene.orders}/roles/read")
    assert await scene.get(scene.mappings) == {}
    assert await scene.change("POST", "/realm", [every, other]) == 204
    assert await scene.change("POST", f"/clients/{scene.orders}", [read]) == 204
    assert await scene.roles_in_tokens() == {
        "realm_access": {"roles": ["all", "other"]},
        "resource_access": {"Orders": {"roles": ["read"]}},
    }
    shown = await scene.get(scene.mappings)
    assert [role["name"] for role in shown["realmMappings"]] == ["all", "other"]
    brief = {name: value for name, value in read.items() if name != "attributes"}
    assert shown["clientMappings"] == {
        "Orders": {"id": scene.orders, "client": "Orders", "mappings": [brief]}
    }
    assert await scene.change("DELETE", f"/clients/{scene.orders}", [read]) == 204
    assert "resource_access" in await scene.roles_in_tokens(), "it is part of all"
    assert await scene.change("DELETE", "/realm", [every]) == 204
    assert await scene.roles_in_tokens() == {"realm_access": {"roles": ["other"]}}
    assert await scene.change("DELETE", "/realm") == 204
    assert await scene.roles_in_tokens() == {}
    entry = (await scene.get("/acme/audit?max=2"))[1]
    assert (entry["action"], entry["client_id"]) == ("client_updated", "worker")
    assert entry["details"] == {"change": "roles taken away", "roles": ["all"], "count": 1}


async def test_lists_of_roles_that_are_given_available_and_effective(scene: Scene) -> None:
    every = await scene.get(f"{ROLES}/all")
    await scene.change("POST", "/realm", [every])
    assert await scene.names("/realm") == ["all"]
    assert await scene.names("/realm/available") == ["other"]
    assert await scene.names("/realm/composite") == ["all"]
    of_client = f"/clients/{scene.orders}"
    assert await scene.names(of_client) == []
    assert await scene.names(f"{of_client}/available") == ["read"]
    assert await scene.names(f"{of_client}/composite") == ["read"]
    assert (await scene.get(f"{scene.mappings}{of_client}/composite"))[0]["containerId"] == scene.orders
    shown = await scene.get(f"{scene.mappings}/realm/composite?briefRepresentation=false")
    assert shown[0]["attributes"] == {}


async def test_what_is_no_role_there_is_refused_and_nothing_is_given(scene: Scene) -> None:
    every = await scene.get(f"{ROLES}/all")
    read = await scene.get(f"/acme/clients/{scene.orders}/roles/read")
    other_id = {**every, "id": read["id"]}
    for path, body, status in (
        ("/realm", [{"name": "all"}], 404),
        ("/realm", [{"id": every["id"]}], 404),
        ("/realm", [other_id], 404),
        ("/realm", [every, read], 404),
        (f"/clients/{scene.orders}", [every], 404),
        (f"/clients/{scene.worker}", [read], 404),
        ("/clients/nothing", [read], 404),
        ("/realm", {}, 400),
        ("/realm", None, 400),
    ):
        for method in ("POST", "DELETE") if body is not None else ("POST",):
            assert await scene.change(method, path, body) == status, (method, path, body)
    assert await scene.get(scene.mappings) == {}
    nobody = "/acme/users/nobody/role-mappings/realm"
    for method in ("GET", "POST", "DELETE"):
        answer = await scene.api.call(method, nobody, json=[every])
        assert (answer.status_code, answer.json()["error"]) == (404, "User not found")


async def test_a_deleted_role_is_nobodys_when_it_is_created_again(scene: Scene) -> None:
    other = await scene.get(f"{ROLES}/other")
    await scene.change("POST", "/realm", [other])
    await scene.api.call("DELETE", f"{ROLES}/other")
    assert await scene.roles_in_tokens() == {}
    await scene.api.create(ROLES, {"name": "other", "id": other["id"]})
    assert await scene.roles_in_tokens() == {}
    assert await scene.get(scene.mappings) == {}
    assert await scene.get(f"{ROLES}/other/users") == []
    assert await scene.change("POST", "/realm", [other]) == 404, "its former id is nobody's"


async def test_a_renamed_role_stays_with_those_who_have_it(scene: Scene) -> None:
    read = await scene.get(f"/acme/clients/{scene.orders}/roles/read")
    await scene.change("POST", f"/clients/{scene.orders}", [read])
    await scene.api.call("PUT", f"/acme/roles-by-id/{read['id']}", json={"name": "get"})
    await scene.api.call("PUT", f"/acme/clients/{scene.orders}", json={"clientId": "sales"})
    assert await scene.roles_in_tokens() == {"resource_access": {"sales": {"roles": ["get"]}}}
    holders = await scene.get(f"/acme/clients/{scene.orders}/roles/get/users")
    assert [user["id"] for user in holders] == [scene.user]


async def test_whoever_has_a_role_is_listed_with_it(scene: Scene) -> None:
    other = await scene.get(f"{ROLES}/other")
    for name in ("b", "a"):
        uuid = await scene.api.create("/acme/clients", {"clientId": name})
        user = (await scene.get(f"/acme/clients/{uuid}/service-account-user"))["id"]
        given = await scene.api.call("POST", f"/acme/users/{user}/role-mappings/realm", json=[other])
        assert given.status_code == 204
    await scene.change("POST", "/realm", [other])

    async def holders(query: str = "") -> list[str]:
        listed = await scene.get(f"{ROLES}/other/users{query}")
        return [user["username"].removeprefix("service-account-") for user in listed]

    assert await holders() == ["a", "b", "worker"]
    assert await holders("?first=1&max=1") == ["b"]
    await scene.api.call("PUT", f"/acme/clients/{scene.worker}", json={"clientId": "c"})
    assert await holders() == ["a", "b", "c"]
    await scene.api.call("PUT", f"/acme/clients/{scene.worker}", json={"serviceAccountsEnabled": False})
    assert await holders() == ["a", "b"], "a client without a service account"
    await scene.api.call("DELETE", f"/acme/clients/{scene.worker}")
    assert await holders("?briefRepresentation=true") == ["a", "b"]
    assert (await scene.api.call("GET", f"{ROLES}/nothing/users")).status_code == 404


async def test_service_accounts_are_found_as_users(scene: Scene) -> None:
    shown = await scene.get(f"/acme/users/{scene.user}")
    assert (shown["username"], shown["access"]["mapRoles"]) == ("service-account-worker", True)

    async def found(query: str) -> list[str]:
        return [user["username"] for user in await scene.get(f"/acme/users{query}")]

    both = ["service-account-orders", "service-account-worker"]
    assert await found("") == await found("?search=worker") == await found("?email=worker") == []
    for query in ("worker", "service-account-worker", "SERVICE-ACCOUNT-Worker&exact=true", "t-work"):
        assert await found(f"?username={query}") == both[1:], query
    for query in ("service-account-orders&exact=true", "ORDERS"):
        assert await found(f"?username={query}") == both[:1], query
    for query in ("service", "service-account-", "r"):
        assert await found(f"?username={query}") == both, query
    assert await found("?username=worker&exact=true") == await found("?username=x-worker") == []
    assert await found("?username=service&first=1&max=1") == both[1:]
    assert await found("?username=service&max=0") == []
    assert (await scene.api.call("GET", "/acme/users/nobody")).status_code == 404


async def test_an_account_that_an_earlier_build_wrote_is_found(scene: Scene) -> None:
    database = Database(scene.api.settings.database_url)
    async with database.migrating() as connection:
        await connection.execute(text("UPDATE clients SET service_account_id = NULL"))
    await database.close()
    other = await scene.get(f"{ROLES}/other")
    assert await scene.change("POST", "/realm", [other]) == 204
    assert [user["id"] for user in await scene.get(f"{ROLES}/other/users")] == [scene.user]
    assert (await scene.api.call("GET", "/acme/users/nobody")).status_code == 404


async def test_roles_of_a_stronger_clients_account_are_given_by_whoever_has_its_power(scene: Scene) -> None:
    attributes = {"keyturn.admin.roles": "manage-clients"}
    await scene.api.create("/acme/clients", {"clientId": "caller", "attributes": attributes})
    other = await scene.get(f"{ROLES}/other")
    own = {"realm": "acme", "client_id": "caller"}
    assert await scene.change("POST", "/realm", [other], **own) == 204
    stronger = {"attributes": {"keyturn.admin.roles": "manage-realm"}}
    await scene.api.call("PUT", f"/acme/clients/{scene.worker}", json=stronger)
    for method in ("POST", "DELETE"):
        assert await scene.change(method, "/realm", [other], **own) == 403
    assert await scene.names("/realm") == ["other"]


async def test_a_role_that_would_seem_to_give_power_over_keyturn_is_not_given(api: AdminApi) -> None:
    """An import may bring it; it has no power."""
    document = {"clients": [], "roles": {"realm": [{"name": "admin"}]}}
    assert (await api.call("POST", "/master/partialImport", json=document)).status_code == 200
    uuid = await api.create("/master/clients", {"clientId": "worker"})
    user = (await api.call("GET", f"/master/clients/{uuid}/service-account-user")).json()["id"]
    role = (await api.call("GET", "/master/roles/admin")).json()
    refused = await api.call("POST", f"/master/users/{user}/role-mappings/realm", json=[role])
    assert refused.status_code == 400
    assert "keyturn.admin.roles" in refused.json()["detail"]
