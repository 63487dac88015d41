"""The credentials service and verifier nodes on any Redis, with everything they do with it."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.jwks_server import JwksServer, Page, serving
from tests.testkit.nodes import RunningNode, assertion, eventually, running_node

REALM = "acme"
LEASE_SECONDS, MARGIN_SECONDS = 1.5, 0.5
_WAIT = {"Prefer": "wait=30"}


@dataclass
class Whole:
    """``secrets``: the current secret of each client created; ``former``: an ended one."""

    api: AdminApi
    nodes: list[RunningNode]
    jwks: JwksServer

    async def change(self, method: str, path: str, **request: Any) -> Any:
        """Make a change in the realm, and wait until no node is pending; return the answer's JSON, if any."""
        answer = await self.api.call(method, f"/{REALM}{path}", headers=_WAIT, **request)
        assert answer.status_code < 300, answer.text
        assert answer.headers["preference-applied"] == "wait", answer.headers
        return json.loads(answer.content) if answer.content else None

    async def make_client(self, client_id: str, **representation: Any) -> str:
        body = {"clientId": client_id, "serviceAccountsEnabled": True, **representation}
        await self.change("POST", "/clients", json=body)
        found = await self.api.call("GET", f"/{REALM}/clients?clientId={client_id}")
        return str(found.json()[0]["id"])

    async def regenerate(self, uuid: str) -> str:
        return str((await self.change("POST", f"/clients/{uuid}/client-secret"))["value"])

    async def by_secret(self, client_id: str, secret: str) -> set[int]:
        """Return the nodes' answers."""
        return {(await node.token_by_secret(REALM, client_id, secret)).status_code for node in self.nodes}

    async def by_key(self, client_id: str, key: SigningKey) -> set[int]:
        return {
            (await node.token_by_assertion(REALM, assertion(key, client_id, REALM))).status_code
            for node in self.nodes
        }

    async def use_everything(self) -> None:
        """Make each kind of Redis call of the services at least once."""
        worker = await self.make_client("worker")
        former = await self.regenerate(worker)
        assert await self.by_secret("worker", former) == {200}
        new = await self.regenerate(worker)
        assert await self.by_secret("worker", former) == {401}
        assert await self.by_secret("worker", new) == {200}
        await self._use_keys()
        await self._use_jwks_url()
        await self.change("DELETE", f"/clients/{worker}")
        assert await self.by_secret("worker", new) == {401}
        fleet = (await self.api.call("GET", f"/{REALM}/fleet")).json()
        assert (fleet["applied"], fleet["pending"], fleet["complete"]) == (len(self.nodes), [], True)

    async def _use_keys(self) -> None:
        key = SigningKey.generate()
        jwks = json.dumps({"keys": [key.public_jwk]})
        attributes = {"use.jwks.string": "true", "jwks.string": jwks}
        signer = await self.make_client("signer", clientAuthenticatorType="client-jwt", attributes=attributes)
        once = assertion(key, "signer", REALM)

        async def accepted() -> bool:  # not before the replay barrier has passed, after a loss of Redis
            return await self.by_key("signer", key) == {200}

        await eventually(accepted, seconds=30)
        answers = [(await node.token_by_assertion(REALM, once)).status_code for node in self.nodes]
        assert answers == [200, *[401] * (len(self.nodes) - 1)], "an assertion is used once in the fleet"
        await self.change("POST", f"/clients/{signer}/keys/{key.verification_key.thumbprint}/revoke")
        assert await self.by_key("signer", key) == {401}
        await self.change("DELETE", f"/clients/{signer}")

    async def _use_jwks_url(self) -> None:
        key = SigningKey.generate()
        self.jwks.pages["/keys"] = Page([key.public_jwk])
        attributes = {"use.jwks.url": "true", "jwks.url": self.jwks.url("/keys")}
        remote = await self.make_client("remote", clientAuthenticatorType="client-jwt", attributes=attributes)

        async def accepted() -> bool:
            return await self.by_key("remote", key) == {200}

        await eventually(accepted, seconds=30)
        shown = (await self.api.call("GET", f"/{REALM}/clients/{remote}/keys")).json()
        assert [each["kid"] for each in shown] == [key.kid]
        await self.change("POST", f"/clients/{remote}/clear-keys-cache")
        await eventually(accepted, seconds=30)
        await self.change("DELETE", f"/clients/{remote}")


@asynccontextmanager
async def whole(
    directory: Path,
    redis_url: str,
    *,
    nodes_redis_url: str | None = None,
    nodes: int = 2,
    partitions: int = 1,
) -> AsyncIterator[Whole]:
    """Start everything. ``nodes_redis_url``: the nodes' Redis URL, if different. ``partitions``: of used
    assertions."""
    settings = settings_for(
        f"sqlite+aiosqlite:///{directory}/keyturn.db",
        redis_url,
        fleet_keys=FLEET_KEY,
        lease_seconds=LEASE_SECONDS,
        lease_margin_seconds=MARGIN_SECONDS,
        jwks_allowed_networks="127.0.0.0/8",
        partitions=partitions,
    )
    for_nodes: dict[str, Any] = {
        "failure_limit_client": 0,
        "renewal_seconds": 0.3,
        "clock_skew": 0.5,
        "fetcher_enabled": True,
    }
    for_nodes |= {"jwks_allowed_networks": "127.0.0.0/8", "jwks_min_interval": 0.5}
    async with AsyncExitStack() as stack:
        jwks = await stack.enter_async_context(serving())
        api = await stack.enter_async_context(running(settings))
        started = [
            await stack.enter_async_context(running_node(nodes_redis_url or redis_url, **for_nodes))
            for _ in range(nodes)
        ]
        await api.create("", {"realm": REALM})
        yield Whole(api, started, jwks)
