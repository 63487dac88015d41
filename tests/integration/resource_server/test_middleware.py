"""The middleware in front of a Starlette application, and the documentation's example."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from keyturn import BearerMiddleware, Verifier, VerifierSettings, verified_token
from keyturn_shared.jose.signing import SigningKey
from tests.integration.resource_server.conftest import API, KEY, SECRET, token
from tests.testkit.dpop import proof
from tests.testkit.nodes import RunningNode, TestClock, assertion

PAGE = Path(__file__).parents[3] / "docs" / "resource-servers.md"


async def orders(request: Request) -> JSONResponse:
    return JSONResponse({"for": verified_token(request.scope).client_id})


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def http(
    node: RunningNode, settings: VerifierSettings, clock: TestClock
) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/orders", orders), Route("/open", orders), WebSocketRoute("/ws", echo)])
    async with Verifier("acme", audience=API, settings=settings, clock=clock) as verifier:
        guarded = BearerMiddleware(app, verifier, scopes=["orders.read"], public=["/health"])
        transport = httpx.ASGITransport(app=guarded)
        async with httpx.AsyncClient(transport=transport, base_url=API) as client:
            yield client


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def test_a_public_path_is_public_and_none_that_begins_like_it(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).status_code == 404  # passed on to the application
    for path in ("/healthy", "/health/", "/health/more"):
        assert (await http.get(path)).status_code == 401


async def test_a_good_token_gets_through_and_its_client_is_known(
    http: httpx.AsyncClient, node: RunningNode
) -> None:
    answer = await http.get("/orders", headers=bearer(await token(node)))
    assert (answer.status_code, answer.json()) == (200, {"for": "reader"})


async def test_refusals_say_what_rfc_6750_lets_them(http: httpx.AsyncClient, node: RunningNode) -> None:
    none = await http.get("/orders")
    assert none.status_code == 401
    assert none.headers.get_list("www-authenticate")[0] == 'Bearer realm="acme"'
    for text in (
        "x.y.z",
        await token(node, resource="https://other"),
        assertion(KEY, "signer", "acme", aud=API),
    ):
        refused = await http.get("/orders", headers=bearer(text))
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer realm="acme", error="invalid_token"'
        assert refused.json() == {"error": "invalid_token", "error_description": "the token is not valid"}
    lacking = await http.get("/orders", headers=bearer(await token(node, scope="orders.write")))
    assert lacking.status_code == 403
    assert (
        lacking.headers["www-authenticate"]
        == 'Bearer realm="acme", error="insufficient_scope", scope="orders.read"'
    )
    twice = await http.get("/orders", headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer b")])
    assert twice.status_code == 400


async def test_without_a_lease_the_answer_is_503_and_when_to_come_back(
    http: httpx.AsyncClient, node: RunningNode, clock: TestClock
) -> None:
    text = await token(node)
    clock.elapsed_ahead = 60
    answer = await http.get("/orders", headers=bearer(text))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_token_bound_to_a_key_needs_its_proof_for_this_very_request(
    http: httpx.AsyncClient, node: RunningNode
) -> None:
    key = SigningKey.generate()
    issuing = proof(key, "POST", "https://id.example.test/realms/acme/protocol/openid-connect/token")
    form = {"client_id": "reader", "client_secret": SECRET, "resource": API, "scope": "orders.read"}
    text = (await node.token("acme", form, headers={"DPoP": issuing})).json()["access_token"]
    good = proof(key, "GET", f"{API}/orders", text)
    for headers, status in (
        ({"Authorization": f"DPoP {text}", "DPoP": good}, 200),
        ({"Authorization": f"DPoP {text}", "DPoP": good}, 401),
        ({"Authorization": f"DPoP {text}", "DPoP": proof(key, "GET", f"{API}/other", text)}, 401),
        ({"Authorization": f"DPoP {text}"}, 401),
        (bearer(text), 401),
    ):
        answer = await http.get("/orders", headers=headers)
        assert answer.status_code == status, (headers, answer.text)
        if status == 401 and headers["Authorization"].startswith("DPoP"):
            assert answer.headers["www-authenticate"].startswith('DPoP realm="acme"')


async def test_a_websocket_without_a_token_is_closed_before_it_opens(
    node: RunningNode, settings: VerifierSettings
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with Verifier("acme", audience=API, settings=settings) as verifier:
        app = Starlette(routes=[WebSocketRoute("/ws", echo)])
        scope = {"type": "websocket", "path": "/ws", "headers": [], "scheme": "ws"}
        await BearerMiddleware(app, verifier)(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_the_examples_of_the_documentation_work(
    node: RunningNode, settings: VerifierSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starlette replaces FastAPI: the parts that the example uses are the same."""
    first, second = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.setitem(sys.modules, "fastapi", FakeFastapi)
    namespace: dict[str, Any] = {}
    exec(compile(first, str(PAGE), "exec"), namespace)
    app = namespace["app"]
    transport = httpx.ASGITransport(app=app)
    async with namespace["verifier"], httpx.AsyncClient(transport=transport, base_url=API) as client:
        answer = await client.get("/orders", headers=bearer(await token(node)))
        health = await client.get("/health")
        nothing = await client.get("/orders")
    assert (answer.json(), health.json(), nothing.status_code) == ({"for": "reader"}, {"ready": True}, 401)

    exec(compile(second, str(PAGE), "exec"), namespace)
    signed = assertion(KEY, "signer", "acme", aud=API)
    client_id, claims = await namespace["check"](await token(node), signed)
    assert (client_id, claims["iss"]) == ("reader", "signer")
    assert await namespace["check"](await token(node), signed) == "replayed"


class FakeFastapi:
    """The parts of FastAPI that the example uses, made of Starlette."""

    Request = Request

    class FastAPI(Starlette):
        def get(self, path: str) -> Any:
            def register(handler: Any) -> Any:
                async def endpoint(request: Request) -> JSONResponse:
                    taken = [request] if handler.__code__.co_argcount else []
                    return JSONResponse(await handler(*taken))

                self.router.routes.append(Route(path, endpoint))
                return handler

            return register
