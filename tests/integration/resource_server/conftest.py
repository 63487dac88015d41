"""A filled Redis, a node that issues tokens, and the settings of a resource server."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.settings import ResourceServerSettings, VerifierSettings
from tests.testkit.filled_redis import SIGNER, Filling, client_of, realm_of
from tests.testkit.nodes import BASE_URL, RunningNode, running_node

API = "https://orders.example.com"
SECRET = "a secret of the client"
KEY = SigningKey.generate()


@pytest.fixture
def realm() -> RealmProjection:
    return realm_of("acme")


@pytest.fixture
async def filling(redis: Redis, realm: RealmProjection) -> Filling:
    """``reader`` and ``writer`` by secret, for this API and another; ``signer`` by key."""
    filled = Filling.on(redis)
    both = {"secret": SECRET, "audiences": (API, "https://other"), "scopes": ("orders.read", "orders.write")}
    await filled.open(
        realm,
        client_of(realm, "reader", uuid="reader", **both),
        client_of(realm, "signer", key=KEY),
    )
    return filled


@pytest.fixture
async def node(filling: Filling, redis_url: str) -> AsyncIterator[RunningNode]:
    async with running_node(redis_url) as running:
        yield running


@pytest.fixture
def settings(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> VerifierSettings:
    """Settings with public keys only, also set in the environment."""
    monkeypatch.setenv("KEYTURN_REDIS_URL", redis_url)
    monkeypatch.delenv("KEYTURN_FLEET_KEYS", raising=False)
    monkeypatch.setenv("KEYTURN_LOG_VERIFICATION_KEYS", SIGNER.keys.public_keys)
    monkeypatch.setenv("KEYTURN_PUBLIC_URL", BASE_URL)
    return ResourceServerSettings()


async def token(node: RunningNode, scope: str = "orders.read", resource: str = API) -> str:
    """Return an access token of ``reader``."""
    form = {"client_id": "reader", "client_secret": SECRET, "scope": scope, "resource": resource}
    answer = await node.token("acme", form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
