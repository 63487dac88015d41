"""One of the two servers: its realms, administrators and callers, and one scenario's requests to it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import httpx

from tests.keycloak.facts import Facts, facts_of
from tests.keycloak.scenario import SECRET, Request, Scenario, fill

_TOKEN_SECONDS: Final = 30.0
VIEWER, MANAGER, STRANGER = "viewer", "manager", "stranger"
EXPIRED, FOREIGN = "expired", "foreign"


class GivenError(Exception):
    """A request that prepares a scenario failed."""


class World:
    """A server with the realms of the run. ``admin``: realm, client_id and client_secret of the first
    administrator."""

    def __init__(self, name: str, base_url: str, admin: Mapping[str, str]) -> None:
        self.name = name
        self.base_url = base_url
        self._admin = admin
        self._http = httpx.Client(base_url=base_url, timeout=120, trust_env=False)
        self._tokens: dict[str, tuple[str, float]] = {}
        self._callers: dict[str, tuple[str, str, str]] = {
            "admin": (admin["realm"], admin["client_id"], admin["client_secret"])
        }
        self._fixed: dict[str, str] = {"garbage": "garbage", "unsigned": _UNSIGNED}

    def close(self) -> None:
        self._http.close()

    def add_caller(self, name: str, realm: str, client_id: str, secret: str = SECRET) -> None:
        """Let requests name the access tokens of this client."""
        self._callers[name] = (realm, client_id, secret)

    def keep_token_of(self, caller: str, name: str) -> None:
        """Keep today's token of this caller under another name, never renewed."""
        self._fixed[name] = self.bearer(caller)

    def bearer(self, caller: str) -> str:
        """Return an access token that is young enough."""
        if caller in self._fixed:
            return self._fixed[caller]
        token, until = self._tokens.get(caller, ("", 0.0))
        if time.monotonic() > until:
            realm, client_id, secret = self._callers[caller]
            answer = self._http.post(
                f"/realms/{realm}/protocol/openid-connect/token",
                data={"grant_type": "client_credentials"},
                auth=(client_id, secret),
            )
            answer.raise_for_status()
            token = str(answer.json()["access_token"])
            self._tokens[caller] = (token, time.monotonic() + _TOKEN_SECONDS)
        return token

    def scope(self, number: int = 0) -> Scope:
        """Return the variables of a new scenario."""
        return Scope(self, number)

    def must(self, request: Request, variables: Scope | None = None) -> httpx.Response:
        """Send it; raise GivenError unless it succeeds."""
        scope = variables or Scope(self, 0)
        answer = self.send(request, scope)
        if not answer.is_success:
            what = f"{request.method} {fill(request.path, scope)}"
            raise GivenError(f"{self.name}: {what}: {answer.status_code} {answer.text[:500]}")
        return answer

    def send(self, request: Request, scope: Scope) -> httpx.Response:
        headers = {name: fill(value, scope) for name, value in request.headers.items()}
        if request.caller is not None:
            headers.setdefault("Authorization", f"Bearer {fill(self._bearer_or_text(request.caller), scope)}")
        options: dict[str, Any] = {}
        if request.json is not None:
            options["json"] = fill(request.json, scope)
        if request.form is not None:
            pairs = [(name, fill(value, scope)) for name, value in request.form]
            options["content"] = str(httpx.QueryParams(pairs)).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if request.body is not None:
            options["content"] = request.body
        if request.files is not None:
            options["files"] = {name: _part(part, scope) for name, part in request.files.items()}
        if request.basic is not None:
            options["auth"] = tuple(fill(part, scope) for part in request.basic)
        answer = self._http.request(request.method, fill(request.path, scope), headers=headers, **options)
        for name, source in request.keep.items():
            scope.keep(name, _taken(answer, source))
        return answer

    def _bearer_or_text(self, caller: str) -> str:
        return caller if caller.startswith("{") else self.bearer(caller)

    def play(self, scenario: Scenario, number: int) -> list[Facts]:
        """Send all requests of a scenario; return the facts of those that are compared."""
        scope = Scope(self, number)
        for request in scenario.given:
            self.must(request, scope)
        return [facts_of(self.send(request, scope), scope.known()) for request in scenario.requests]


class Scope:
    """The variables of one scenario on one server."""

    def __init__(self, world: World, number: int) -> None:
        self._values = {
            "base": world.base_url,
            "issuer": f"{world.base_url}/realms/acme",
            "client": f"client-{number}",
            "other_client": f"other-{number}",
            "new_realm": f"realm-{number}",
            "role": f"role-{number}",
            "scope": f"scope-{number}",
        }
        self._known = {world.base_url: "base"}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def keep(self, name: str, value: str) -> None:
        """Set a variable from an answer; its value varies from server to server."""
        self._values[name] = value
        if value:
            self._known[value] = name

    def known(self) -> dict[str, str]:
        return self._known


def _taken(answer: httpx.Response, source: str) -> str:
    if source == "location":
        return str(answer.headers.get("location", "").rpartition("/")[2])
    try:
        value: Any = answer.json()
        for part in source.split("."):
            value = value[int(part) if part.isdigit() else part]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
    return str(value)


def _part(part: tuple[str, Any], scope: Scope) -> Any:
    name, content = part
    data = content if isinstance(content, bytes) else fill(content, scope).encode()
    return (name, data) if name else (None, data)


_UNSIGNED: Final = (
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
    "eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xL3JlYWxtcy9tYXN0ZXIiLCJleHAiOjQxMDAwMDAwMDB9."
)
