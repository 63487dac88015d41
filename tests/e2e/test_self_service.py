"""Clients take the secrets that rotations make, through the gateway, and never stop asking for tokens."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from keyturn import ClientCredentials, ClientSecret, follow_secret_rotations
from tests.testkit.local_stack import Admin, RunningStack, eventually

CLIENTS = 3
ROTATIONS = 2
POLICY = {
    "keyturn.secret.expiration-period": "60",
    "keyturn.secret.rotated-expiration-period": "2",
    "keyturn.secret.remaining-rotation-period": "54",
}
"""A secret is six seconds old when its rotation begins."""


class Worker:
    """A client that only the policy and the adapter look after."""

    def __init__(self, stack: RunningStack, admin: Admin, name: str, directory: Path) -> None:
        self.uuid = admin.make_client(name, attributes=POLICY)
        self.secret = ClientSecret(admin.secret(self.uuid), state=directory / f"{name}.json")
        issuer = f"{stack.base_url}/realms/{admin.realm}"
        self.credentials = ClientCredentials(issuer, name, self.secret)
        self.answers: Counter[int] = Counter()

    async def work(self) -> None:
        """Ask for a token all the time, and take every new secret."""

        async def look_often(_: float) -> None:
            await asyncio.sleep(0.3)

        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            keeping = asyncio.create_task(
                follow_secret_rotations(self.secret, self.credentials, http, sleep=look_often)
            )
            try:
                while True:
                    answer = await http.send(self.credentials.token_request(), auth=None)
                    self.answers[answer.status_code] += 1
                    await asyncio.sleep(0.05)
            finally:
                keeping.cancel()


@pytest.mark.timeout(400)
async def test_secrets_are_rotated_by_policy_and_taken_by_their_clients_without_a_refusal(
    stack: RunningStack, admin: Admin, tmp_path: Path
) -> None:
    workers = [Worker(stack, admin, f"self-service-{number}", tmp_path) for number in range(CLIENTS)]
    first = [worker.secret.reveal() for worker in workers]
    working = [asyncio.create_task(worker.work()) for worker in workers]

    def are_all_done() -> bool:
        found = [admin.call("GET", f"/clients/{worker.uuid}/rotations").json() for worker in workers]
        return all(sum(each["state"] == "done" for each in rotations) >= ROTATIONS for rotations in found)

    await asyncio.to_thread(eventually, are_all_done, seconds=240)
    for task in working:
        task.cancel()
    ended = await asyncio.gather(*working, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
    for worker, before in zip(workers, first, strict=True):
        assert set(worker.answers) == {200}, worker.answers
        assert worker.secret.reveal() != before
