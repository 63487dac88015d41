"""A campaign: its pace, its first clients, its failures, and where it stops."""

import json
import re
from typing import Any

import httpx
import pytest

from keyturn.admin_cli.api import AdminApi
from keyturn.admin_cli.campaign import CREATED, Campaign, Pace, Selection
from keyturn.admin_cli.exits import CommandError
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.servers import Server
from keyturn.admin_cli.session import Session


class Token:
    def current(self) -> str:
        return "token"

    def renew(self) -> bool:
        return False


class Service:
    """The admin API. ``statuses``: of the response to the rotation of a client, 201 by default. ``states``:
    those in which its rotation is seen, one after the other; the last one stays."""

    def __init__(self) -> None:
        self.clients: list[dict[str, Any]] = []
        self.statuses: dict[str, int] = {}
        self.states: dict[str, list[str]] = {}
        self.rotated: list[str] = []
        self.now = 0.0
        self.began: list[float] = []
        self.queries: list[str] = []

    def session(self) -> Session:
        http = httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(self))
        return Session(AdminApi(Server(http), Token()), "acme", Output(as_json=True))

    def campaign(self, pace: Pace, reason: str = "manual") -> Campaign:
        return Campaign(self.session(), pace, reason, sleep=self.sleep, elapsed=lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/admin/realms/acme")
        if path == "/clients":
            self.queries.append(request.url.query.decode())
            return httpx.Response(200, json=self.clients)
        if found := re.fullmatch(r"/clients/(.+)/rotations", path):
            name = found[1]
            assert json.loads(request.content) == {"kind": "secret", "reason": "manual"}
            assert request.headers["prefer"] == "respond-async"
            self.began.append(self.now)
            status = self.statuses.get(name, 201)
            if status != 201:
                return httpx.Response(status, json={"detail": f"refused {name}"})
            self.rotated.append(name)
            headers = {"keyturn-sequence": str(len(self.rotated))}
            return httpx.Response(201, headers=headers, json={"id": name, "state": "prepared"})
        states = self.states[path.removeprefix("/rotations/")]
        return httpx.Response(200, json={"state": states.pop(0) if len(states) > 1 else states[0]})


def clients(count: int) -> list[dict[str, str]]:
    return [{"id": f"c{number}", "clientId": f"client-{number}"} for number in range(count)]


def test_rotations_begin_at_the_rate() -> None:
    service = Service()
    outcome = service.campaign(Pace(rate=4)).run(clients(5))
    assert service.rotated == [f"c{number}" for number in range(5)]
    assert service.began == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (len(outcome.rotated), outcome.sequence, outcome.stopped) == (5, 5, None)


def test_the_others_follow_once_the_first_ones_use_their_new_secrets() -> None:
    service = Service()
    service.states = {"c0": ["prepared", "in_use"], "c1": ["prepared", "delivered", "done"]}
    outcome = service.campaign(Pace(rate=1000, canary=2, canary_seconds=60)).run(clients(4))
    assert outcome.stopped is None
    assert [begun >= 4 for begun in service.began] == [False, False, True, True]


@pytest.mark.parametrize(
    ("state", "stopped"),
    [
        ("prepared", "1 of the first 2 clients do not use their new secret"),
        ("rolled_back", "1 of the first 2 rotations were given up"),
    ],
)
def test_it_stops_if_the_first_ones_do_not(state: str, stopped: str) -> None:
    service = Service()
    service.states = {"c0": ["done"], "c1": [state]}
    outcome = service.campaign(Pace(rate=1000, canary=2, canary_seconds=60)).run(clients(4))
    assert (outcome.stopped, service.rotated) == (stopped, ["c0", "c1"])


def test_a_rotation_under_way_is_no_failure_and_failures_are_counted() -> None:
    service = Service()
    service.statuses = {"c0": 409, "c1": 403, "c2": 400, "c4": 400}
    outcome = service.campaign(Pace(rate=1000, max_failures=2)).run(clients(6))
    assert outcome.under_way == ["client-0"]
    assert outcome.rotated == ["client-3"]
    assert list(outcome.failed) == ["client-1", "client-2", "client-4"]
    assert outcome.failed["client-2"] == "refused c2"
    assert outcome.stopped == "3 rotations could not be begun"


@pytest.mark.parametrize("status", [401, 503])
def test_a_server_that_is_away_ends_it_with_what_was_done(status: int) -> None:
    service = Service()
    service.statuses = {"c2": status}
    campaign = service.campaign(Pace(rate=1000))
    with pytest.raises(CommandError):
        campaign.run(clients(4))
    assert campaign.outcome.rotated == ["client-0", "client-1"]


def test_only_secrets_made_before_are_chosen() -> None:
    service = Service()

    def client(name: str, created: object = "99", **members: object) -> dict[str, Any]:
        attributes = {} if created is None else {CREATED: created}
        return {
            "clientId": name,
            "clientAuthenticatorType": "client-secret",
            "attributes": attributes,
        } | members

    service.clients = [
        client("old"),
        client("new", "100"),
        client("signs", clientAuthenticatorType="client-secret-jwt"),
        client("key", clientAuthenticatorType="client-jwt"),
        client("public", publicClient=True),
        client("bearer", bearerOnly=True),
        client("none", None),
        client("odd", "x"),
    ]

    def chosen(**selection: Any) -> list[str]:
        found = Selection(created_before=100, **selection).clients(service.session())
        return [each["clientId"] for each in found]

    assert chosen() == ["old", "signs"]
    assert chosen(authenticator="client-secret-jwt") == ["signs"]
    assert service.queries[-1] == "first=0&max=500"
    chosen(part="pay", attributes="team:a b:c")
    assert service.queries[-1] == "clientId=pay&search=true&q=team%3Aa+b%3Ac&first=0&max=500"
