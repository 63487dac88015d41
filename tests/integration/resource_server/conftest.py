"""A filled Redis, a node that issues tokens, and the settings of a resource server beside it."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.settings import VerifierSettings
from tests.integration.verifier.filling import FLEET_KEY, Filling, client_of, realm_of
from tests.integration.verifier.nodes import BASE_URL, RunningNode, running_node

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
    """As the environment has them too."""
    monkeypatch.setenv("KEYTURN_REDIS_URL", redis_url)
    monkeypatch.setenv("KEYTURN_FLEET_KEYS", FLEET_KEY)
    monkeypatch.setenv("KEYTURN_PUBLIC_URL", BASE_URL)
    return VerifierSettings(fetcher_enabled=False)


async def token(node: RunningNode, scope: str = "orders.read", resource: str = API) -> str:
    """An access token of ``reader``."""
    form = {"client_id": "reader", "client_secret": SECRET, "scope": scope, "resource": resource}
    answer = await node.token("acme", form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
