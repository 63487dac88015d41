"""Test of a JWKS URL: the keys that the fetcher would get now, or the reason for none."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.web.fetch_failures import shown_failure
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import AdminApi, Caller, running, settings_for
from tests.testkit.ports import find_free_port
from tests.testkit.served import served

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


REFUSED = {
    "a private address": "https://10.1.2.3/keys",
    "this machine": "https://127.0.0.1/keys",
    "the metadata service": "https://169.254.169.254/keys",
    "a name that leads inside": "https://localhost/keys",
    "a name that leads nowhere": "https://nowhere.invalid/keys",
    "plain http to a public address": "http://8.8.8.8/keys",
    "plain http to a private one": "http://10.1.2.3/keys",
}


@pytest.fixture
async def closed(tmp_path: Path, redis_url: str) -> AsyncIterator[AdminApi]:
    """Default settings: no private network is allowed."""
    async with running(settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)) as started:
        yield started


async def test_a_tenant_is_told_the_same_of_whatever_target_is_refused(closed: AdminApi) -> None:
    """The tenant must not learn how names resolve inside; an administrator of the whole installation may."""
    assert (await closed.call("POST", "", json={"realm": "acme"})).status_code == 201
    roles = {"keyturn.admin.roles": "manage-clients,manage-realm"}
    own = await closed.create("/acme/clients", {"clientId": "own", "attributes": roles})
    maker = {"clientId": "maker", "attributes": {"keyturn.admin.roles": "manage-clients"}}
    await closed.create("/master/clients", maker)
    path = f"/acme/clients/{own}/jwks-url/test"
    told: dict[str, set[str]] = {"tenant": set(), "maker": set(), "admin": set()}
    callers: dict[str, Caller] = {
        "tenant": {"realm": "acme", "client_id": "own"},
        "maker": {"client_id": "maker"},
        "admin": {},
    }
    for url in REFUSED.values():
        for name, caller in callers.items():
            answer = (await closed.call("POST", path, json={"url": url}, **caller)).json()
            assert answer.pop("url") == url
            assert answer["keys"] == []
            told[name].add(json.dumps(answer))
    assert len(told["tenant"]) == 1
    assert told["maker"] == told["tenant"]
    assert len(told["admin"]) >= 4
    assert "address_not_allowed" in next(iter(told["tenant"]))
    malformed = await closed.call("POST", path, json={"url": "ftp://x/"}, realm="acme", client_id="own")
    assert malformed.json()["error"] == "scheme_not_allowed", "it says nothing of any network"


@pytest.mark.parametrize("reason", ["address_not_allowed", "resolution_failed", "scheme_not_allowed"])
def test_what_fetchers_recorded_is_told_in_the_same_way(reason: str) -> None:
    """The health of JWKS URLs, which a tenant reads for its own URLs, hides the same."""
    tenant = Principal("acme", "1", "own", frozenset({Role.MANAGE_CLIENTS, Role.MANAGE_REALM}))
    shown = shown_failure(reason, "intranet leads to 10.1.2.3, which is not public", tenant)
    assert shown == shown_failure("address_not_allowed", "another", tenant)
    assert "10.1" not in str(shown)
    assert shown_failure(reason, "10.1.2.3", Principal.system()) == (reason, "10.1.2.3")
    assert shown_failure("timeout", "slow", tenant) == ("timeout", "slow")


async def test_without_a_url_there_is_nothing_to_test(api: AdminApi) -> None:
    path = await make(api)
    requests: tuple[dict[str, Any], ...] = ({}, {"json": {}}, {"json": {"url": 7}})
    for request in requests:
        refused = await api.call("POST", path, **request)
        assert refused.status_code == 400
