"""Preparation of a storm: a running fleet, with clients of every kind."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.storm.actors import Actor
from tests.storm.credentials import ASKER, ASKERS_SECRET, alive
from tests.storm.fleet import StormFleet
from tests.storm.means import Certificates, InlineKeys, KeysOfUrl, Means, Secret
from tests.storm.plan import Plan
from tests.storm.probes import Probes
from tests.storm.recorder import Effect, Recorder
from tests.testkit.admin_client import REALM, Admin
from tests.testkit.http_client import Answer

_REGISTER_AT_ONCE: Final = 8
_MAX_KEYS: Final = 50
_WAIT_SECONDS: Final = 4


@dataclass(frozen=True)
class Stage:
    """``actors``: the clients, those of one kind five apart."""

    fleet: StormFleet
    admin: Admin
    recorder: Recorder
    probes: Probes
    actors: list[Actor]

    async def make(self, name: str) -> None:
        """Create a client that is never changed; complete when it returns."""
        await _make(self.admin, self.recorder, name)


@asynccontextmanager
async def staged(directory: Path, plan: Plan) -> AsyncIterator[Stage]:
    """Start everything; the directory keeps the logs."""
    without = [name for name in plan.without.split(",") if name]
    fleet = StormFleet(directory, plan.nodes, plan.lease, plan.staleness, without, plan.sqlite)
    try:
        await fleet.start()
        admin = Admin(
            fleet.admin_server,
            [fleet.admin_server, *fleet.servers],
            wait_seconds=_WAIT_SECONDS,
            slack_seconds=plan.patience,
        )
        recorder = Recorder(admin, {server: f"node-{index}" for index, server in enumerate(fleet.servers)})
        probes = Probes(recorder, fleet.servers, fleet.gateway)
        yield Stage(fleet, admin, recorder, probes, await _register(fleet, admin, recorder, probes, plan))
    finally:
        await fleet.stop()


async def _register(
    fleet: StormFleet, admin: Admin, recorder: Recorder, probes: Probes, plan: Plan
) -> list[Actor]:
    """Create clients of every kind, with as many keys as can be revoked in the time."""
    await admin.create_realm()
    await _make(admin, recorder, ASKER, ASKERS_SECRET)
    turns = asyncio.Semaphore(_REGISTER_AT_ONCE)

    async def register(number: int) -> Actor:
        async with turns:
            draw = random.Random(f"actor {number} {plan.seed}")
            actor = Actor(_means(fleet, number, plan), admin, recorder, probes, draw, plan.promise.term)
            await actor.register()
            return actor

    return list(await asyncio.gather(*(register(number) for number in range(plan.clients))))


def _means(fleet: StormFleet, number: int, plan: Plan) -> Means:
    name = f"storm-{number}"
    count = min(_MAX_KEYS, int(plan.rate * plan.seconds / plan.clients) + 3)
    audience = f"{fleet.gateway.base_url}/realms/{REALM}"
    match number % 5:
        case 0:
            return Secret(name)
        case 1:
            return Secret(name, rotated=True)
        case 2:
            return InlineKeys(name, audience, count)
        case 3:
            return KeysOfUrl(name, audience, count, fleet.jwks_url, fleet.jwks.pages)
        case _:
            return Certificates(name, fleet.authority, count)


async def _make(admin: Admin, recorder: Recorder, name: str, secret: str = "") -> None:
    """Create a client with a secret that is never changed."""
    body = {"clientId": name, "serviceAccountsEnabled": True} | ({"secret": secret} if secret else {})

    async def attempt(headers: dict[str, str]) -> Answer:
        return await admin.call("POST", "/clients", json.dumps(body).encode(), headers=headers)

    effect = Effect(makes=alive(name) | {("secret", name)})
    await recorder.change(f"{name} made", attempt, effect, done_by=409)
