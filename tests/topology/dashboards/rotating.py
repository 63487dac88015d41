"""Clients whose secrets a policy rotates: some go along, one never uses its new secret, one is disabled."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tests.testkit.admin_client import Admin
from tests.testkit.http_client import NoAnswerError, Server
from tests.testkit.revocable_clients import secret_credential
from tests.testkit.waiting import happens

REALM: Final = "rotating"
POLICY: Final = {
    "keyturn.secret.expiration-period": "600",
    "keyturn.secret.remaining-rotation-period": "540",
    "keyturn.secret.rotated-expiration-period": "15",
    "keyturn.rotation.disabled-limit": "10",
}
_GOING_ALONG: Final = 4
_PAUSE_SECONDS: Final = 3.0
_TOKEN: Final = f"/realms/{REALM}/protocol/openid-connect/token"


@dataclass
class Rotating:
    """``admin``: for the realm. ``server``: where the clients ask for tokens."""

    admin: Admin
    server: Server
    clients: dict[str, str] = field(default_factory=dict)
    """Client id by uuid, of those that go along."""

    async def register(self) -> None:
        """Create the realm with its policy, and the clients."""
        await self.admin.create_realm()
        await self.admin.call("PUT", "", json.dumps({"attributes": POLICY}).encode())
        for number in range(_GOING_ALONG):
            client_id = f"going-along-{number}"
            self.clients[await self._create(client_id)] = client_id
        await self._ask_once(await self._create("never-looks"), "never-looks")
        disabled = await self._create("switched-off")
        await self._ask_once(disabled, "switched-off")
        body = json.dumps({"id": disabled, "clientId": "switched-off", "enabled": False}).encode()
        await self.admin.call("PUT", f"/clients/{disabled}", body)

    async def run(self, stop: asyncio.Event) -> None:
        """Do what the clients do, until ``stop``: read the current secret now and then, and use it."""
        while not await happens(stop, within=_PAUSE_SECONDS):
            for uuid, client_id in self.clients.items():
                with suppress(NoAnswerError):
                    await self._ask_once(uuid, client_id)
                    await self._confirm(uuid)

    async def _create(self, client_id: str) -> str:
        return await self.admin.create_client({"clientId": client_id, "serviceAccountsEnabled": True})

    async def _ask_once(self, uuid: str, client_id: str) -> None:
        answer = await self.admin.call("GET", f"/clients/{uuid}/client-secret")
        headers, body = secret_credential(client_id, json.loads(answer.body)["value"]).request()
        await self.server.ask("POST", _TOKEN, headers=headers, body=body)

    async def _confirm(self, uuid: str) -> None:
        rotations: list[dict[str, Any]] = json.loads(
            (await self.admin.call("GET", f"/clients/{uuid}/rotations")).body
        )
        for rotation in rotations:
            if rotation["waits_for"] == "delivery":
                await self.admin.call("POST", f"/rotations/{rotation['id']}/delivered")
