"""A token is valid only for its purpose: its type is checked, and so is its use elsewhere."""

from typing import Any

import httpx
import pytest

from keyturn_shared.jose import base64url, strict_json
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import (
    RunningNode,
    assertion,
    assertion_claims,
    basic,
    running_node,
)
from tests.testkit.secret_signing import mac_over

KEY = SigningKey.generate()
SECRET = "a secret of the asker, long enough for HS256"
FORWARD_AUTH = "/realms/acme/forward-auth"

ASSERTIONS = [None, "JWT", "jwt", "Jwt", "application/jwt", "APPLICATION/JWT"]
ASSERTIONS += [
    "client-authentication+jwt",
    "Client-Authentication+JWT",
    "application/client-authentication+jwt",
]
OTHERS = ["at+jwt", "application/at+jwt", "AT+JWT", "dpop+jwt", "logout+jwt", "secevent+jwt", "id+jwt"]
OTHERS += [
    "token-introspection+jwt",
    "oauth-authz-req+jwt",
    "kb+jwt",
    "JWE",
    "",
    "text/jwt",
    "jwt+at",
    " JWT",
]


@pytest.fixture
async def clients(filling: Filling, realm: RealmProjection) -> None:
    await filling.change(realm, client_of(realm, "signer", key=KEY))
    await filling.change(realm, client_of(realm, "asker", secret=SECRET))
    await filling.change(realm, client_of(realm, "mac", secret=SECRET, authenticator="client-secret-jwt"))


def typed(typ: str | None) -> str:
    """Make an assertion of the signer with this type."""
    members = {"alg": "ES256", "kid": KEY.kid} | ({} if typ is None else {"typ": typ})
    return KEY.sign_compact(encoded(members), assertion_claims("signer", "acme"))


def typed_mac(typ: str) -> str:
    header = encoded({"alg": "HS256", "typ": typ})
    return mac_over(header, assertion_claims("mac", "acme"), SECRET, "HS256")


def encoded(members: dict[str, Any]) -> bytes:
    return base64url.encode(strict_json.encode(members))


async def verified(node: RunningNode, token: str, **body: object) -> dict[str, object]:
    answer = await node.http.post(
        "/realms/acme/verify",
        json={"tokens": [token], **body},
        headers={"Authorization": basic("asker", SECRET)},
    )
    result: dict[str, object] = answer.json()["results"][0]
    return result


async def forward_auth(node: RunningNode, token: str, query: str = "") -> httpx.Response:
    return await node.http.get(f"{FORWARD_AUTH}{query}", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("typ", ASSERTIONS, ids=str)
async def test_an_assertion_may_say_nothing_of_its_kind_or_that_it_is_one(
    node: RunningNode, typ: str | None
) -> None:
    assert (await node.token_by_assertion("acme", typed(typ))).status_code == 200
    assert (await verified(node, typed(typ)))["active"]
    assert (await forward_auth(node, typed(typ))).status_code == 204


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("typ", OTHERS)
async def test_what_a_client_signed_for_something_else_is_no_assertion(node: RunningNode, typ: str) -> None:
    """RFC 8725 section 3.11: anyone who can read its DPoP proofs or logout tokens must not be able to act as
    the client."""
    assert (await node.token_by_assertion("acme", typed_mac("JWT"))).status_code == 200
    for token in (typed(typ), typed_mac(typ)):
        refused = await node.token_by_assertion("acme", token)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert (await verified(node, typed(typ)))["error"] == "malformed"
    assert (await forward_auth(node, typed(typ))).status_code == 401
    line = 'keyturn_authentications_total{method="private_key_jwt",outcome="malformed"}'
    assert await node.metric(line) == 1


@pytest.mark.usefixtures("clients")
async def test_an_assertion_used_at_the_token_endpoint_passes_no_gateway(node: RunningNode) -> None:
    """An observer on its way, or in a log, gains nothing; nor does one at the gateway."""
    used = assertion(KEY, "signer", "acme")
    assert (await node.token_by_assertion("acme", used)).status_code == 200
    assert (await forward_auth(node, used)).status_code == 401
    line = 'keyturn_verifications_total{endpoint="forward_auth",outcome="replayed"}'
    assert await node.metric(line) == 1
    other = assertion(KEY, "signer", "acme")
    assert (await forward_auth(node, other)).status_code == 204
    assert (await node.token_by_assertion("acme", other)).status_code == 401
    assert (await forward_auth(node, other)).status_code == 401
    assert (await forward_auth(node, assertion(KEY, "signer", "acme", jti=None))).status_code == 401


@pytest.mark.usefixtures("clients")
async def test_a_token_for_a_named_resource_server_passes_its_gateway_as_often_as_it_is_good(
    node: RunningNode,
) -> None:
    """It is no credential for the token endpoint, which refuses its audience."""
    token = assertion(KEY, "signer", "acme", aud="https://api")
    for _ in range(2):
        assert (await forward_auth(node, token, "?audience=https://api")).status_code == 204
    assert (await node.token_by_assertion("acme", token)).status_code == 401
    assert (await forward_auth(node, token)).status_code == 401


async def test_a_client_of_an_earlier_build_passes_for_no_other_in_a_header(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    """Receivers strip a header's outer spaces."""
    for name in ("worker", " worker", "worker ", " my worker  "):
        await filling.change(realm, client_of(realm, name, key=KEY))
    named = []
    async with running_node(redis_url) as node:
        for name in ("worker", " worker", "worker ", " my worker  ", "%20worker"):
            answer = await forward_auth(node, assertion(KEY, name, "acme"))
            named.append(answer.headers.get("x-keyturn-client", "").strip(" "))
    assert named == ["worker", "%20worker", "worker%20", "%20my worker%20%20", ""]
