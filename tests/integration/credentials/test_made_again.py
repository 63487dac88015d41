"""Deleted and revoked objects stay so, even if a new one has the same name or id."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from keyturn_credentials.domain.realm import KeyPurpose
from tests.testkit.admin_api import BASE_URL, AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import RunningNode, eventually, running_node

_WAIT = {"Prefer": "wait=30"}


@dataclass
class Scene:
    """The service and one node, whose tokens the service accepts."""

    api: AdminApi
    node: RunningNode

    async def change(self, method: str, path: str, **request: Any) -> Any:
        """Make a change and return once the node has applied it."""
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
    async with (
        running(settings) as api,
        running_node(redis_url, public_url=BASE_URL, wait=False, credentials=api.app) as node,
    ):
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


@pytest.mark.parametrize("path", ["clients", "partialImport"])
async def test_a_token_of_a_deleted_client_is_not_one_of_a_client_that_is_made_from_its_export(
    scene: Scene, path: str
) -> None:
    await scene.change("POST", "", json={"realm": "acme"})
    first = await scene.make_client("acme", "worker", "the secret of the first")
    exported = (await scene.api.call("GET", f"/acme/clients/{first}")).json()
    token = await scene.token("acme", "worker", "the secret of the first")
    await scene.change("DELETE", f"/acme/clients/{first}")
    again = exported | {"secret": "the secret of the second"}
    body = again if path == "clients" else {"clients": [again]}
    await scene.change("POST", f"/acme/{path}", json=body)
    assert await scene.status("acme", "worker", "the secret of the second") == 200
    assert not await _is_let_through(scene, "acme", token)


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


@pytest.mark.parametrize("change", [{"serviceAccountsEnabled": False}, {"publicClient": True}], ids=str)
async def test_tokens_end_when_their_client_may_have_none_any_more(
    scene: Scene, change: dict[str, Any]
) -> None:
    roles = {"keyturn.admin.roles": "admin"}
    client = await scene.make_client("master", "deploy", "the secret of deploy", **roles)
    token = await scene.token("master", "deploy", "the secret of deploy")
    assert await _status_of_admin(scene, token) == 200
    assert await _is_let_through(scene, "master", token)
    await scene.change("PUT", f"/master/clients/{client}", json=change)
    assert await _status_of_admin(scene, token) == 401
    assert not await _is_let_through(scene, "master", token)


async def _is_let_through(scene: Scene, realm: str, token: str) -> bool:
    bearer = {"Authorization": f"Bearer {token}"}
    return (await scene.node.http.get(f"/realms/{realm}/forward-auth", headers=bearer)).status_code == 204


async def _status_of_admin(scene: Scene, token: str) -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    return (await scene.api.http.get("/admin/realms", headers=bearer)).status_code


async def test_revoked_keys_of_a_realm_vouch_for_nothing_once_the_call_returns(scene: Scene) -> None:
    """An attacker who took over a node has the current key and the next one."""
    await scene.change("POST", "", json={"realm": "acme"})
    await scene.make_client("acme", "worker", "the secret of one")
    tokens = scene.api.tokens
    stolen = [
        await tokens.key("acme", state=state, purpose=KeyPurpose.CLIENTS) for state in ("active", "next")
    ]
    issued = await scene.token("acme", "worker", "the secret of one")
    claims = jwt.decode(issued, options={"verify_signature": False})
    forged = [key.sign_compact(key.header_segment("at+jwt"), claims) for key in stolen]
    assert await _is_let_through(scene, "acme", forged[0])
    await scene.change("POST", "/acme/keys/rotate?revoke=true")
    for token in (issued, *forged):
        assert not await _is_let_through(scene, "acme", token)
    shown = (await scene.api.call("GET", "/acme/keys")).json()["keys"]
    assert sorted(key["state"] for key in shown) == ["active", "active", "next", "next"]
    assert {key["kid"] for key in shown}.isdisjoint(key.kid for key in stolen)
    audit = (await scene.api.call("GET", "/acme/audit?action=realm_keys_rotated")).json()
    assert {key.kid for key in stolen} < set(audit[0]["details"]["revoked"])
    assert await _is_let_through(scene, "acme", await scene.token("acme", "worker", "the secret of one"))


async def test_revoked_keys_for_administrators_vouch_for_nothing_once_the_call_returns(scene: Scene) -> None:
    await scene.make_client("master", "worker", "the secret of one")
    issued = await scene.token("master", "worker", "the secret of one")
    admin = await scene.api.token()
    assert await _status_of_admin(scene, admin) == 200
    assert await _is_let_through(scene, "master", issued)
    await scene.change("POST", "/master/keys/rotate?revoke=true")
    assert await _status_of_admin(scene, admin) == 401
    assert not await _is_let_through(scene, "master", issued)
    scene.api.forget_keys()
    assert await _status_of_admin(scene, await scene.api.token()) == 200
    assert await _is_let_through(scene, "master", await scene.token("master", "worker", "the secret of one"))
