"""Faults of clients' JWKS URLs: each is found, and nothing else."""

import time

from redis.asyncio import Redis

from keyturn.doctor.findings import Area
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.key_sets.layout import KeySetLayout
from tests.integration.doctor.examining import Installation, diagnosed, installed, reported
from tests.testkit.jwks_server import Page, serving
from tests.testkit.nodes import assertion

_LOOPBACK = "127.0.0.0/8"


async def make_client(installation: Installation, url: str) -> None:
    await installation.api.create(
        "/acme/clients",
        {
            "clientId": "orders",
            "clientAuthenticatorType": "client-jwt",
            "attributes": {"use.jwks.url": "true", "jwks.url": url},
        },
    )


async def test_a_url_that_fails_names_the_client_and_not_the_path(
    settings: CredentialsSettings, redis: Redis
) -> None:
    networks = {"jwks_allowed_networks": _LOOPBACK}
    allowing = CredentialsSettings(**(settings.model_dump() | networks))
    async with (
        serving() as server,
        installed(
            allowing, redis, fetcher_enabled=True, jwks_allowed_networks=_LOOPBACK, jwks_new_key_seconds=1
        ) as installation,
    ):
        await installation.api.create("", {"realm": "acme", "enabled": True})
        server.pages["/jwks/secret-path"] = Page(status=500)
        await make_client(installation, server.url("/jwks/secret-path"))
        assert installation.node is not None
        refused = await installation.node.token_by_assertion(
            "acme", assertion(SigningKey.generate(), "orders", "acme")
        )
        assert refused.status_code != 200
        assert await diagnosed(allowing) == (["key_set_unusable"], 1)
        (report,) = await reported(allowing, {Area.KEY_SETS})
        told = report.findings[0].found
    assert "realm acme, client orders, host 127.0.0.1" in told
    assert "secret-path" not in told


async def test_nobody_fetches_what_is_due(installation: Installation, redis: Redis) -> None:
    due = int(time.time() * 1000) - 120_000
    await redis.zadd(KeySetLayout().due, {"0" * 32: due})
    assert await diagnosed(installation.settings) == (["fetcher_absent"], 1)
