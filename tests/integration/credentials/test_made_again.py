"""What was deleted stays deleted, also when something of the same name or id is made later."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.verifier.filling import FLEET_KEY
from tests.integration.verifier.nodes import RunningNode, eventually, running_node
from tests.support.admin_api import BASE_URL, AdminApi, running, settings_for

_WAIT = {"Prefer": "wait=30"}


@dataclass
class Scene:
    """The service and one node, which issues tokens that the service accepts."""

    api: AdminApi
    node: RunningNode

    async def change(self, method: str, path: str, **request: Any) -> Any:
        """A change that the node has applied when it returns."""
        answer = await self.api.call(method, path, headers=_WAIT, **request)
        assert answer.status_code < 300, answer.text
        assert answer.headers["preference-applied"] == "wait"
        return answer

    async def make_client(self, realm: str, client_id: str, secret: str, **attributes: str) -> str:
        body = {"clientId": client_id, "secret": secret, "attributes": attributes}
        made = await self.change("POST", f"/{realm}/clients", json=body)
        return str(made.headers["location"].rpartition("/")[2])

    async def status(self, realm: str, client_id: str, secret: str) -> int:
        return (await self.node.token_by_secret(realm, client_id, secret)).status_code

    async def token(self, realm: str, client_id: str, secret: str) -> str:
        answer = await self.node.token_by_secret(realm, client_id, secret)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture
async def scene(tmp_path: Path, redis_url: str) -> AsyncIterator[Scene]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, fleet_keys=FLEET_KEY)
    async with running(settings) as api, running_node(redis_url, public_url=BASE_URL, wait=False) as node:
        await eventually(node.ready)
        yield Scene(api, node)


async def test_clients_of_a_deleted_realm_do_not_come_back_with_a_realm_of_its_id(scene: Scene) -> None:
    await scene.change("POST", "", json={"realm": "acme", "id": "chosen"})
    await scene.make_client("acme", "asked", "the secret of one")
    await scene.make_client("acme", "unasked", "the secret of another")
    assert await scene.status("acme", "asked", "the secret of one") == 200
    await scene.change("DELETE", "/acme")
    await scene.change("POST", "", json={"realm": "acme", "id": "chosen"})
    assert (await scene.api.call("GET", "/acme")).json()["id"] != "chosen"
    assert await scene.status("acme", "asked", "the secret of one") == 401
    assert await scene.status("acme", "unasked", "the secret of another") == 401


async def test_a_realm_of_the_id_of_another_one_is_refused(scene: Scene) -> None:
    await scene.change("POST", "", json={"realm": "acme", "id": "chosen"})
    await scene.make_client("acme", "worker", "the secret of one")
    again = await scene.api.call("POST", "", json={"realm": "copy", "id": "chosen"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert await scene.status("acme", "worker", "the secret of one") == 200


async def test_a_token_of_a_deleted_client_is_not_one_of_the_next_client_of_its_name(scene: Scene) -> None:
    await scene.change("POST", "", json={"realm": "acme"})
    first = await scene.make_client("acme", "worker", "the secret of the first")
    token = await scene.token("acme", "worker", "the secret of the first")
    assert await _is_let_through(scene, "acme", token)
    await scene.change("DELETE", f"/acme/clients/{first}")
    await scene.make_client("acme", "worker", "the secret of the second")
    assert not await _is_let_through(scene, "acme", token)
    assert await _is_let_through(
        scene, "acme", await scene.token("acme", "worker", "the secret of the second")
    )


async def test_a_token_from_before_does_not_get_the_roles_of_the_next_client_of_its_name(
    scene: Scene,
) -> None:
    first = await scene.make_client("master", "deploy", "the secret of the first")
    token = await scene.token("master", "deploy", "the secret of the first")
    await scene.change("DELETE", f"/master/clients/{first}")
    roles = {"keyturn.admin.roles": "admin"}
    await scene.make_client("master", "deploy", "the secret of the second", **roles)
    assert await _status_of_admin(scene, token) == 401
    own = await scene.token("master", "deploy", "the secret of the second")
    assert await _status_of_admin(scene, own) == 200


async def _is_let_through(scene: Scene, realm: str, token: str) -> bool:
    bearer = {"Authorization": f"Bearer {token}"}
    return (await scene.node.http.get(f"/realms/{realm}/forward-auth", headers=bearer)).status_code == 204


async def _status_of_admin(scene: Scene, token: str) -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    return (await scene.api.http.get("/admin/realms", headers=bearer)).status_code
