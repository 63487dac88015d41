"""Administrators get tokens from the credentials service, directly or through a node."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from keyturn_credentials.authorization.client_keys import LEAST_INTERVAL
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL
from tests.testkit.administrators import (
    SECRET,
    WORKERS,
    Scene,
    administers,
    by_basic,
    scene_on,
)
from tests.testkit.certificates import issue, make_authority
from tests.testkit.nodes import assertion_claims, secret_assertion
from tests.testkit.served import served

ISSUER = f"{BASE_URL}/realms/acme"
TOKEN = "/protocol/openid-connect/token"
AUTHORITY = make_authority("CN=Root")


@pytest.fixture(params=["service", "node"])
def through(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def ask(
    scene: Scene,
    through: str,
    form: dict[str, str],
    headers: dict[str, str] | None = None,
    realm: str = "acme",
) -> Any:
    asked = scene.token_from_service if through == "service" else scene.token_from_node
    return await asked(realm, form, headers)


def by_assertion(signed: str) -> dict[str, str]:
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }


def signed_by(key: SigningKey, client_id: str, **changes: Any) -> dict[str, str]:
    claims = assertion_claims(client_id, "acme", aud=ISSUER) | changes
    return by_assertion(key.sign_compact(key.header_segment(), claims))


async def test_every_way_to_prove_itself_gets_a_token_that_the_admin_api_takes(
    scene: Scene, through: str
) -> None:
    by_mac = secret_assertion(SECRET, "by-secret-jwt", "acme", aud=ISSUER)
    ways: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "client_secret_basic": ({}, by_basic()),
        "client_secret_post": ({"client_id": "by-secret", "client_secret": SECRET}, {}),
        "client_secret_jwt": (by_assertion(by_mac), {}),
        "private_key_jwt": (signed_by(scene.key, "by-key"), {}),
    }
    for way, (form, headers) in ways.items():
        answer = await ask(scene, through, form, headers)
        assert answer.status_code == 200, (way, answer.text)
        assert answer.headers["cache-control"] == "no-store"
        granted = answer.json()
        assert granted.keys() == {
            *("access_token", "expires_in", "refresh_expires_in", "token_type"),
            *("not-before-policy", "scope"),
        }
        assert await scene.status_of(granted["access_token"]) == 200, way


async def test_an_administrator_of_everything_is_one_through_a_node_too(scene: Scene, through: str) -> None:
    answer = await ask(scene, through, {}, by_basic(ADMIN_ID, ADMIN_SECRET), realm="master")
    token = answer.json()["access_token"]
    assert await scene.status_of(token, "/admin/realms") == 200
    bearer = {"Authorization": f"Bearer {token}"}
    answer = await scene.node.http.get("/realms/master/forward-auth", headers=bearer)
    assert answer.status_code == 204, "nodes know the public halves"
    certs = "/realms/master/protocol/openid-connect/certs"
    of_node, of_service = [
        sorted((await http.get(certs)).json()["keys"], key=lambda key: str(key["kid"]))
        for http in (scene.node.http, scene.api.http)
    ]
    assert of_node == of_service
    assert not any("d" in key for key in of_node)


@pytest.mark.parametrize(
    ("form", "headers", "expected"),
    [
        ({}, by_basic("by-secret", "wrong"), (401, "invalid_client")),
        ({}, by_basic("nobody", SECRET), (401, "invalid_client")),
        ({}, {}, (401, "invalid_client")),
        ({"client_secret": SECRET, "client_id": "by-secret"}, by_basic(), (400, "invalid_request")),
        ({"grant_type": "password"}, by_basic(), (400, "unsupported_grant_type")),
        ({"scope": "unheard-of"}, by_basic(), (400, "invalid_scope")),
        ({}, {**by_basic(), "DPoP": "a.b.c"}, (400, "invalid_dpop_proof")),
    ],
    ids=str,
)
async def test_refusals_are_those_of_a_node(
    scene: Scene, through: str, form: dict[str, str], headers: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = await ask(scene, through, form, headers)
    assert (answer.status_code, answer.json()["error"]) == expected
    assert answer.headers["cache-control"] == "no-store"
    has_challenge = "www-authenticate" in answer.headers
    assert has_challenge == (expected[0] == 401 and "Authorization" in headers)


async def test_an_assertion_is_good_once_wherever_it_is_used(scene: Scene) -> None:
    form = signed_by(scene.key, "by-key")
    assert (await ask(scene, "node", form)).status_code == 200
    for again in ("node", "service"):
        assert (await ask(scene, again, form)).status_code == 401


async def test_the_form_is_read_strictly(scene: Scene) -> None:
    path = f"/realms/acme{TOKEN}"
    http = scene.api.http
    twice = await http.post(
        path,
        content="grant_type=client_credentials&grant_type=client_credentials",
        headers={**by_basic(), "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    as_json = await http.post(path, json={"grant_type": "client_credentials"}, headers=by_basic())
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
    long = await http.post(path, data={"grant_type": "client_credentials", "x": "x" * 70_000})
    assert long.status_code == 413
    assert (await http.get(path)).status_code == 405
    assert (await http.post(f"/realms/unheard-of{TOKEN}", data={"grant_type": "x"})).status_code == 400


async def test_other_clients_are_answered_by_nodes_alone(scene: Scene) -> None:
    assert (await ask(scene, "node", {}, by_basic("worker", WORKERS))).status_code == 200
    refused = await ask(scene, "service", {}, by_basic("worker", WORKERS))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


async def test_a_client_that_is_given_roles_or_loses_them_changes_over_at_once(scene: Scene) -> None:
    (worker,) = (await scene.api.call("GET", "/acme/clients?clientId=worker")).json()
    path = f"/acme/clients/{worker['id']}"
    await scene.change("PUT", path, json={"attributes": administers("view-clients")})
    token = (await ask(scene, "node", {}, by_basic("worker", WORKERS))).json()["access_token"]
    assert await scene.status_of(token) == 200
    await scene.change("PUT", path, json={"attributes": administers("")})
    assert await scene.status_of(token) == 403
    token = (await ask(scene, "node", {}, by_basic("worker", WORKERS))).json()["access_token"]
    assert await scene.status_of(token) == 401


async def test_a_regenerated_secret_is_the_only_one_when_the_call_returns(scene: Scene, through: str) -> None:
    (found,) = (await scene.api.call("GET", "/acme/clients?clientId=by-secret")).json()
    new = (await scene.change("POST", f"/acme/clients/{found['id']}/client-secret")).json()["value"]
    assert (await ask(scene, through, {}, by_basic())).status_code == 401
    assert (await ask(scene, through, {}, by_basic("by-secret", new))).status_code == 200


async def test_tokens_are_introspected_for_administrators(scene: Scene, through: str) -> None:
    http = scene.api.http if through == "service" else scene.node.http
    of_worker = (await ask(scene, "node", {}, by_basic("worker", WORKERS))).json()["access_token"]
    of_admin = (await ask(scene, through, {}, by_basic())).json()["access_token"]
    for token, client_id in ((of_worker, "worker"), (of_admin, "by-secret")):
        bearer = {"Authorization": f"Bearer {of_admin}"}
        asked = await http.post(f"/realms/acme{TOKEN}/introspect", data={"token": token}, headers=bearer)
        assert asked.status_code == 200, asked.text
        by_itself = await http.post(
            f"/realms/acme{TOKEN}/introspect", data={"token": token}, headers=by_basic()
        )
        assert by_itself.status_code == 200, by_itself.text
        assert by_itself.json() == asked.json()
        assert by_itself.json().get("client_id", client_id) == client_id


async def test_the_metadata_is_that_of_a_node(scene: Scene) -> None:
    for kind in ("openid-configuration", "oauth-authorization-server"):
        for path in (f"/realms/master/.well-known/{kind}", f"/.well-known/{kind}/realms/master"):
            of_service = await scene.api.http.get(path)
            assert of_service.status_code == 200, path
            assert of_service.json() == (await scene.node.http.get(path)).json()
            assert of_service.json()["token_endpoint"] == f"{BASE_URL}/realms/master{TOKEN}"
            again = await scene.api.http.get(path, headers={"If-None-Match": of_service.headers["etag"]})
            assert again.status_code == 304


async def test_a_caller_that_fails_too_often_is_refused_by_the_service_itself(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    limits = {"failure_limit_client": 3}
    async with scene_on(tmp_path, redis, redis_url, **limits) as scene:
        near, far = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
        for _ in range(3):
            wrong = await ask(scene, "node", {}, {**by_basic("by-secret", "wrong"), **near})
            assert wrong.status_code == 401
        await scene.redis.flushall()
        refused = await ask(scene, "service", {}, {**by_basic(), **near})
        assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
        assert int(refused.headers["retry-after"]) > 0
        assert (await ask(scene, "service", {}, {**by_basic(), **far})).status_code == 200


async def test_keys_at_a_url_are_fetched_by_the_service_itself(
    tmp_path: Path, redis: Redis, redis_url: str, own_keys: tuple[str, dict[str, Any]]
) -> None:
    url, served_keys = own_keys
    first, second = SigningKey.generate(kid="1"), SigningKey.generate(kid="2")
    served_keys["keys"] = [first.public_jwk]
    async with scene_on(tmp_path, redis, redis_url, jwks_allowed_networks="127.0.0.0/8") as scene:
        at_url = {"use.jwks.url": "true", "jwks.url": url}
        uuid = await scene.make("by-url", "client-jwt", attributes=administers(**at_url))
        assert (await ask(scene, "node", signed_by(first, "by-url"))).status_code == 200
        assert (await ask(scene, "service", signed_by(first, "by-url"))).status_code == 200
        assert len(served_keys["asked"]) == 1, "the second time from memory"
        served_keys["keys"] = [second.public_jwk]
        unknown = await ask(scene, "service", signed_by(second, "by-url"))
        assert unknown.status_code == 401, f"not within {LEAST_INTERVAL} s of the last fetch"
        await scene.change("POST", f"/acme/clients/{uuid}/clear-keys-cache")
        assert (await ask(scene, "service", signed_by(second, "by-url"))).status_code == 200
        assert (await ask(scene, "service", signed_by(first, "by-url"))).status_code == 401


@pytest.fixture
async def own_keys() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A JWKS URL, its content, and its requests."""
    state: dict[str, Any] = {"keys": [], "asked": []}

    async def jwks(request: Request) -> JSONResponse:
        state["asked"].append(dict(request.headers))
        return JSONResponse({"keys": state["keys"]})

    async with served(Starlette(routes=[Route("/jwks", jwks)])) as base_url:
        yield f"{base_url}/jwks", state


async def test_a_certificate_counts_when_a_proxy_shows_it_that_is_trusted_with_it(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(AUTHORITY.pem)
    certificate = issue(AUTHORITY, "CN=admin")
    shown = {"Client-Cert": f":{base64.b64encode(certificate.der).decode()}:"}
    for proxies, expected in (("127.0.0.0/8", 200), ("", 401)):
        directory = tmp_path / (proxies.partition("/")[0] or "none")
        directory.mkdir()
        given = {"client_authorities_path": authorities, "client_cert_proxies": proxies}
        async with scene_on(directory, redis, redis_url, **given) as scene:
            named = administers(**{"x509.subjectdn": "CN=admin"})
            await scene.make("by-name", "client-x509", attributes=named)
            answer = await ask(scene, "service", {"client_id": "by-name"}, shown)
            assert answer.status_code == expected, answer.text
        await redis.flushall()


async def test_the_kinds_of_keys_are_told_apart_in_the_list(scene: Scene) -> None:
    shown = (await scene.api.call("GET", "/acme/keys")).json()
    assert [key["purpose"] for key in shown["keys"]] == ["administrators"] * 2 + ["clients"] * 2
    assert {(key["purpose"], key["state"]) for key in shown["keys"]} == {
        *(("administrators", "active"), ("administrators", "next")),
        *(("clients", "active"), ("clients", "next")),
    }
    assert json.dumps(shown).count('"d"') == 0
