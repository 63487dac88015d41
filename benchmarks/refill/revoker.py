"""An operator who regenerates secrets during the refill."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httpx

from benchmarks.refill.probes import Prober
from benchmarks.refill.surroundings import ADMIN_ID, ADMIN_SECRET, Surroundings
from keyturn_shared.fleet.registry import NodeStatus, status_of
from tests.testkit.client_population import REALM, client_id_of, secret_of

_POLL_SECONDS: Final = 0.002
_APPLIED_SECONDS: Final = 60.0


class Revoker:
    """``seconds``: from each call's answer until every node had applied the change."""

    def __init__(self, around: Surroundings, prober: Prober, numbers: list[int]) -> None:
        self.seconds: list[float] = []
        self._around = around
        self._prober = prober
        self._numbers = list(numbers)
        self._http = httpx.AsyncClient(trust_env=False, timeout=60)

    async def close(self) -> None:
        await self._http.aclose()

    async def log_in(self) -> None:
        """Log in while the nodes still answer."""
        granted = await self._http.post(
            f"{self._around.nodes[0]}/realms/master/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(ADMIN_ID, ADMIN_SECRET),
        )
        granted.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
        realm = f"{self._around.base_url}/admin/realms/{REALM}"
        self._uuids = {}
        for number in self._numbers:
            found = await self._http.get(f"{realm}/clients", params={"clientId": client_id_of(number)})
            self._uuids[number] = found.json()[0]["id"]

    async def run(self, until: Callable[[], bool], *, pause: float) -> None:
        """Regenerate one after the other until told to stop, or until every client had its turn."""
        while self._numbers and not until():
            number = self._numbers.pop()
            answer = await self._http.post(
                f"{self._around.base_url}/admin/realms/{REALM}/clients/{self._uuids[number]}/client-secret",
                headers={"Prefer": "wait=0"},
            )
            answer.raise_for_status()
            begun = time.monotonic()
            await self._until_applied(int(answer.headers["keyturn-sequence"]))
            self.seconds.append(time.monotonic() - begun)
            self._prober.revoked.append((client_id_of(number), secret_of(number)))
            await asyncio.sleep(pause)

    async def _until_applied(self, sequence: int) -> None:
        async with asyncio.timeout(_APPLIED_SECONDS):
            while True:
                view = await self._around.registry.view(sequence)
                applied = [status_of(node, view, sequence) is NodeStatus.APPLIED for node in view.nodes]
                if view.published_at is not None and sum(applied) == len(self._around.nodes):
                    return
                await asyncio.sleep(_POLL_SECONDS)
