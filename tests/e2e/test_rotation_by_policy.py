"""A policy alone rotates the secret of a client that never stops asking for tokens."""

import time
from typing import Any

from tests.testkit.local_stack import Admin, RunningStack, ask_token, eventually

POLICY = {
    "keyturn.secret.expiration-period": "60",
    "keyturn.secret.rotated-expiration-period": "2",
    "keyturn.secret.remaining-rotation-period": "54",
}
"""A secret is six seconds old when its rotation begins."""


class Worker:
    """A client that keeps one secret until it is given another, and is refused by no node."""

    def __init__(self, stack: RunningStack, admin: Admin, client_id: str) -> None:
        self._stack = stack
        self._admin = admin
        self._client_id = client_id
        self.uuid = admin.make_client(client_id, attributes=POLICY)
        self.secret = admin.secret(self.uuid)
        self.asked = 0

    def ask(self) -> None:
        """Ask every node for a token."""
        for url in self._stack.node_urls:
            answer = ask_token(url, self._admin.realm, self._client_id, self.secret)
            assert answer.status_code == 200, (self.asked, answer.text)
            self.asked += 1

    def is_refused(self, secret: str) -> bool:
        """Return whether every node refuses a secret."""
        urls = self._stack.node_urls
        answers = [ask_token(url, self._admin.realm, self._client_id, secret) for url in urls]
        return all(answer.status_code == 401 for answer in answers)

    def ask_until(self, state: str) -> dict[str, Any]:
        """Ask for tokens until the newest rotation has that state; return it."""

        def newest() -> dict[str, Any] | None:
            self.ask()
            time.sleep(0.2)
            found = self._admin.call("GET", f"/clients/{self.uuid}/rotations").json()
            return found[0] if found and found[0]["state"] == state else None

        rotation: dict[str, Any] = eventually(newest)
        return rotation


def test_no_request_is_refused_and_the_former_secret_ends_when_the_client_uses_the_new_one(
    stack: RunningStack, admin: Admin
) -> None:
    worker = Worker(stack, admin, "rotated-by-policy")
    former = worker.secret
    prepared = worker.ask_until("prepared")
    assert prepared["reason"] == "policy"
    worker.secret = admin.secret(worker.uuid)
    assert worker.secret != former
    done = worker.ask_until("done")
    states = ["planned", "prepared", "in_use", "retired", "done"]
    assert [move["state"] for move in done["history"]] == states
    assert worker.is_refused(former)
    worker.ask()
