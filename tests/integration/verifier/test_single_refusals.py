"""An undecidable request about one client never has the status of a node that is down."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from keyturn.local.ports import ReservedPort
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.errors import NODE_UNAVAILABLE_CODES, UNAVAILABLE_CODES, unavailable_status
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nodes import RunningNode, assertion, running_node

KEY = SigningKey.generate()
SECRET = "a secret of the worker"


@pytest.fixture
async def node(redis: Redis, redis_url: str) -> AsyncIterator[RunningNode]:
    """With a client ``dead`` whose JWKS URL does not answer, and a realm ``keyless`` without a signing
    key."""
    realm = realm_of("acme")
    keyless = realm_of("keyless", signing_keys=())
    with ReservedPort() as nobody:
        dead = client_of(
            realm,
            "dead",
            authenticator="client-jwt",
            jwks_url=f"{nobody.base_url}/jwks",
        )
        await Filling.on(redis).open(
            realm,
            dead,
            client_of(realm, "worker", secret=SECRET),
            keyless,
            client_of(keyless, "worker", secret=SECRET),
        )
        async with running_node(
            redis_url, fetcher_enabled=True, jwks_allowed_networks="127.0.0.0/8"
        ) as running:
            yield running


async def test_a_client_whose_keys_cannot_be_had_is_asked_to_come_again(node: RunningNode) -> None:
    forged = assertion(KEY, "dead", "acme")
    for path, headers in (
        ("protocol/openid-connect/token", {}),
        ("protocol/openid-connect/token/introspect", {}),
        ("forward-auth", {"Authorization": f"Bearer {assertion(KEY, 'dead', 'acme')}"}),
    ):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": forged,
            "token": "x",
        }
        asked: dict[str, Any] = {"headers": headers} if headers else {"data": form}
        answer = await node.http.request("POST", f"/realms/acme/{path}", **asked)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1"), path
        assert answer.json()["error"] == "temporarily_unavailable"
    unavailable = 'keyturn_authentications_total{method="private_key_jwt",outcome="keys_unavailable"}'
    assert await node.metric(unavailable) == 2
    assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200


async def test_a_realm_that_cannot_sign_is_no_sign_that_the_node_is_down(node: RunningNode) -> None:
    answer = await node.token_by_secret("keyless", "worker", SECRET)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


@pytest.mark.parametrize("code", sorted(UNAVAILABLE_CODES))
def test_only_what_nobody_can_ask_for_says_that_the_node_is_down(code: str) -> None:
    assert unavailable_status(code) == (503 if code in NODE_UNAVAILABLE_CODES else 429)
    assert {"fenced", "redis_unavailable", "store_unavailable"} == NODE_UNAVAILABLE_CODES
