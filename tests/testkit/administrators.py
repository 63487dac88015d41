"""The credentials service with administrators of every kind, and a node that uses it."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import BASE_URL, AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import RunningNode, basic, eventually, running_node

SECRET = "the secret of one who administers acme"
WORKERS = "the secret of one who does not"
_WAIT = {"Prefer": "wait=30"}


@dataclass
class Scene:
    """Realm ``acme`` has the administrators ``by-secret``, ``by-secret-jwt``, ``by-key`` (its key is ``key``)
    and the client ``worker``."""

    api: AdminApi
    node: RunningNode
    redis: Redis
    key: SigningKey = field(default_factory=SigningKey.generate)

    async def change(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a change and return once the node has applied it."""
        answer = await self.api.call(method, path, headers=_WAIT, **request)
        assert answer.status_code < 300, answer.text
        assert answer.headers["preference-applied"] == "wait"
        return answer

    async def make(self, client_id: str, authenticator: str, **more: Any) -> str:
        """Create a client of ``acme``; return its id."""
        body = {"clientId": client_id, "clientAuthenticatorType": authenticator, **more}
        return str((await self.change("POST", "/acme/clients", json=body)).headers["location"][-36:])

    async def token_from_node(
        self, realm: str, form: dict[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.node.token(realm, form, headers=headers or {})

    async def token_from_service(
        self, realm: str, form: dict[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.api.http.post(
            f"/realms/{realm}/protocol/openid-connect/token",
            data={"grant_type": "client_credentials", **form},
            headers=headers,
        )

    async def status_of(self, token: str, path: str = "/admin/realms/acme/clients") -> int:
        """Return the admin API's status for a token."""
        answer = await self.api.http.get(path, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code


def administers(role: str = "manage-clients", **more: str) -> dict[str, str]:
    return {"keyturn.admin.roles": role, **more}


def by_basic(client_id: str = "by-secret", secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": basic(client_id, secret)}


def by_assertion(signed: str) -> dict[str, str]:
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }


@asynccontextmanager
async def scene_on(tmp_path: Path, redis: Redis, redis_url: str, **settings: Any) -> AsyncIterator[Scene]:
    """``settings``: of the credentials service."""
    used = settings_for(
        f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, fleet_keys=FLEET_KEY, **settings
    )
    async with (
        running(used) as api,
        running_node(redis_url, public_url=BASE_URL, wait=False, credentials=api.app) as node,
    ):
        await eventually(node.ready)
        scene = Scene(api, node, redis)
        await scene.change("POST", "", json={"realm": "acme"})
        await scene.make("by-secret", "client-secret", secret=SECRET, attributes=administers())
        await scene.make("by-secret-jwt", "client-secret-jwt", secret=SECRET, attributes=administers())
        await scene.make("by-key", "client-jwt", attributes=administers(**inline(scene.key)))
        await scene.make("worker", "client-secret", secret=WORKERS)
        yield scene


def inline(key: SigningKey) -> dict[str, str]:
    """Return attributes of a client with this key."""
    return {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}


def strings_in(value: Any) -> Iterator[str]:
    """Yield all strings in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings_in(each)
