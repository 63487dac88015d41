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
        self.secrets: dict[str, str] = {}
        self.faults: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.asked: list[str] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        fault = self.faults(request)
        if fault is not None:
            return fault
        if path.endswith("/token"):
            return self._token(request)
        if request.headers["authorization"] != f"Bearer token-{self.tokens}":
            return httpx.Response(401, json={"error": "HTTP 401 Unauthorized"})
        if path == f"{REALM}/partial-export":
            return httpx.Response(200, json=self.partial_export)
        if path == f"{REALM}/clients":
            first, most = int(request.url.params["first"]), int(request.url.params["max"])
            return httpx.Response(200, json=self.clients[first : first + most])
        if path.endswith("/client-secret"):
            found = self.secrets.get(path.split("/")[-2])
            if found is None:
                return httpx.Response(403, json={"error": "HTTP 403 Forbidden"})
            return httpx.Response(200, json={"type": "secret", "value": found})
        return httpx.Response(404, json={"error": "Realm not found."})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        if form["client_secret"] != [ADMIN_SECRET]:
            return httpx.Response(401, json={"error": "unauthorized_client"})
        self.tokens += 1
        return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 60})

    def client(self, secret: str = ADMIN_SECRET) -> Keycloak:
        """Return a caller that repeats failed calls without a pause."""
        return Keycloak(
            "https://kc.test/",
            Administrator("keyturn-migration", Secret(secret)),
            transport=httpx.MockTransport(self),
            first_pause=timedelta(),
        )
