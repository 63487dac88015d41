"""The agent as a process whose key is in a token."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from tests.integration.pkcs11.conftest import Token
from tests.testkit.http_receiver import Answer, Receiver, Request
from tests.testkit.processes import Processes
from tests.testkit.waiting import wait_until_blocking

SETTINGS = """
issuer = "{issuer}/realms/acme"
client_id = "orders"
state = "{directory}/state.json"
socket = "{directory}/agent.sock"
pkcs11_module = "{module}"
pkcs11_token = "{token}"
pkcs11_key = "{key}"
pkcs11_pin_file = "{pin_file}"
"""


class Issuer(Receiver):
    """A realm that has registered keys. Its first token request begins a rotation of the key."""

    def __init__(self, jwk: dict[str, object]) -> None:
        super().__init__(self._answer)
        self.keys = [jwk]
        self.wants_key = False

    def _answer(self, request: Request) -> Answer:
        form = dict(httpx.QueryParams(request.body.decode()))
        kid = jwt.get_unverified_header(form["client_assertion"])["kid"]
        for key in self.keys:
            if key["kid"] == kid:
                claims = jwt.decode(form["client_assertion"], jwt.PyJWK(key), options={"verify_aud": False})
                return self._accepted(request.url.path.removeprefix("/realms/acme"), kid, claims)
        return Answer(401, {"error": "invalid_client"})

    def _accepted(self, place: str, kid: str, claims: dict[str, str]) -> Answer:
        state = "planned" if self.wants_key else "overlapping"
        rotation = {"id": "r-1", "kind": "key", "state": state, "waits_for": "successor"}
        match place:
            case "/protocol/openid-connect/token":
                return Answer(200, {"access_token": f"token of {kid}", "expires_in": 300})
            case "/rotation":
                return Answer(200, {"rotation": rotation if self.wants_key else None, "interval": 1})
            case "/rotation/key":
                self.keys.append(jwt.get_unverified_header(claims["next_key"])["jwk"])
                self.wants_key = False
                return Answer(200, {"rotation": rotation | {"waits_for": None}, "interval": 1})
        return Answer(404)


@pytest.fixture
def issuer(token: Token) -> Iterator[Issuer]:
    token.make_key("P-256")
    with Issuer(dict(token.signer().public_jwk)) as made:
        yield made


def config(directory: Path, token: Token, issuer: str, key: str = "orders") -> Path:
    path = directory / "agent.toml"
    names = {"module": token.hsm.module, "token": token.label, "pin_file": token.pin_file, "key": key}
    path.write_text(SETTINGS.format(issuer=issuer, directory=directory, **names))
    return path


def test_the_agent_hands_out_tokens_while_its_key_stays_in_the_token(
    token: Token, issuer: Issuer, tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = config(tmp_path, token, issuer.url)
    transport = httpx.HTTPTransport(uds=str(tmp_path / "agent.sock"))
    first = issuer.keys[0]["kid"]

    def start() -> None:
        process = processes.start([sys.executable, "-m", "keyturn", "agent", path])
        wait_until_blocking(lambda: (tmp_path / "agent.sock").exists() or not process.alive)
        assert process.alive, process.output()

    def answer(scope: str) -> httpx.Response:
        return http.get("http://agent/token", params={"scope": scope})

    start()
    with httpx.Client(transport=transport, timeout=30) as http:
        wait_until_blocking(lambda: answer("a").status_code == 200)
        assert answer("a").json()["access_token"] == f"token of {first}"
        with token.hsm.without_tokens():
            refused = answer("b")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.json()["error_description"] == f"{token.hsm.module} has no token {token.label!r}"
            assert answer("a").status_code == 200, "a cached one"
        assert answer("b").json()["access_token"] == f"token of {first}"
        issuer.wants_key = True
        wait_until_blocking(lambda: len(issuer.keys) == 2)
        second = issuer.keys[1]["kid"]
        wait_until_blocking(lambda: f'"kid": "{second}"' in (tmp_path / "state.json").read_text())
        numbers = iter(range(1000))
        wait_until_blocking(
            lambda: answer(f"c{next(numbers) % 50}").json()["access_token"] == f"token of {second}"
        )
    assert '"d"' not in (tmp_path / "state.json").read_text()


def test_a_mistake_ends_the_agent_with_one_line(token: Token, tmp_path: Path, processes: Processes) -> None:
    token.make_key("P-256")
    path = config(tmp_path, token, "https://id.example.test", key="none")
    process = processes.start([sys.executable, "-m", "keyturn", "agent", path])
    assert process.wait(30.0) == 2
    told = f"keyturn: pkcs11_module: the token {token.label!r} has no private key 'none'\n"
    assert process.output() == told
