"""An admin API whose clients are rotated."""

import json
import re
from typing import Any

import httpx

from keyturn.admin_cli.api import AdminApi
from keyturn.admin_cli.campaign import CREATED, Campaign, Outcome, Pace, Selection
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.servers import Server
from keyturn.admin_cli.session import Session


class Token:
    def current(self) -> str:
        return "token"

    def renew(self) -> bool:
        return False


def client(name: str, created: object = "99", **members: object) -> dict[str, Any]:
    attributes = {} if created is None else {CREATED: created}
    return {
        "id": name,
        "clientId": f"client-{name}",
        "clientAuthenticatorType": "client-secret",
        "attributes": attributes,
    } | members


def clients(count: int) -> list[dict[str, Any]]:
    return [client(f"c{number}") for number in range(count)]


class Service:
    """The admin API. ``listings``: one after the other; the last one stays. ``statuses``: of the response to
    the rotation of a client, 201 by default. ``states``: those that its rotation moves to, one at each read;
    the last one stays. ``seconds``: the time that the rotation of a client takes. ``gone``: clients that are
    not there any more when they are read. ``is_safe``: every node has applied every change."""

    def __init__(self, *listings: list[dict[str, Any]]) -> None:
        self.listings = list(listings) or [[]]
        self.clients = {each["id"]: each for listing in listings for each in listing}
        self.gone: set[str] = set()
        self.statuses: dict[str, int] = {}
        self.states: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = {}
        self.is_safe = True
        self.rotated: list[str] = []
        self.now = 0.0
        self.began: list[float] = []
        self.queries: list[str] = []
        self.histories: dict[str, list[dict[str, str]]] = {}

    def session(self, *, as_json: bool = True) -> Session:
        http = httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(self))
        caller = ("acme", "client-own")
        return Session(AdminApi(Server(http), Token()), "acme", Output(as_json), caller)

    def campaign(self, pace: Pace) -> Campaign:
        selection = Selection(created_before=100)
        return Campaign(self.session(), selection, pace, "manual", sleep=self.sleep, elapsed=lambda: self.now)

    def run(self, pace: Pace) -> Outcome:
        return self.campaign(pace).run(self.listings.pop(0) if len(self.listings) > 1 else self.listings[0])

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/admin/realms/acme")
        if path == "/clients":
            self.queries.append(request.url.query.decode())
            listed = self.listings.pop(0) if len(self.listings) > 1 else self.listings[0]
            return httpx.Response(200, json=listed, headers={"date": "Thu, 01 Jan 1970 00:01:40 GMT"})
        if found := re.fullmatch(r"/clients/(.+)/rotations", path):
            return self._rotate(found[1], request)
        if found := re.fullmatch(r"/clients/(.+)", path):
            is_there = found[1] not in self.gone
            return httpx.Response(200, json=self.clients[found[1]]) if is_there else httpx.Response(404)
        if path == "/fleet":
            return httpx.Response(200, json={"safe": self.is_safe})
        name = path.removeprefix("/rotations/")
        states = self.states[name]
        history = self.histories.setdefault(name, [])
        history.append({"state": states.pop(0) if len(states) > 1 else states[0]})
        return httpx.Response(200, json={**history[-1], "history": history})

    def _rotate(self, name: str, request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"kind": "secret", "reason": "manual"}
        assert request.headers["prefer"] == "respond-async"
        self.began.append(self.now)
        self.now += self.seconds.get(name, 0.0)
        status = self.statuses.get(name, 201)
        if status != 201:
            return httpx.Response(status, json={"detail": f"refused {name}"})
        self.rotated.append(name)
        headers = {"keyturn-sequence": str(len(self.rotated))}
        return httpx.Response(201, headers=headers, json={"id": name, "state": "prepared"})
