"""Events beside the load, each of which some panel shows."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import httpx

from tests.testkit.admin_client import REALM
from tests.testkit.http_client import NoAnswerError, Server
from tests.testkit.revocable_clients import TOKEN_TARGET, KeyClient, secret_credential
from tests.testkit.threaded_key_server import KeyServer
from tests.topology.callers import Callers
from tests.topology.deployment import Deployment
from tests.topology.record import CALLER

_ELSEWHERE: Final = {"X-Forwarded-For": "203.0.113.9"}
"""An address of callers who fail: a limit on their failures touches nobody else."""
_GUESSES: Final = 130
_DEAD: Final = "/dead-keys"
_AWAY_SECONDS: Final = 25.0
_ANSWER_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Happening:
    """``at``: after which part of the whole time. ``text``: a sentence without its full stop."""

    at: float
    text: str
    action: Callable[[], Awaitable[None]]


@dataclass
class Stage:
    """All that something may happen to. ``told``: the Unix time of each that has begun, and its text."""

    deployment: Deployment
    callers: Callers
    keys: KeyServer
    told: list[tuple[float, str]] = field(default_factory=list)

    async def register(self) -> None:
        """Create the clients that something happens to."""
        admin, audience = self.callers.admin, f"{self.deployment.base_url}/realms/{REALM}"
        self._dead = await self.callers.register_url_client("dead-url", audience, _DEAD)
        self._revoked = await KeyClient.register(admin, "revoked", audience, 2)

    def plan(self) -> Sequence[Happening]:
        """Return everything that is to happen, by time."""
        node = self.deployment.nodes[1].name
        return (
            Happening(0.12, "Somebody guesses secrets", self.guess_secrets),
            Happening(0.24, "A JWKS URL is dead, and its client signs with a new key", self.kill_url),
            Happening(0.36, "A key is revoked, and its client goes on using it", self.revoke_key),
            Happening(0.48, f"{node} is stopped for {_AWAY_SECONDS:g} s", self.stop_node),
            Happening(0.62, "The primary of Redis is killed", self.deployment.redis.kill),
            Happening(0.76, "The relaying credentials service is restarted", self.restart_relay),
            Happening(0.85, "Somebody sends what is no HTTP", self.send_nonsense),
        )

    async def run(self, plan: Sequence[Happening], seconds: float) -> None:
        """Let everything happen in its turn, over so many seconds."""
        begun = time.time()
        for each in plan:
            await asyncio.sleep(max(0.0, begun + each.at * seconds - time.time()))
            self.told.append((time.time(), each.text))
            await each.action()
        await asyncio.sleep(max(0.0, begun + seconds - time.time()))

    async def guess_secrets(self) -> None:
        """Fail more often than the limit on failures of a client at an address allows."""
        headers, body = secret_credential("steady", "not its secret").request()
        server = Server(self.deployment.nodes[0].url, connections=4)
        for _ in range(_GUESSES):
            await server.ask("POST", TOKEN_TARGET, headers={**headers, **_ELSEWHERE}, body=body)
        server.close()

    async def kill_url(self) -> None:
        """Let the URL answer 503, and let its client sign with a key that no node can know."""
        client = self._dead
        self.keys.fail(_DEAD)
        await self._present(client, times=3)
        client.keys.append(type(client.keys[0]).generate())
        await self._present(client, times=6)

    async def revoke_key(self) -> None:
        client = self._revoked
        await client.end_one(self.callers.admin)
        server = Server(self.deployment.base_url, connections=1, source=CALLER)
        for _ in range(12):
            headers, body = client.ended[0].request()
            await server.ask("POST", TOKEN_TARGET, headers=headers, body=body)
            await asyncio.sleep(1.0)
        server.close()

    async def stop_node(self) -> None:
        node = self.deployment.nodes[1]
        await node.stop()
        await asyncio.sleep(_AWAY_SECONDS)
        node.start()
        await node.until_ready()

    async def restart_relay(self) -> None:
        """Restart the instance that relays, or the first one if none says so."""
        found = self.deployment.credentials[0]
        async with httpx.AsyncClient(trust_env=False) as http:
            for service in self.deployment.credentials:
                if "\nkeyturn_relay_active 1.0" in (await http.get(f"{service.url}/metrics")).text:
                    found = service
        await found.restart()

    async def send_nonsense(self) -> None:
        """Send requests that are refused before an endpoint is asked, and a proxy chain that is none."""
        service = self.deployment.nodes[0]
        async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
            for _ in range(20):
                await http.post(TOKEN_TARGET, content=b"a" * 100_000)
                await http.post(TOKEN_TARGET, content=b"", headers={"X-Forwarded-For": "nonsense"})
                await http.get("/realms/storm/forward-auth", headers={"Authorization": "Bearer nonsense"})
                await _send_no_http(service.port)
                await asyncio.sleep(1.0)

    async def _present(self, client: KeyClient, times: int) -> None:
        server = Server(self.deployment.base_url, connections=1, source=CALLER)
        for _ in range(times):
            headers, body = client.current.request()
            with suppress(NoAnswerError):
                await server.ask("POST", TOKEN_TARGET, headers=headers, body=body)
            await asyncio.sleep(0.5)
        server.close()


async def _send_no_http(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"NONSENSE\r\n\r\n")
    await writer.drain()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            await reader.read()
    writer.close()


async def follow_fleet(callers: Callers, deployment: Deployment, stop: asyncio.Event) -> None:
    """Keep a live view of the fleet open, as a console does, until ``stop``."""
    url = f"{deployment.credentials[1].url}/admin/realms/{REALM}/fleet/stream"
    async with httpx.AsyncClient(trust_env=False, timeout=None) as http:
        while not stop.is_set():
            with suppress(httpx.HTTPError, NoAnswerError):
                headers = {"Authorization": f"Bearer {await callers.admin.access_token()}"}
                async with http.stream("GET", url, headers=headers) as answer:
                    async for _ in answer.aiter_lines():
                        if stop.is_set():
                            break
            await asyncio.sleep(1.0)


def canary_administrator() -> bytes:
    """Return the prober's administrator, as its documentation creates it."""
    attributes = {"keyturn.admin.roles": "manage-clients"}
    client = {"clientId": "keyturn-prober", "serviceAccountsEnabled": True, "attributes": attributes}
    return json.dumps(client).encode()
