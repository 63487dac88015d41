"""Rotations from the clients' view: whole nodes, and assertions with newly published keys."""

import asyncio
import json
import random
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.redis_client import connect
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.jwks_server import JwksServer, Page, serving
from tests.testkit.nodes import RunningNode, assertion, running_node

_FRESH_SECONDS = 60


@dataclass(frozen=True)
class AssertionResult:
    """Seconds. ``waited``: of assertions signed with a key published just before. ``withdrawn``: from
    withdrawing a key, at a URL whose answers are fresh for 60 s, until no node accepted it; None if not
    measured."""

    rotations: int
    assertions: int
    refused: tuple[str, ...]
    fetches: int
    seconds: float
    waited_p50: float
    waited_p99: float
    waited_most: float
    withdrawn: float | None


class _Client:
    """A client whose keys are at a URL. It keeps the previous key next to the new one."""

    def __init__(self, name: str, server: JwksServer) -> None:
        self.name = name
        self.page = Page(headers={"cache-control": f"max-age={_FRESH_SECONDS}"})
        server.pages[f"/{name}"] = self.page
        self.key = self.rotate()

    def rotate(self) -> SigningKey:
        """Publish a new key, and withdraw the one before the last."""
        self.key = SigningKey.generate("ES256")
        self.page.keys = [self.key.public_jwk, *self.page.keys[:1]]
        return self.key


async def run(
    redis_url: str, rotations: int, clients: int, *, nodes: int = 5, withdrawal: bool = False
) -> AssertionResult:
    """Have every client rotate repeatedly; each new key signs for every node at once, while former ones are
    still in use."""
    waited: list[float] = []
    refused: list[str] = []
    realm = realm_of("bench")

    async def sign_in(node: RunningNode, client: _Client, key: SigningKey) -> None:
        began = time.monotonic()
        answer = await node.token_by_assertion("bench", assertion(key, client.name, "bench"))
        waited.append(time.monotonic() - began)
        if answer.status_code != 200:
            refused.append(f"{answer.status_code} {answer.text[:200]}")

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving())
        redis = await stack.enter_async_context(aclosing(connect(redis_url)))
        all_clients = [_Client(f"c{number}", server) for number in range(clients)]
        projections: list[Any] = [
            client_of(realm, client.name, authenticator="client-jwt", jwks_url=server.url(f"/{client.name}"))
            for client in all_clients
        ]
        await Filling.on(redis).open(realm, *projections)
        settings: dict[str, Any] = {"fetcher_enabled": True, "jwks_allowed_networks": "127.0.0.0/8"}
        started = [await stack.enter_async_context(running_node(redis_url, **settings)) for _ in range(nodes)]

        async def live(client: _Client) -> None:
            await asyncio.gather(*(sign_in(node, client, client.key) for node in started))
            for _ in range(rotations // clients):
                before = client.key
                client.rotate()
                uses = [sign_in(node, client, client.key) for node in started]
                uses += [sign_in(random.choice(started), client, before)]
                await asyncio.gather(*uses)

        began = time.monotonic()
        await asyncio.gather(*(live(client) for client in all_clients))
        took = time.monotonic() - began
        fetches = sum(server.requests.values())
        withdrawn = await _withdraw(all_clients[0], started) if withdrawal else None
    waited.sort()
    middle, late = waited[len(waited) // 2], waited[len(waited) * 99 // 100]
    return AssertionResult(
        rotations, len(waited), tuple(refused), fetches, took, middle, late, waited[-1], withdrawn
    )


async def _withdraw(client: _Client, nodes: list[RunningNode]) -> float:
    """Withdraw the newest key, and sign with it until every node refuses it."""
    key = client.key
    client.page.keys = client.page.keys[1:]
    began = time.monotonic()
    left = list(nodes)
    while left:
        for node in list(left):
            answer = await node.token_by_assertion("bench", assertion(key, client.name, "bench"))
            if answer.status_code != 200:
                assert json.loads(answer.text)["error"] == "invalid_client", answer.text
                left.remove(node)
        await asyncio.sleep(0.1)
    return time.monotonic() - began
