"""Clients take the secrets of rotations, or register their next keys, through the gateway, and never stop
asking for tokens."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path

import httpx
import pytest

from keyturn import (
    ClientCredentials,
    ClientKeys,
    ClientSecret,
    follow_key_rotations,
    follow_secret_rotations,
)
from tests.testkit.local_stack import Admin, RunningStack, eventually

CLIENTS = 3
ROTATIONS = 2
POLICY = {
    "keyturn.secret.expiration-period": "60",
    "keyturn.secret.rotated-expiration-period": "2",
    "keyturn.secret.remaining-rotation-period": "54",
}
"""A secret is six seconds old when its rotation begins."""
KEY_POLICY = {"keyturn.key.rotation-period": "10", "keyturn.key.overlap": "2"}


async def look_often(_: float) -> None:
    await asyncio.sleep(0.3)


class Worker(ABC):
    """A client that only the policy and the adapter look after."""

    def __init__(self, uuid: str, credentials: ClientCredentials) -> None:
        self.uuid = uuid
        self.credentials = credentials
        self.answers: Counter[int] = Counter()
        self.first = self.used

    @property
    @abstractmethod
    def used(self) -> str:
        """The secret, or the id of the key, in use."""

    @abstractmethod
    async def follow(self, http: httpx.AsyncClient) -> None:
        """Take part in every rotation, until cancelled."""

    async def work(self) -> None:
        """Ask for a token all the time, and take part in every rotation."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            keeping = asyncio.create_task(self.follow(http))
            try:
                while True:
                    answer = await http.send(self.credentials.token_request(), auth=None)
                    self.answers[answer.status_code] += 1
                    await asyncio.sleep(0.05)
            finally:
                keeping.cancel()


class SecretWorker(Worker):
    def __init__(self, stack: RunningStack, admin: Admin, name: str, directory: Path) -> None:
        uuid = admin.make_client(name, attributes=POLICY)
        self.secret = ClientSecret(admin.secret(uuid), state=directory / f"{name}.json")
        super().__init__(uuid, ClientCredentials(stack.issuer(admin.realm), name, self.secret))

    @property
    def used(self) -> str:
        return self.secret.reveal()

    async def follow(self, http: httpx.AsyncClient) -> None:
        await follow_secret_rotations(self.secret, self.credentials, http, sleep=look_often)


class KeyWorker(Worker):
    def __init__(self, stack: RunningStack, admin: Admin, name: str, directory: Path) -> None:
        self.keys = ClientKeys.generated("ES256", state=directory / f"{name}.json")
        registered = {"use.jwks.string": "true", "jwks.string": json.dumps(self.keys.jwks)}
        uuid = admin.make_client(
            name, clientAuthenticatorType="client-jwt", attributes=KEY_POLICY | registered
        )
        super().__init__(uuid, ClientCredentials(stack.issuer(admin.realm), name, self.keys))

    @property
    def used(self) -> str:
        return self.keys.signing.kid

    async def follow(self, http: httpx.AsyncClient) -> None:
        await follow_key_rotations(self.keys, self.credentials, http, sleep=look_often)


@pytest.mark.timeout(400)
async def test_credentials_are_rotated_by_policy_and_by_their_clients_without_a_refusal(
    stack: RunningStack, admin: Admin, tmp_path: Path
) -> None:
    kinds = (SecretWorker, KeyWorker)
    workers = [
        kind(stack, admin, f"{kind.__name__}-{number}", tmp_path)
        for kind in kinds
        for number in range(CLIENTS)
    ]
    working = [asyncio.create_task(worker.work()) for worker in workers]

    def are_all_done() -> bool:
        found = [admin.call("GET", f"/clients/{worker.uuid}/rotations").json() for worker in workers]
        return all(sum(each["state"] == "done" for each in rotations) >= ROTATIONS for rotations in found)

    await asyncio.to_thread(eventually, are_all_done, seconds=240)
    for task in working:
        task.cancel()
    ended = await asyncio.gather(*working, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
    for worker in workers:
        assert set(worker.answers) == {200}, worker.answers
        assert worker.used != worker.first
