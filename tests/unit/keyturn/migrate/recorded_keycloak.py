"""Recorded answers of Keycloak 26.7.3 about a realm with two clients, and faults on the way."""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from keyturn.migrate.keycloak import Administrator, Keycloak
from keyturn.migrate.realm_reader import read_keycloak
from keyturn_shared.secret import Secret

RECORDED = json.loads((Path(__file__).parent / "keycloak_26_7_3.json").read_text())
REALM = "/admin/realms/src"
ADMIN_SECRET = "the-administrators-secret"


class RecordedKeycloak:
    """Answers as Keycloak does. ``faults``: called with each request first; a response is sent as it is."""

    def __init__(self) -> None:
        recorded = copy.deepcopy(RECORDED)
        self.partial_export: dict[str, Any] = recorded["partialExport"]
        self.clients: list[dict[str, Any]] = recorded["clients"]
        self.answers: dict[str, Any] = recorded["answers"]
        self.secrets: dict[str, str] = {}
        self.missing: set[str] = set()
        self.faults: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.asked: list[str] = []
        self.tokens = 0
        self.refused = 0
        self.elapsed: Callable[[], float] = lambda: 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        fault = self.faults(request)
        if fault is not None:
            return fault
        if path.endswith("/token"):
            return self._token(request)
        if request.headers["authorization"] != f"Bearer token-{self.tokens}":
            self.refused += 1
            return httpx.Response(401, json={"error": "HTTP 401 Unauthorized"})
        if path == f"{REALM}/partial-export":
            assert request.url.params["exportClients"] == "false"
            return httpx.Response(200, json=self.partial_export)
        if path == f"{REALM}/clients":
            first, most = int(request.url.params["first"]), int(request.url.params["max"])
            return httpx.Response(200, json=self.clients[first : first + most])
        if path.endswith("/client-secret"):
            found = self.secrets.get(path.split("/")[-2])
            if found is None:
                return httpx.Response(403, json={"error": "HTTP 403 Forbidden"})
            return httpx.Response(200, json={"type": "secret", "value": found})
        relative = path.removeprefix(f"{REALM}/")
        if relative in self.answers:
            return httpx.Response(200, json=self.answers[relative])
        if relative.endswith(("/roles", "/scope-mappings")) and relative not in self.missing:
            return httpx.Response(200, json=[] if relative.endswith("/roles") else {})
        if relative.endswith("/groups"):
            return httpx.Response(200, json=[])
        return httpx.Response(404, json={"error": "Could not find it."})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        if form["client_secret"] != [ADMIN_SECRET]:
            return httpx.Response(401, json={"error": "unauthorized_client"})
        self.tokens += 1
        return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 60})

    async def read(
        self, told: Callable[[int], None] = lambda read: None, secret: str = ADMIN_SECRET
    ) -> dict[str, Any]:
        """Read the realm, and repeat failed calls without a pause."""
        keycloak = Keycloak(
            "https://kc.test/",
            Administrator("keyturn-migration", Secret(secret)),
            transport=httpx.MockTransport(self),
            first_pause=timedelta(),
            elapsed=lambda: self.elapsed(),
        )
        try:
            return await read_keycloak(keycloak, "src", told)
        finally:
            await keycloak.close()
