"""The configuration files of docs/gateways: nginx for real, Envoy and Traefik by the requests they send."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from keyturn_shared.jose.signing import SigningKey
from keyturn_verifier.web.protocol import HttpProtocol
from tests.integration.verifier.filling import Filling, client_of, realm_of
from tests.integration.verifier.nodes import RunningNode, assertion, running_node
from tests.support.nginx import serve_nginx
from tests.support.processes import Processes
from tests.support.served import listen, served, url_of

FILES = Path(__file__).parents[3] / "docs" / "gateways"
API = "https://orders.example.com"
SECRET = "a secret of the reader"
KEY = SigningKey.generate()


@pytest.fixture
async def node(redis: Redis, redis_url: str) -> AsyncIterator[RunningNode]:
    realm = realm_of("acme")
    reader = {
        "secret": SECRET,
        "audiences": (API, "https://other"),
        "scopes": ("orders.read", "orders.write"),
    }
    await Filling.on(redis).open(
        realm, client_of(realm, "reader", **reader), client_of(realm, "signer", key=KEY)
    )
    async with running_node(redis_url) as running:
        yield running


async def token(node: RunningNode, scope: str = "orders.read", resource: str = API) -> dict[str, str]:
    form = {"client_id": "reader", "client_secret": SECRET, "scope": scope, "resource": resource}
    return {"Authorization": f"Bearer {(await node.token('acme', form)).json()['access_token']}"}


async def tell(request: Request) -> JSONResponse:
    """The API behind the gateway: what it was told of the caller."""
    return JSONResponse({name: request.headers.get(name) for name in ("x-keyturn-client", "x-keyturn-scope")})


async def test_nginx_lets_through_who_may_and_tells_the_api_who_it_is(
    node: RunningNode, nginx: Path, processes: Processes, tmp_path: Path
) -> None:
    api = Starlette(routes=[Route("/{path:path}", tell, methods=["GET", "POST"])])
    public = listen()
    base_url = url_of(public)
    async with (
        served(node.app, http=HttpProtocol) as node_url,
        served(api) as api_url,
        httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=20) as http,
    ):
        config = (FILES / "nginx.conf").read_text()
        for name in ("verifier-1:8080", "verifier-2:8080"):
            config = config.replace(name, urlsplit(node_url).netloc)
        config = config.replace("orders:9000", urlsplit(api_url).netloc)
        config = config.replace("listen 8443", f"listen 127.0.0.1:{public.getsockname()[1]}")
        public.close()
        await serve_nginx(nginx, processes, tmp_path, config, base_url)

        forged = {"X-Keyturn-Client": "admin", "X-Keyturn-Scope": "admin"}
        good = await http.post("/orders?x=1", headers=await token(node) | forged, content=b"a body")
        assert (good.status_code, good.json()) == (
            200,
            {"x-keyturn-client": "reader", "x-keyturn-scope": "orders.read"},
        )
        signed = {"Authorization": f"Bearer {assertion(KEY, 'signer', 'acme', aud=API)}"}
        for headers, status in (
            ({}, 401),
            (forged, 401),
            (await token(node, resource="https://other"), 401),
            ({"Authorization": "Bearer x.y.z"}, 401),
            (await token(node, scope="orders.write"), 403),
            (signed | forged, 403),
        ):
            refused = await http.get("/orders", headers=headers)
            assert refused.status_code == status, headers
            assert ("www-authenticate" in refused.headers) == (status == 401)
        assert (await http.get("/_keyturn")).status_code == 404

        node.clock.elapsed_ahead = 60
        fenced = await http.get("/orders", headers=await_header(good))
        assert (fenced.status_code, fenced.headers["retry-after"]) == (503, "1")


def await_header(answer: httpx.Response) -> dict[str, str]:
    """The token that was good a moment ago."""
    return {"Authorization": answer.request.headers["authorization"]}


async def test_traefik_gets_its_answers(node: RunningNode) -> None:
    """A GET of the address, with the listed headers of the caller and X-Forwarded-* of the request."""
    config = yaml.safe_load((FILES / "traefik.yaml").read_text())
    forward = config["http"]["middlewares"]["keyturn"]["forwardAuth"]
    assert forward["trustForwardHeader"] is False
    assert {"Authorization", "DPoP"} <= set(forward["authRequestHeaders"])
    assert config["http"]["routers"]["orders"]["middlewares"] == ["keyturn"]
    address = urlsplit(forward["address"])

    async def ask(headers: dict[str, str]) -> httpx.Response:
        forwarded = {
            "X-Forwarded-Method": "POST",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "orders.example.com",
            "X-Forwarded-Uri": "/orders?audience=https://other",
            "X-Forwarded-For": "192.0.2.1",
        }
        return await node.http.get(f"{address.path}?{address.query}", headers=forwarded | headers)

    good = await ask(await token(node))
    told = {name: good.headers[name] for name in forward["authResponseHeaders"]}
    assert (good.status_code, told) == (204, {"X-Keyturn-Client": "reader", "X-Keyturn-Scope": "orders.read"})
    assert (await ask({})).status_code == 401
    assert (await ask(await token(node, resource="https://other"))).status_code == 401
    assert (await ask(await token(node, scope="orders.write"))).status_code == 403


async def test_envoy_gets_its_answers_and_its_callers_choose_nothing(node: RunningNode) -> None:
    """The method, the path and the query of the request behind the prefix, and headers that Envoy sets."""
    service = envoy_filter()["http_service"]
    asked = service["authorization_request"]
    required = {header["key"]: header["value"] for header in asked["headers_to_add"]}
    assert asked["allowed_headers"] == {"patterns": [{"exact": "dpop"}]}

    async def ask(
        headers: dict[str, str], target: str = "/orders/1?x=1", method: str = "POST"
    ) -> httpx.Response:
        url = f"{service['path_prefix']}{target}"
        return await node.http.request(method, url, headers={**headers, **required, "content-length": "0"})

    good = await ask(await token(node))
    shown = [
        each["exact"] for each in service["authorization_response"]["allowed_upstream_headers"]["patterns"]
    ]
    assert good.status_code == 204
    assert {name: good.headers[name] for name in shown} == {
        "x-keyturn-client": "reader",
        "x-keyturn-scope": "orders.read",
    }
    other = await token(node, resource="https://other")
    for headers, target, status in (
        ({}, "/orders", 401),
        (other, "/orders", 401),
        (other, "/orders?audience=https://other&scope=", 401),
        (other, "/", 401),
        (await token(node, scope="orders.write"), "/orders?scope=orders.write", 403),
        (
            {"Authorization": f"Bearer {assertion(KEY, 'signer', 'acme', aud='https://x')}"},
            "/?audience=https://x",
            401,
        ),
    ):
        answer = await ask(headers, target)
        assert answer.status_code == status, (target, answer.text)


def envoy_filter() -> dict[str, Any]:
    """The ext_authz filter, which has to stand before the router and must not let pass what it cannot ask."""
    config = yaml.safe_load((FILES / "envoy.yaml").read_text())
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    first, last = manager["http_filters"]
    assert last["name"] == "envoy.filters.http.router"
    assert manager["normalize_path"]
    assert manager["path_with_escaped_slashes_action"] == "REJECT_REQUEST"
    settings: dict[str, Any] = first["typed_config"]
    assert settings["failure_mode_allow"] is False
    clusters = {cluster["name"] for cluster in config["static_resources"]["clusters"]}
    assert settings["http_service"]["server_uri"]["cluster"] in clusters
    return settings
