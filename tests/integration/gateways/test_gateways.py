"""docs/gateways/nginx.conf with a node whose lease expires; test_real_fronts has the other gateways."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from keyturn_shared.jose.signing import SigningKey
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nginx import serve_nginx
from tests.testkit.nodes import RunningNode, assertion, running_node
from tests.testkit.processes import Processes
from tests.testkit.served import listen, served, url_of

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
    """Return what the API behind the gateway learns about the caller."""
    return JSONResponse({name: request.headers.get(name) for name in ("x-keyturn-client", "x-keyturn-scope")})


async def test_nginx_lets_through_who_may_and_tells_the_api_who_it_is(
    node: RunningNode, nginx: Path, processes: Processes, tmp_path: Path
) -> None:
    api = Starlette(routes=[Route("/{path:path}", tell, methods=["GET", "POST"])])
    public = listen()
    base_url = url_of(public)
    async with (
        served(node.app, HttpProtocol) as node_url,
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

        for _ in range(100):  # the node may renew its lease while a request is on its way through nginx
            node.clock.elapsed_ahead += 60
            fenced = await http.get("/orders", headers=await_header(good))
            if fenced.status_code != 200:
                break
        assert (fenced.status_code, fenced.headers["retry-after"]) == (503, "1")


def await_header(answer: httpx.Response) -> dict[str, str]:
    """Return the recently valid token."""
    return {"Authorization": answer.request.headers["authorization"]}
