"""The admin API as a storm's callers use it: with a token from whichever node gives one."""

import asyncio
import base64
import json
from typing import Any

from tests.storm.http import Answer, NoAnswerError, Server

REALM = "master"
ADMIN_ID, ADMIN_SECRET = "storm-admin", "storm-admin-secret-of-more-than-32-bytes"
WAIT_SECONDS = 20
_ANSWER_SECONDS = WAIT_SECONDS + 20.0


class Admin:
    """Calls below ``/admin/realms/{REALM}``. Raises NoAnswerError, also for answers of 400 and more."""

    def __init__(self, credentials: Server, nodes: list[Server]) -> None:
        self._credentials = credentials
        self._nodes = nodes
        self._token = ""
        self._token_until = 0.0
        self._fetching = asyncio.Lock()

    async def call(
        self, method: str, path: str, body: bytes = b"", *, headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {"Authorization": f"Bearer {await self._access_token()}", **(headers or {})}
        if body:
            sent["Content-Type"] = "application/json"
        answer = await self._credentials.ask(
            method, f"/admin/realms/{REALM}{path}", headers=sent, body=body, timeout=_ANSWER_SECONDS
        )
        if answer.status == 401:
            self._token_until = 0.0
        if answer.status >= 400:
            raise NoAnswerError(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
        return answer

    async def change(self, method: str, path: str) -> Answer:
        """A change that waits for the fleet."""
        return await self.call(method, path, headers={"Prefer": f"wait={WAIT_SECONDS}"})

    async def fleet(self, query: str = "") -> dict[str, Any]:
        answer = await self.call("GET", f"/fleet{query}")
        view: dict[str, Any] = json.loads(answer.body)
        return view

    async def create_client(self, representation: dict[str, Any]) -> str:
        created = await self.call("POST", "/clients", json.dumps(representation).encode())
        return created.headers["location"].rsplit("/", 1)[1]

    async def _access_token(self) -> str:
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
        target = f"/realms/{REALM}/protocol/openid-connect/token"
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
