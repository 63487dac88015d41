"""A model of the admin API and of nodes, for one realm."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from keyturn.admin_cli.api import AdminApi
from keyturn.admin_cli.servers import Server
from keyturn.probe.canary import MARK, Canary
from keyturn.probe.judgement import Answer, Place
from keyturn.probe.node_requests import Presented, Told
from keyturn.probe.targets import Node

ALL = "nodes=2, applied=2, fenced=0, pending=0"
NOW = 1_000_000
_DATE = "Mon, 12 Jan 1970 13:46:40 GMT"


class _Token:
    def current(self) -> str:
        return "token"

    def renew(self) -> bool:
        return False


@dataclass
class ServerModel:
    """Answers the calls of a canary. ``fleet``: the header of the next changes, one for each, then ALL.
    ``events``: that the event log has after any sequence. ``refuses``: status of all changes."""

    client: dict[str, Any] | None = None
    fleet: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refuses: int | None = None
    secret: int = 0
    generation: int = 0

    def canary(self, elapsed: Callable[[], float] = lambda: 0.0) -> Canary:
        """Return a canary whose calls this answers."""
        http = httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(self._answer))
        return Canary(AdminApi(Server(http), _Token()), "acme", "canary", wait=10, elapsed=elapsed)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/admin/realms/acme")
        if request.method == "GET":
            return self._read(path)
        if self.refuses is not None:
            return httpx.Response(self.refuses, json={"error": "refused"})
        body = json.loads(request.content or b"{}")
        self.changes.append((request.method, path, body | dict(request.url.params)))
        headers = {"keyturn-sequence": "7", "keyturn-fleet": self.fleet.pop(0) if self.fleet else ALL}
        if path == "/clients":
            self.client = {"id": "u", **body}
            return httpx.Response(201, headers={**headers, "location": "https://id.test/clients/u"})
        if path == "/clients/u/client-secret":
            self.secret += 1
            return httpx.Response(200, headers=headers, json={"value": f"secret-{self.secret}"})
        assert self.client is not None
        if body.get("notBefore") or body.get("enabled") is False:
            self.generation += 1
        self.client |= body
        return httpx.Response(204, headers=headers)

    def _read(self, path: str) -> httpx.Response:
        if path == "/clients":
            return httpx.Response(200, json=[] if self.client is None else [self.client])
        if path == "/event-log":
            return httpx.Response(200, json=self.events)
        if path == "/fleet":
            nodes: list[dict[str, object]] = [
                {"id": name, "name": name, "lease": "held", "fleet_keys": []} for name in ("a", "b")
            ]
            return httpx.Response(200, json={"nodes": nodes})
        return httpx.Response(200, headers={"date": _DATE}, json=self.client)


@dataclass
class NodesModel:
    """Answers as the server's state demands. ``wrong``: nodes that accept everything at a place, and how many
    times. ``away``: nodes that do not answer."""

    server: ServerModel
    wrong: dict[tuple[str, Place], int] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def ask(self, node: Node, place: Place, presented: Presented) -> Told:
        if node.address in self.away:
            return Told(Answer.UNREACHED, "no response within 5 s")
        if self._is_valid(place, presented):
            return Told(Answer.ACCEPTED, token=f"t.{self.server.generation}")
        left = self.wrong.get((node.address, place), 0)
        if left > 0:
            self.wrong[node.address, place] = left - 1
            return Told(Answer.ACCEPTED)
        return Told(Answer.REFUSED, "401")

    def _is_valid(self, place: Place, presented: Presented) -> bool:
        client = self.server.client or {}
        if client.get("enabled") is False:
            return False
        if place is not Place.FORWARD_AUTH and not presented.secret.matches(f"secret-{self.server.secret}"):
            return False
        return place is Place.TOKEN or presented.token == f"t.{self.server.generation}"


def marked(**members: object) -> dict[str, Any]:
    """Return a canary that is there already."""
    return {"id": "u", "clientId": "canary", "enabled": True, "attributes": {MARK: "true"}, **members}
