"""The metadata read like Spring Security does: from three places in turn, comparing the issuer."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from redis.asyncio import Redis

from keyturn.local.ports import ReservedPort
from keyturn.stack.gateway import gateway_configuration
from keyturn_verifier.web.protocol import HttpProtocol
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nginx import serve_configuration, serve_nginx
from tests.testkit.nodes import running_node
from tests.testkit.processes import Processes
from tests.testkit.served import listen, served, url_of

DEPLOYED = Path(__file__).parents[3] / "deploy" / "nginx" / "keyturn.conf"
SECRET = "a-secret-of-the-client"
PLACES = (
    "{host}{path}/.well-known/openid-configuration",
    "{host}/.well-known/openid-configuration{path}",
    "{host}/.well-known/oauth-authorization-server{path}",
    "{host}{path}/.well-known/oauth-authorization-server",
)


@pytest.fixture(params=["the node", "the gateway of the local stack", "nginx as deployed"])
async def base_url(
    request: pytest.FixtureRequest,
    redis: Redis,
    redis_url: str,
    nginx: Path,
    processes: Processes,
    tmp_path: Path,
) -> AsyncIterator[str]:
    """The URL of a realm called acme, for each way of publishing it."""
    realm = realm_of("acme")
    await Filling.on(redis).open(realm, client_of(realm, "spring", secret=SECRET))
    async with contextlib.AsyncExitStack() as stack:
        public, behind = (stack.enter_context(listen()) for _ in range(2))
        published = url_of(public)
        node = await stack.enter_async_context(running_node(redis_url, public_url=published))
        if request.param == "the node":
            await stack.enter_async_context(served(node.app, HttpProtocol, listening=public))
        else:
            node_url = await stack.enter_async_context(served(node.app, HttpProtocol, listening=behind))
            address = urlsplit(published).netloc
            public.close()
            if request.param.startswith("nginx"):
                config = DEPLOYED.read_text()
                for name in ("credentials:8080", "verifier-1:8080", "verifier-2:8080"):
                    config = config.replace(name, urlsplit(node_url).netloc)
                config = config.replace("listen 8080", f"listen {address}")
                await serve_nginx(nginx, processes, tmp_path, config, published)
            else:
                inner = stack.enter_context(ReservedPort())
                addresses = (address, f"127.0.0.1:{inner.number}")
                config = gateway_configuration(*addresses, node_url, [node_url], connections=256)
                await serve_configuration(nginx, processes, tmp_path, config, published)
        yield published


async def test_every_place_that_spring_asks_answers_with_the_issuer_that_was_asked_for(base_url: str) -> None:
    issuer = f"{base_url}/realms/acme"
    async with httpx.AsyncClient(trust_env=False) as http:
        for place in PLACES:
            answer = await http.get(place.format(host=base_url, path="/realms/acme"))
            assert answer.status_code == 200, place
            metadata = read_as_nimbus(answer)
            assert metadata["issuer"] == issuer
        keys = (await http.get(metadata["jwks_uri"])).json()["keys"]
        token = await http.post(
            metadata["token_endpoint"],
            data={"grant_type": "client_credentials"},
            auth=("spring", SECRET),
        )
        assert [key["alg"] for key in keys] == metadata["id_token_signing_alg_values_supported"]
        assert token.status_code == 200
        for nothing in ("realms/nobody", "realms/", "realms/acme/more", "acme"):
            answer = await http.get(f"{base_url}/.well-known/openid-configuration/{nothing}")
            assert answer.status_code == 404, nothing


def read_as_nimbus(answer: httpx.Response) -> dict[str, Any]:
    """Check the document like the Java library under Spring (OIDCProviderMetadata.parse)."""
    assert answer.headers["content-type"] == "application/json"
    metadata: dict[str, Any] = answer.json()
    for required in ("issuer", "jwks_uri", "response_types_supported", "subject_types_supported"):
        assert required in metadata
    endpoints = [name for name in metadata if name.endswith(("_endpoint", "_uri"))]
    assert {urlsplit(metadata[name]).scheme for name in endpoints} == {urlsplit(metadata["issuer"]).scheme}
    assert not any(urlsplit(metadata[name]).query for name in endpoints)
    assert "none" not in metadata["token_endpoint_auth_signing_alg_values_supported"]
    assert set(metadata["token_endpoint_auth_methods_supported"]) >= {
        "client_secret_basic",
        "private_key_jwt",
    }
    return metadata


async def test_the_metadata_stands_under_the_path_of_a_public_url_too(redis: Redis, redis_url: str) -> None:
    await Filling.on(redis).open(realm_of("acme"))
    public = "https://id.example.test/auth"
    async with running_node(redis_url, public_url=public) as node:
        for path in ("/auth/realms/acme", "/realms/acme"):
            answer = await node.http.get(f"/.well-known/oauth-authorization-server{path}")
            assert answer.json()["issuer"] == f"{public}/realms/acme"
