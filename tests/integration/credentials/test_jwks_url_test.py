"""Testing a JWKS URL: what the fetcher would get at this moment, or why it gets nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from keyturn_shared.jose.signing import SigningKey
from tests.support.admin_api import AdminApi, running, settings_for
from tests.support.served import served
from tests.support.waiting import find_free_port

KEYS = {alg: SigningKey.generate(alg, kid=alg).public_jwk for alg in ("ES256", "EdDSA")}
ANSWERS: dict[str, Any] = {
    "good": json.dumps({"keys": [*KEYS.values(), KEYS["ES256"] | {"use": "enc", "kid": "other"}]}),
    "private": json.dumps({"keys": [*KEYS.values(), {"kty": "oct", "k": "c2VjcmV0"}]}),
    "empty": '{"keys": []}',
    "page": "<html>no keys here</html>",
    "large": '{"keys": [' + " " * 2_000_000 + "]}",
}


async def answer(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "moved":
        return RedirectResponse("/good")
    if name not in ANSWERS:
        return Response(status_code=500)
    return Response(ANSWERS[name], media_type="application/json")


@pytest.fixture
async def api(tmp_path: Path, redis_url: str) -> AsyncIterator[AdminApi]:
    url = f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    async with running(settings_for(url, redis_url, jwks_allowed_networks="127.0.0.0/8")) as started:
        yield started


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async with served(Starlette(routes=[Route("/{name}", answer)])) as base_url:
        yield base_url


async def make(api: AdminApi, **attributes: str) -> str:
    client = {"clientId": "orders", "clientAuthenticatorType": "client-jwt", "attributes": attributes}
    return f"/master/clients/{await api.create('/master/clients', client)}/jwks-url/test"


async def test_the_clients_own_url_is_fetched_and_nothing_is_stored(api: AdminApi, server: str) -> None:
    path = await make(api, **{"use.jwks.url": "true", "jwks.url": f"{server}/good"})
    response = await api.call("POST", path)
    found = response.json()
    assert found["url"] == f"{server}/good"
    assert [(key["kid"], key["kty"]) for key in found["keys"]] == [("ES256", "EC"), ("EdDSA", "OKP")]
    assert [(skipped["kid"], skipped["reason"]) for skipped in found["skipped"]] == [
        ("other", "not_for_signatures")
    ]
    assert "keyturn-sequence" not in response.headers


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("empty", None),
        ("page", "invalid_key_set"),
        ("private", "invalid_key_set"),
        ("large", "too_large"),
        ("moved", "redirect"),
        ("broken", "status"),
    ],
)
async def test_the_reason_is_told(api: AdminApi, server: str, name: str, error: str | None) -> None:
    path = await make(api)
    response = await api.call("POST", path, json={"url": f"{server}/{name}"})
    assert response.status_code == 200
    assert response.json()["keys"] == []
    assert response.json().get("error") == error
    assert "c2VjcmV0" not in response.text


async def test_a_server_that_is_not_there_is_said_not_to_be(api: AdminApi) -> None:
    path = await make(api)
    response = await api.call("POST", path, json={"url": f"http://127.0.0.1:{find_free_port()}/"})
    assert response.json()["error"] == "connection_failed"


async def test_without_a_url_there_is_nothing_to_test(api: AdminApi) -> None:
    path = await make(api)
    for body in (None, {}, {"url": 7}):
        refused = await api.call("POST", path, **({} if body is None else {"json": body}))
        assert refused.status_code == 400
