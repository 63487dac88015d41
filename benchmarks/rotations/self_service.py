"""Clients that take the secrets of their rotations, or register their next keys, themselves, while they ask
several nodes for tokens.

A local stack; a policy of the realm alone begins the rotations; each client uses the Python adapter with its
real intervals, and asks the nodes in turn. It ends when every client has been through so many rotations.
Exits with 1 if any valid request was refused, or a rotation did not end as ``done``.

    python -m benchmarks.rotations.self_service --clients 500 --keys 500 --nodes 5 --chart rotations.png
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.rotations.chart import Sample, draw
from keyturn import (
    ClientCredentials,
    ClientKeys,
    ClientSecret,
    follow_key_rotations,
    follow_secret_rotations,
)
from tests.testkit.local_stack import Admin, RunningStack, token_url

REALM: Final = "measured"
_POLICY: Final = {
    "keyturn.secret.expiration-period": "400",
    "keyturn.secret.remaining-rotation-period": "310",
    "keyturn.secret.rotated-expiration-period": "40",
    "keyturn.rotation.jitter": "40",
    "keyturn.key.rotation-period": "90",
    "keyturn.key.overlap": "40",
}
"""A rotation begins when a secret or key is a minute to a minute and a half old."""
_START_SECONDS: Final = 30.0
"""Clients start within this time."""
_TOKEN_EVERY_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 2.0
_CLIENTS_A_POOL: Final = 25
"""A pool looks through all of its connections for each request."""
_OPEN: Final = {"planned", "prepared", "delivered", "in_use", "retired"}
_LONGEST_SECONDS: Final = 1500.0


@dataclass
class Fleet:
    """All clients. ``answers``: statuses of their token requests. ``failures``: those without a response."""

    nodes: list[str]
    answers: Counter[int] = field(default_factory=Counter)
    failures: int = 0

    async def run(
        self, issuer: str, name: str, credential: ClientSecret | ClientKeys, http: httpx.AsyncClient
    ) -> None:
        """Be one client, until cancelled."""
        own = ClientCredentials(issuer, name, credential)
        at = [
            ClientCredentials(issuer, name, credential, token_endpoint=token_url(node, REALM))
            for node in self.nodes
        ]
        await asyncio.sleep(random.uniform(0, _START_SECONDS))
        if isinstance(credential, ClientSecret):
            keeping = asyncio.create_task(follow_secret_rotations(credential, own, http))
        else:
            keeping = asyncio.create_task(follow_key_rotations(credential, own, http))
        try:
            for turn in count(hash(name)):
                try:
                    request = at[turn % len(at)].token_request()
                    self.answers[(await http.send(request, auth=None)).status_code] += 1
                except httpx.HTTPError:
                    self.failures += 1
                await asyncio.sleep(_TOKEN_EVERY_SECONDS)
        finally:
            keeping.cancel()


async def observe(admin: Admin, fleet: Fleet, clients: int, rotations: int) -> list[Sample]:
    """Sample the stages until every client has been through its rotations. Raises TimeoutError, and
    AssertionError for a rotation that was given up."""
    samples, begun = [], time.monotonic()
    done: dict[str, str] = {}
    under_way: set[str] = set()
    async with asyncio.timeout(_LONGEST_SECONDS):
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            found = await asyncio.to_thread(_rotations, admin, under_way)
            under_way = {each["id"] for each in found if each["state"] in _OPEN}
            done |= {each["id"]: each["client_id"] for each in found if each["state"] == "done"}
            stages = Counter(each["state"] for each in found if each["state"] != "done")
            if given_up := stages.keys() - _OPEN:
                raise AssertionError(f"rotations are {given_up}")
            refused = sum(number for status, number in fleet.answers.items() if status != 200)
            samples.append(Sample(time.monotonic() - begun, dict(stages), len(done), refused))
            if sum(number >= rotations for number in Counter(done.values()).values()) >= clients:
                return samples


def _rotations(admin: Admin, under_way: set[str]) -> list[dict[str, Any]]:
    """Return those in progress, the newest that have ended, and all that were ``under_way`` at the last
    look."""
    address = f"/admin/realms/{REALM}/rotations"
    found: dict[str, dict[str, Any]] = {}
    for state in ("open", "done", "rolled_back,cancelled,superseded,failed"):
        answer = admin.http.get(address, params={"state": state, "max": 1000})
        found |= {each["id"]: each for each in answer.raise_for_status().json()}
    for missing in under_way - found.keys():
        found[missing] = admin.http.get(f"{address}/{missing}").raise_for_status().json()
    return list(found.values())


def make_client(admin: Admin, name: str, directory: Path) -> ClientSecret:
    """Create a client with a secret, kept in a file of its own."""
    return ClientSecret(admin.secret(admin.make_client(name)), state=directory / name)


def make_key_client(admin: Admin, name: str, directory: Path) -> ClientKeys:
    """Create a client with a key, kept in a file of its own."""
    keys = ClientKeys.generated("ES256", state=directory / name)
    registered = {"use.jwks.string": "true", "jwks.string": json.dumps(keys.jwks)}
    admin.make_client(name, clientAuthenticatorType="client-jwt", attributes=registered)
    return keys


async def run(
    stack: RunningStack, directory: Path, secrets: int, keys: int, rotations: int, chart: Path | None
) -> bool:
    admin = Admin(stack, REALM)
    admin.make_realm()
    credentials: dict[str, ClientSecret | ClientKeys] = {}
    for number in range(secrets):
        name = f"client-{number:04d}"
        credentials[name] = make_client(admin, name, directory)
    for number in range(keys):
        name = f"key-client-{number:04d}"
        credentials[name] = make_key_client(admin, name, directory)
    clients = len(credentials)
    admin.call("PUT", "", json={"attributes": _POLICY})
    fleet = Fleet(stack.node_urls)
    async with AsyncExitStack() as stack_of_clients:
        https = [
            await stack_of_clients.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
            for _ in range(0, clients, _CLIENTS_A_POOL)
        ]
        issuer = f"{stack.base_url}/realms/{REALM}"
        tasks = [
            asyncio.create_task(fleet.run(issuer, name, credential, https[number // _CLIENTS_A_POOL]))
            for number, (name, credential) in enumerate(credentials.items())
        ]
        try:
            samples = await observe(admin, fleet, clients, rotations)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if chart is not None:
        title = f"{secrets} clients with secrets and {keys} with keys, {len(fleet.nodes)} nodes"
        await draw(samples, chart, f"{title}, {rotations} rotations each")
    last = samples[-1]
    print(f"{secrets} clients with secrets and {keys} with keys, {len(fleet.nodes)} nodes:")
    print(
        f"{last.done} rotations done after {last.seconds:.0f} s; answers {dict(fleet.answers)},"
        f" {fleet.failures} without a response"
    )
    return set(fleet.answers) == {200} and not fleet.failures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=500, help="with secrets")
    parser.add_argument("--keys", type=int, default=500, help="clients with keys")
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--rotations", type=int, default=2, help="of each client")
    parser.add_argument("--chart", type=Path, help="a PNG of the stages over time")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        RunningStack(Path(directory) / "data", "--no-demo", nodes=chosen.nodes) as stack,
    ):
        running = run(
            stack.start(), Path(directory), chosen.clients, chosen.keys, chosen.rotations, chosen.chart
        )
        return 0 if asyncio.run(running) else 1


if __name__ == "__main__":
    sys.exit(main())
