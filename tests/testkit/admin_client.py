"""The admin API for a storm's callers: with a token from any node that issues one."""

import asyncio
import base64
import json
from typing import Any

from tests.testkit.http_client import Answer, NoAnswerError, Server

REALM = "storm"
"""Realm of the probed clients; for ``master``, the administrators' realm, the credentials service answers."""
ADMIN_ID, ADMIN_SECRET = "storm-admin", "storm-admin-secret-of-more-than-32-bytes"
WAIT_SECONDS = 20
_SLACK_SECONDS = 20.0


class RefusedCallError(NoAnswerError):
    """The service refused the call, which changed nothing."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def refusal(name: str, answer: Answer) -> NoAnswerError:
    """Return the error for a status of 400 and more: after a failure the effect is unknown."""
    told = f"{name}: {answer.status} {answer.body[:200]!r}"
    return RefusedCallError(told, answer.status) if answer.status < 500 else NoAnswerError(told)


class Admin:
    """Calls below ``/admin/realms/{realm}``. ``wait_seconds``: how long a change waits for the fleet;
    ``slack_seconds``: how much longer for its answer. Raises NoAnswerError, also for answers of 400 and
    more."""

    def __init__(
        self,
        credentials: Server,
        nodes: list[Server],
        *,
        realm: str = REALM,
        wait_seconds: int = WAIT_SECONDS,
        slack_seconds: float = _SLACK_SECONDS,
    ) -> None:
        self.realm = realm
        self.wait_seconds = wait_seconds
        self.answer_seconds = wait_seconds + slack_seconds
        self._credentials = credentials
        self._nodes = nodes
        self._token = ""
        self._token_until = 0.0
        self._fetching = asyncio.Lock()

    async def call(
        self, method: str, path: str, body: bytes = b"", *, headers: dict[str, str] | None = None
    ) -> Answer:
        return await self._call(method, f"/admin/realms/{self.realm}{path}", body, headers)

    async def create_realm(self) -> None:
        await self._call("POST", "/admin/realms", json.dumps({"realm": self.realm}).encode(), None)

    async def _call(self, method: str, target: str, body: bytes, headers: dict[str, str] | None) -> Answer:
        sent = {"Authorization": f"Bearer {await self.access_token()}", **(headers or {})}
        if body:
            sent["Content-Type"] = "application/json"
        answer = await self._credentials.ask(
            method, target, headers=sent, body=body, timeout=self.answer_seconds
        )
        if answer.status == 401:
            self._token_until = 0.0
        if answer.status >= 400:
            raise refusal(f"{method} {target}", answer)
        return answer

    async def change(self, method: str, path: str) -> Answer:
        """Make a change that waits for the fleet."""
        return await self.call(method, path, headers={"Prefer": f"wait={self.wait_seconds}"})

    async def fleet(self, query: str = "") -> dict[str, Any]:
        answer = await self.call("GET", f"/fleet{query}")
        view: dict[str, Any] = json.loads(answer.body)
        return view

    async def create_client(self, representation: dict[str, Any]) -> str:
        created = await self.call("POST", "/clients", json.dumps(representation).encode())
        return created.headers["location"].rsplit("/", 1)[1]

    async def access_token(self) -> str:
        """Return a token that is valid for half of its lifetime at least."""
        loop = asyncio.get_running_loop()
        async with self._fetching:
            if loop.time() >= self._token_until:
                granted = await self._new_token()
                self._token = granted["access_token"]
                self._token_until = loop.time() + granted["expires_in"] / 2
        return self._token

    async def _new_token(self) -> dict[str, Any]:
        pair = base64.b64encode(f"{ADMIN_ID}:{ADMIN_SECRET}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        target = "/realms/master/protocol/openid-connect/token"
        for _ in range(40):
            for node in self._nodes:
                try:
                    async with asyncio.timeout(2):
                        answer = await node.ask(
                            "POST", target, headers=headers, body=b"grant_type=client_credentials"
                        )
                except (NoAnswerError, TimeoutError):
                    continue
                if answer.status == 200:
                    granted: dict[str, Any] = json.loads(answer.body)
                    return granted
            await asyncio.sleep(0.5)
        raise NoAnswerError("no node gives an admin token")
