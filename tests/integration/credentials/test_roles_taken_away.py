"""A role that was taken away is gone from what every node says of a token, once the call has returned."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.testkit.admin_api import BASE_URL, AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import RunningNode, basic, eventually, running_node

SECRET = "the secret of the worker"
ROLES = "/acme/roles"


@dataclass(frozen=True)
class Scene:
    """Realm ``acme``, its client ``worker`` with the roles ``all``, composed of ``part``, and ``read`` of the
    client ``orders``, and two nodes."""

    api: AdminApi
    nodes: tuple[RunningNode, ...]
    orders: str
    user: str

    async def change(self, method: str, path: str, body: Any = None) -> None:
        """Make a change and return once every node has applied it."""
        request = {} if body is None else {"json": body}
        answer = await self.api.call(method, path, headers={"Prefer": "wait=30"}, **request)
        assert answer.status_code < 300, answer.text
        assert answer.headers["preference-applied"] == "wait"

    async def role(self, path: str) -> Any:
        return (await self.api.call("GET", path)).json()

    async def token(self) -> str:
        answer = await self.nodes[0].token_by_secret("acme", "worker", SECRET)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def said(self, token: str) -> tuple[list[str], list[str]] | None:
        """Return the roles of the realm and of ``orders`` that all nodes agree on; None for a token that has
        ended."""
        answers = []
        for node in self.nodes:
            introspected = await node.http.post(
                "/realms/acme/protocol/openid-connect/token/introspect",
                data={"token": token},
                headers={"Authorization": basic("worker", SECRET)},
            )
            verified = await node.http.post(
                "/realms/acme/verify",
                json={"tokens": [token]},
                headers={"Authorization": basic("worker", SECRET)},
            )
            assert introspected.status_code == 200, introspected.text
            [result] = verified.json()["results"]
            answers += [_roles(introspected.json()), _roles(result.get("claims", {}))]
        assert all(answer == answers[0] for answer in answers), answers
        return answers[0]


def _roles(claims: dict[str, Any]) -> tuple[list[str], list[str]] | None:
    if "exp" not in claims:
        return None
    of_client = claims.get("resource_access", {}).get("orders", {})
    return claims.get("realm_access", {}).get("roles", []), of_client.get("roles", [])


@pytest.fixture
async def scene(tmp_path: Path, redis_url: str) -> AsyncIterator[Scene]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, fleet_keys=FLEET_KEY)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(running(settings))
        nodes = []
        for _ in range(2):
            node = running_node(redis_url, public_url=BASE_URL, wait=False, credentials=api.app)
            nodes.append(await stack.enter_async_context(node))
        for started in nodes:
            await eventually(started.ready)
        await api.create("", {"realm": "acme"})
        orders = await api.create("/acme/clients", {"clientId": "orders"})
        worker = await api.create("/acme/clients", {"clientId": "worker", "secret": SECRET})
        await api.create(f"/acme/clients/{orders}/roles", {"name": "read"})
        await api.create(ROLES, {"name": "part"})
        await api.create(ROLES, {"name": "all", "composites": {"realm": ["part"]}})
        user = (await api.call("GET", f"/acme/clients/{worker}/service-account-user")).json()["id"]
        made = Scene(api, tuple(nodes), orders, user)
        mappings = f"/acme/users/{user}/role-mappings"
        await made.change("POST", f"{mappings}/realm", [await made.role(f"{ROLES}/all")])
        read = await made.role(f"/acme/clients/{orders}/roles/read")
        await made.change("POST", f"{mappings}/clients/{orders}", [read])
        yield made


async def test_every_way_to_lose_a_role_takes_it_out_of_tokens_at_once(scene: Scene) -> None:
    token = await scene.token()
    assert await scene.said(token) == (["all", "part"], ["read"])
    part = await scene.role(f"{ROLES}/part")
    await scene.change("DELETE", f"{ROLES}/all/composites", [part])
    assert await scene.said(token) == (["all"], ["read"])
    every = await scene.role(f"{ROLES}/all")
    await scene.change("DELETE", f"/acme/users/{scene.user}/role-mappings/realm", [every])
    assert await scene.said(token) == ([], ["read"])
    await scene.change("DELETE", f"/acme/clients/{scene.orders}/roles/read")
    assert await scene.said(token) == ([], [])
    await scene.change("POST", f"/acme/clients/{scene.orders}/roles", {"name": "read"})
    await scene.change("POST", ROLES, {"name": "new"})
    assert await scene.said(token) == await scene.said(await scene.token()) == ([], [])


async def test_the_roles_of_a_deleted_client_are_gone_with_it(scene: Scene) -> None:
    token = await scene.token()
    await scene.change("DELETE", f"/acme/clients/{scene.orders}")
    assert await scene.said(token) == (["all", "part"], [])
    again = await scene.api.create("/acme/clients", {"clientId": "orders"})
    await scene.change("POST", f"/acme/clients/{again}/roles", {"name": "read"})
    assert await scene.said(await scene.token()) == (["all", "part"], [])


async def test_where_the_realm_wants_it_a_token_ends_with_its_role(scene: Scene) -> None:
    await scene.change("PUT", "/acme", {"attributes": {"keyturn.roles.end-tokens": "true"}})
    first = await scene.token()
    await scene.change("DELETE", f"{ROLES}/all/composites", [await scene.role(f"{ROLES}/part")])
    assert await scene.said(first) is None
    second = await scene.token()
    assert await scene.said(second) == (["all"], ["read"])
    await scene.change("DELETE", f"/acme/users/{scene.user}/role-mappings/clients/{scene.orders}")
    assert await scene.said(second) is None
    third = await scene.token()
    await scene.change("DELETE", f"{ROLES}/all")
    assert await scene.said(third) is None
    assert await scene.said(await scene.token()) == ([], [])
