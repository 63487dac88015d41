"""A client's keys over a rotation, its tokens over their lifetime, and its published JWK Set."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import httpx
import pytest

from keyturn import (
    ClientCredentials,
    ClientKeys,
    JwksEndpoint,
    NoTokenError,
    RotationError,
    WsgiJwksEndpoint,
    rotate,
)
from keyturn_credentials.keystores import ArchivePasswords, KeyEntry, write_archive
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.verify import verify_signature
from keyturn_shared.secret import Secret
from tests.testkit.key_material import JKS, NOW, certificate, key_pair

ISSUER = "https://id.example.test/realms/acme"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def kids(keys: ClientKeys) -> list[str]:
    published: Any = keys.jwks["keys"]
    return [key["kid"] for key in published]


def test_a_key_is_published_before_it_signs_and_for_a_while_after() -> None:
    clock = Clock()
    old, new = SigningKey.generate(kid="old"), SigningKey.generate(kid="new")
    keys = ClientKeys(old, withdrawn_after=75, elapsed=clock, now=clock)
    keys.publish(new)
    assert (keys.signing.kid, kids(keys)) == ("old", ["old", "new"])
    with pytest.raises(RotationError):
        keys.publish(SigningKey.generate())
    keys.promote()
    assert (keys.signing.kid, kids(keys)) == ("new", ["new", "old"])
    clock.now += 75
    assert kids(keys) == ["new"]
    with pytest.raises(RotationError):
        keys.promote()


async def test_a_key_that_nobody_accepts_is_withdrawn_and_the_former_goes_on() -> None:
    keys = ClientKeys(SigningKey.generate(kid="old"))
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    transport = httpx.MockTransport(lambda _: httpx.Response(401, json={"error": "invalid_client"}))
    async with httpx.AsyncClient(transport=transport) as http:
        credentials = ClientCredentials(ISSUER, "worker", keys)
        with pytest.raises(RotationError):
            await rotate(keys, credentials, http, attempts=3, sleep=sleep)
    assert (keys.signing.kid, kids(keys), waited) == ("old", ["old"], [11.0, 1.0, 1.0, 1.0])


class Server:
    """A token endpoint and an API, as one transport. ``refusing``: how many API requests get 401."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.issued = 0
        self.refusing = 0
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            if self.down:
                return httpx.Response(503, json={"error": "temporarily_unavailable"})
            form = dict(httpx.QueryParams(request.content.decode()))
            token = parse_compact(form["client_assertion"])
            verify_signature(token, self.key.verification_key)
            assert (token.claims["aud"], token.claims["sub"], form["scope"]) == (ISSUER, "worker", "read")
            self.issued += 1
            return httpx.Response(200, json={"access_token": f"token-{self.issued}", "expires_in": 300})
        if self.refusing:
            self.refusing -= 1
            return httpx.Response(401)
        return httpx.Response(200, text=request.headers["authorization"])


def client_of(server: Server, clock: Clock) -> httpx.Client:
    credentials = ClientCredentials(ISSUER, "worker", ClientKeys(server.key), scope="read", now=clock)
    return httpx.Client(transport=httpx.MockTransport(server), auth=credentials, base_url="https://api")


def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    clock, server = Clock(), Server(SigningKey.generate())
    with client_of(server, clock) as http:
        assert [http.get("/").text for _ in range(3)] == ["Bearer token-1"] * 3
        clock.now += 271
        server.down = True
        assert http.get("/").text == "Bearer token-1"  # still valid, so it is used
        server.down = False
        assert http.get("/").text == "Bearer token-2"


def test_a_request_that_is_refused_is_sent_once_more_with_a_new_token() -> None:
    server = Server(SigningKey.generate())
    with client_of(server, Clock()) as http:
        http.get("/")
        server.refusing = 1
        assert http.get("/").text == "Bearer token-2"
        server.refusing = 2
        assert http.get("/").status_code == 401


def test_without_a_token_the_request_is_not_sent() -> None:
    server = Server(SigningKey.generate())
    server.down = True
    with client_of(server, Clock()) as http, pytest.raises(NoTokenError) as error:
        http.get("/")
    assert error.value.status == 503


async def test_an_answer_of_an_api_is_for_the_caller_to_read() -> None:
    server = Server(SigningKey.generate())
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(b"a")
        yield b"a"

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            server(request) if request.url.host == "id.example.test" else httpx.Response(200, content=body())
        )

    credentials = ClientCredentials(ISSUER, "worker", ClientKeys(server.key), scope="read")
    transport = httpx.MockTransport(answer)
    async with (
        httpx.AsyncClient(transport=transport, auth=credentials, base_url="https://api") as http,
        http.stream("GET", "/") as response,
    ):
        assert read == []
        assert await response.aread() == b"a"


async def test_the_key_set_is_served_with_an_etag_and_no_private_member() -> None:
    keys = ClientKeys(SigningKey.generate(kid="k"))
    transport = httpx.ASGITransport(app=JwksEndpoint(keys))
    async with httpx.AsyncClient(transport=transport, base_url="https://client") as http:
        first = await http.get("/k_jwks")
        again = await http.get("/k_jwks", headers={"If-None-Match": first.headers["etag"]})
        posted = await http.post("/k_jwks")
    assert (first.json(), again.status_code, posted.status_code) == (keys.jwks, 304, 405)
    assert '"d"' not in json.dumps(first.json())
    assert first.headers["cache-control"] == "max-age=10"


def test_the_examples_of_the_documentation_can_be_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ORDERS_SECRET", "the first secret")
    page = (Path(__file__).parents[4] / "docs" / "clients.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    with_keys, in_jks, _, with_a_secret = examples  # tests/integration/pkcs11 runs the one with a token
    state = tmp_path / "keys.json"
    with_keys = with_keys.replace("/var/lib/orders/keys.json", str(state))
    names: dict[str, Any] = {}
    exec(compile(with_keys, "docs/clients.md", "exec"), names)
    assert kids(names["keys"]) == [names["keys"].signing.kid]
    tokens = "https://id.example.com/realms/acme/protocol/openid-connect/token"
    assert names["credentials"].token_request().url == tokens
    archive = tmp_path / "orders.jks"
    entries = [KeyEntry("orders", key_pair(), (certificate(),))]
    passwords = ArchivePasswords(store=Secret("…"), key=Secret("…"))
    archive.write_bytes(write_archive(JKS, entries, passwords, now=NOW))
    exec(compile(in_jks.replace("orders.jks", str(archive)), "docs/clients.md", "exec"), names)
    assert names["key"].verification_key.public_key == key_pair().public_key
    exec(compile(with_a_secret, "docs/clients.md", "exec"), names)
    assert names["secret"].reveal() == "the first secret"
    assert names["credentials"].token_request().url == tokens


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_wsgi_serves_the_same_as_asgi(method: str) -> None:
    keys = ClientKeys(SigningKey.generate(kid="k"))
    url = "https://client/k_jwks"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=JwksEndpoint(keys))) as http:
        served = await http.request(method, url)
    same = wsgi_answer(keys, method)
    assert (same.status_code, same.headers, same.content) == (
        served.status_code,
        served.headers,
        served.content,
    )
    if method == "GET":
        assert wsgi_answer(keys, method, {"If-None-Match": served.headers["etag"]}).status_code == 304


def wsgi_answer(keys: ClientKeys, method: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Ask the WSGI application, as a server that holds to PEP 3333."""
    transport = httpx.WSGITransport(app=validator(WsgiJwksEndpoint(keys)))
    with httpx.Client(transport=transport) as http:
        return http.request(method, "https://client/k_jwks", headers=headers)
