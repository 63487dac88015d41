"""A client's secret over rotations, restarts and rotations that are given up."""

import base64
import json
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import httpx
import pytest

from keyturn import (
    ClientCredentials,
    ClientKeys,
    ClientSecret,
    NoTokenError,
    RotationError,
    SecretStateError,
    SigningKey,
    follow_secret_rotations,
    take_new_secret,
)

ISSUER = "https://id.example.test/realms/acme"


class Server:
    """Token endpoint and rotations of one client. ``accepted``: its valid secrets. ``offered``: the new one,
    until it is confirmed. ``over``: the rotation has ended. ``fails``: statuses of the next answers."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = set(accepted)
        self.offered: str | None = None
        self.confirmed: list[tuple[str, str]] = []
        self.fails: list[int] = []
        self.over = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.fails:
            return httpx.Response(self.fails.pop(0), text="busy")
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        client_id, secret = (unquote_plus(part) for part in pair.split(":"))
        if (client_id, secret in self.accepted) != ("or:ders", True):
            return httpx.Response(401, json={"error": "invalid_client"})
        form = parse_qs(request.content.decode())
        match request.url.path.removeprefix("/realms/acme"):
            case "/protocol/openid-connect/token":
                return httpx.Response(200, json={"access_token": "a token", "expires_in": 300})
            case "/rotation":
                shown: dict[str, Any] = {"rotation": None, "interval": 42}
                if self.offered is not None:
                    shown |= {"rotation": {"id": "r-1"}, "secret": self.offered, "interval": 5}
                return httpx.Response(200, json=shown)
            case "/rotation/delivered":
                if self.over:
                    return httpx.Response(404, json={"error": "not_found"})
                self.confirmed.append((form["rotation"][0], secret))
                self.offered = None
                return httpx.Response(200, json={"rotation": {"id": "r-1"}})
        return httpx.Response(404)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def credentials_of(secret: ClientSecret) -> ClientCredentials:
    return ClientCredentials(ISSUER, "or:ders", secret)


async def test_a_new_secret_is_stored_before_it_is_confirmed_with_itself(tmp_path: Path) -> None:
    state = tmp_path / "secrets.json"
    secret = ClientSecret("first %&", state=state)
    server = Server("first %&", "second")
    async with server.http() as http:
        assert await take_new_secret(secret, credentials_of(secret), http) == 42
        assert not state.exists()
        server.offered = "second"
        assert await take_new_secret(secret, credentials_of(secret), http) == 5
    assert server.confirmed == [("r-1", "second")]
    assert secret.reveal() == "second"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert ClientSecret("first %&", state=state).reveal() == "second", "after a restart"
    assert "second" not in repr(secret)


async def test_a_crash_between_storing_and_confirming_loses_nothing(tmp_path: Path) -> None:
    state = tmp_path / "secrets.json"
    server = Server("first", "second")
    server.offered = "second"
    ClientSecret("first", state=state).use("second")
    again = ClientSecret("first", state=state)
    async with server.http() as http:
        await take_new_secret(again, credentials_of(again), http)
    assert server.confirmed == [("r-1", "second")]
    assert again.others("second") == ("first",)


async def test_a_rotation_that_has_ended_meanwhile_needs_no_confirmation() -> None:
    """Another request had used the new secret by then."""
    secret = ClientSecret("first")
    server = Server("first", "second")
    server.offered, server.over = "second", True
    async with server.http() as http:
        assert await take_new_secret(secret, credentials_of(secret), http) == 5
    assert secret.reveal() == "second"


async def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path) -> None:
    secret = ClientSecret("first", state=tmp_path / "nowhere" / "secrets.json")
    server = Server("first", "second")
    server.offered = "second"
    async with server.http() as http:
        with pytest.raises(SecretStateError, match="No such file"):
            await take_new_secret(secret, credentials_of(secret), http)
    assert (secret.reveal(), server.confirmed) == ("first", [])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"secrets": [1]}', '{"secrets": "x"}', "\x00"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    state = tmp_path / "secrets.json"
    state.write_text(text)
    with pytest.raises(SecretStateError, match="is not a file of a client's secrets"):
        ClientSecret("first", state=state)


async def test_a_rotation_that_is_given_up_leads_back_to_the_former_secret(tmp_path: Path) -> None:
    secret = ClientSecret("first", state=tmp_path / "secrets.json")
    secret.use("second")
    async with Server("first").http() as http:
        await take_new_secret(secret, credentials_of(secret), http)
        assert secret.reveal() == "first"
        secret.use("second")
        flow = credentials_of(secret).auth_flow(httpx.Request("GET", "https://api.example.test"))
        request = next(flow)
        while request.url.host == "id.example.test":
            request = flow.send(await http.send(request))
    assert request.headers["authorization"] == "Bearer a token"
    assert (secret.reveal(), secret.others("first")) == ("first", ("second",))


def test_concurrent_requests_all_find_the_valid_secret(tmp_path: Path) -> None:
    """One of them goes back to the former secret while the others are under way."""
    secret = ClientSecret("first", state=tmp_path / "secrets.json")
    secret.use("second")
    credentials = credentials_of(secret)
    flows = [credentials.auth_flow(httpx.Request("GET", "https://api.example.test")) for _ in range(3)]
    requests = [next(flow) for flow in flows]
    server = Server("first")
    for flow, first in zip(flows, requests, strict=True):
        request = first
        while request.url.host == "id.example.test":
            request = flow.send(server(request))
        assert request.headers["authorization"] == "Bearer a token"
    assert secret.reveal() == "first"


def test_processes_that_share_the_file_lose_no_secret_of_each_other(tmp_path: Path) -> None:
    state = tmp_path / "secrets.json"
    one, other = (ClientSecret("first", state=state) for _ in range(2))
    one.use("second")
    assert other.reveal() == "first"
    assert other.others("first") == ("second",), "it looks into the file when it is refused"
    other.use("first")
    again = ClientSecret("first", state=state)
    assert {again.reveal(), *again.others(again.reveal())} == {"first", "second"}
    one.use("third")
    assert ClientSecret("first", state=state).reveal() == "third"


@pytest.mark.parametrize(
    "body",
    [
        {"rotation": None, "interval": "abc"},
        {"rotation": None, "interval": None},
        {"rotation": None, "interval": float("inf")},
        {"rotation": {}, "interval": 5, "secret": "s"},
        {"rotation": "x", "interval": 5, "secret": "s"},
        {"rotation": {"id": "r"}, "interval": 5, "secret": 5},
        {"rotation": {"id": "r"}, "interval": 5, "secret": ""},
        {"rotation": {"id": "r"}, "interval": 5, "secret": "\ud800"},
        {"rotation": {"id": "\ud800"}, "interval": 5, "secret": "s"},
        {"rotation": None, "interval": 10**400},
        {"interval": 5},
        [],
        "text",
    ],
)
async def test_an_odd_response_is_refused_and_stored_nowhere(tmp_path: Path, body: object) -> None:
    state = tmp_path / "secrets.json"
    secret = ClientSecret("first", state=state)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(body)))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(RotationError):
            await take_new_secret(secret, credentials_of(secret), http)
    assert (secret.reveal(), state.exists()) == ("first", False)


def answering(body: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(body)))
    )


@pytest.mark.parametrize(("given", "kept"), [(0, 1), (-5, 1), (1e300, 3600), (60, 60)])
async def test_an_interval_is_bounded(given: float, kept: float) -> None:
    secret = ClientSecret("first")
    async with answering({"rotation": None, "interval": given}) as http:
        assert await take_new_secret(secret, credentials_of(secret), http) == kept


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": 5, "expires_in": 1},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "t", "expires_in": "x"},
        {"access_token": "t", "expires_in": None},
        {"access_token": "t", "expires_in": 10**400},
        {"access_token": "two\nlines"},
        {"access_token": "\ud800"},
    ],
)
async def test_an_odd_token_is_none(body: object) -> None:
    credentials = credentials_of(ClientSecret("first"))
    async with answering(body) as http:
        with pytest.raises(NoTokenError, match="the response has no token"):
            await credentials.token(http)


async def test_what_is_nested_too_deeply_is_no_answer() -> None:
    secret = ClientSecret("first")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content="[" * 100_000))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(RotationError):
            await take_new_secret(secret, credentials_of(secret), http)
        with pytest.raises(NoTokenError):
            await credentials_of(secret).token(http)


async def test_whoever_is_refused_with_every_secret_is_told() -> None:
    secret = ClientSecret("first")
    async with Server("another").http() as http:
        with pytest.raises(RotationError, match="401"):
            await take_new_secret(secret, credentials_of(secret), http)
        flow = credentials_of(secret).auth_flow(httpx.Request("GET", "https://api.example.test"))
        refused = await http.send(next(flow))
        with pytest.raises(NoTokenError):
            flow.send(refused)


async def test_the_task_survives_a_server_that_is_away_and_backs_off() -> None:
    secret = ClientSecret("first")
    server = Server("first", "second")
    server.offered = "second"
    server.fails = [500, 502, 503]
    waited: list[float] = []

    class EnoughError(Exception):
        pass

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 5:
            raise EnoughError

    async with server.http() as http:
        with pytest.raises(EnoughError):
            await follow_secret_rotations(secret, credentials_of(secret), http, sleep=sleep)
    expected = (1, 2, 4, 5, 42)
    assert all(most / 2 <= seconds <= most for seconds, most in zip(waited, expected, strict=True)), waited
    assert secret.reveal() == "second"


def test_a_client_with_keys_has_no_secret_to_rotate() -> None:
    credentials = ClientCredentials(ISSUER, "worker", ClientKeys(SigningKey.generate()))
    with pytest.raises(TypeError):
        credentials.rotation_request(confirmed="r-1")
