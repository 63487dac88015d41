"""A deployment without realm keys changes to them, replaces its fleet keys, and changes back."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_credentials.operations.maintenance_loop import MaintenanceLoop
from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing
from tests.integration.limited_nodes.scene import (
    DIGEST_ONLY,
    FLEET_KEY,
    SECRET,
    change,
    full_node,
    id_of,
    limited_node,
    make_client,
    make_realm,
    realm_keys,
    service_settings,
)
from tests.testkit.admin_api import BASE_URL, AdminApi, running
from tests.testkit.nodes import RunningNode, eventually, secret_assertion

KEY = SigningKey.generate()


@asynccontextmanager
async def service(directory: Path, redis_url: str, **settings: Any) -> AsyncIterator[AdminApi]:
    """Run the service on the same database with other settings, and re-encrypt what is due."""
    kept = {"encryption_keys": "A" * 43, "rotation_check_seconds": 0.05, **settings}
    async with running(service_settings(directory, redis_url, **kept)) as api:

        async def renewed() -> bool:
            return "keyturn_seals_current 1.0" in (await api.http.get("/metrics")).text

        await eventually(renewed, 60.0)
        yield api


async def by_secret(node: RunningNode, realm: str = "acme", client_id: str = "by-secret") -> httpx.Response:
    return await node.token_by_secret(realm, client_id, SECRET)


async def by_signature(node: RunningNode) -> httpx.Response:
    signed = secret_assertion(SECRET, "by-secret-jwt", "acme", aud=f"{BASE_URL}/realms/acme")
    return await node.token_by_assertion("acme", signed)


async def served(node: RunningNode) -> None:
    """Wait until the node accepts the secret and signatures with it: it must first learn of changes."""

    async def is_served() -> bool:
        return (await by_secret(node)).status_code == (await by_signature(node)).status_code == 200

    await eventually(is_served, 60.0)


async def test_what_was_sealed_for_all_nodes_is_sealed_anew_for_each_realms(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    async with service(tmp_path, redis_url, realm_seals=False) as api:
        acme = await make_realm(api, "acme", KEY)
        keys = realm_keys(api, acme)
        async with full_node(api) as full, limited_node(api, keys) as limited:
            await served(full)
            early = await by_secret(limited)
            assert (early.status_code, early.json()["error"]) == (429, "temporarily_unavailable")
    async with (
        service(tmp_path, redis_url) as api,
        full_node(api) as full,
        limited_node(api, keys) as limited,
    ):
        await served(full)
        await served(limited)


async def test_the_setting_is_taken_back_by_itself(tmp_path: Path, redis: Redis, redis_url: str) -> None:
    """Nodes of a former release can then read everything again, so a downgrade is possible."""
    async with service(tmp_path, redis_url) as api:
        await make_realm(api, "acme", KEY)
        assert len(await keys_in_use(api.settings)) == 3, "those of acme and master, and the encryption key"
    async with service(tmp_path, redis_url, realm_seals=False) as api:
        async with full_node(api) as full:
            await served(full)
        rings = (api.settings.fleet_ring(), api.settings.encryption_ring())
        assert await keys_in_use(api.settings) == {ring.current_key_id for ring in rings}


async def keys_in_use(settings: CredentialsSettings) -> set[str]:
    """Return the ids of the keys that anything in the database is encrypted or digested under."""
    database = Database(settings.database_url)
    async with database.reading() as connection:
        query = "SELECT secrets FROM clients UNION ALL SELECT body FROM projections"
        rows = (await connection.exec_driver_sql(query)).fetchall()
    await database.close()
    return set(re.findall(r'"1\.([0-9a-f]+)\.', str(rows)))


async def test_fleet_keys_are_rotated_with_limited_nodes_beside(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    new = KeyRing.generate_key()
    async with service(tmp_path, redis_url) as api:
        acme = await make_realm(api, "acme", KEY)
        former_keys = realm_keys(api, acme)
    # All have both: the new one last, then first.
    both = service_settings(tmp_path, redis_url, fleet_keys=f"{FLEET_KEY},{new}").fleet_ring().keys_of(acme)
    async with (
        service(tmp_path, redis_url, fleet_keys=f"{new},{FLEET_KEY}") as api,
        full_node(api) as full,
        limited_node(api, both) as limited,
    ):
        await served(full)
        await served(limited)
    async with service(tmp_path, redis_url, fleet_keys=new) as api:
        async with full_node(api) as full, limited_node(api, realm_keys(api, acme)) as limited:
            await served(full)
            await served(limited)
        async with limited_node(api, former_keys) as behind:
            refused = await by_secret(behind)
            assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")


async def test_of_digests_alone_limited_nodes_check_those_made_since(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    """A digest cannot be recomputed without its secret, so an older one waits for the next secret, and a
    metric counts these clients."""
    digests = {"realm": "digests", "attributes": {DIGEST_ONLY: "true"}}
    async with service(tmp_path, redis_url, realm_seals=False) as api:
        await change(api, "POST", "", json=digests)
        older = await make_client(api, "digests", "older", "client-secret", secret=SECRET)
        assert await counted(api.settings) == 0
    async with service(tmp_path, redis_url) as api:
        await make_client(api, "digests", "newer", "client-secret", secret=SECRET)
        keys = realm_keys(api, await id_of(api, "digests"))
        assert await counted(api.settings) == 1
        async with full_node(api) as full, limited_node(api, keys) as limited:

            async def statuses(client_id: str, secret: str = SECRET) -> list[int]:
                return [
                    (await node.token_by_secret("digests", client_id, secret)).status_code
                    for node in (full, limited)
                ]

            assert await statuses("newer") == [200, 200]
            assert await statuses("newer", "a guess") == [401, 401]
            assert await statuses("older") == [200, 429]
            made = await change(api, "POST", f"/digests/clients/{older}/client-secret")
            assert await statuses("older", made.json()["value"]) == [200, 200]
        assert await counted(api.settings) == 0


async def counted(settings: CredentialsSettings) -> float | None:
    """Return the metric after a round of maintenance."""
    database, metrics = Database(settings.database_url), CollectorRegistry()
    store = Store(database, SystemClock(), settings.encryption_ring())
    operations = build_operations(store, SystemClock(), settings)
    loop = MaintenanceLoop(
        operations.maintenance,
        operations.retention,
        operations.reprojection,
        metrics,
        seconds=3600.0,
        elapsed=SystemClock().elapsed,
    )
    await loop.task.start()

    async def is_done() -> bool:
        return metrics.get_sample_value("keyturn_upkeep_rounds_total") == 1.0

    await eventually(is_done, 60.0)
    await loop.task.stop()
    await database.close()
    return metrics.get_sample_value("keyturn_digests_of_fleet_keys")


async def test_an_instance_with_the_other_setting_changes_no_half_of_a_client(
    tmp_path: Path, redis: Redis, redis_url: str
) -> None:
    """Instances restart one after the other: everything related to a secret stays under the digest's key, so
    that maintenance finds both or neither."""
    async with service(tmp_path, redis_url, realm_seals=True) as api:
        acme = await make_realm(api, "acme", KEY)
    settings = service_settings(tmp_path, redis_url, encryption_keys="A" * 43, realm_seals=False)
    database = Database(settings.database_url)
    store = Store(database, SystemClock(), settings.encryption_ring(), log_keys=settings.log_keys())
    async with store.read() as reading:
        client = await reading.clients.find(acme, "by-secret-jwt")
    assert client is not None
    (secret,) = build_operations(store, SystemClock(), settings).projector.view_client(client).secrets
    await database.close()
    assert secret.sealed is not None
    assert KeyRing.key_id_of(secret.sealed) == KeyRing.key_id_of(secret.digest)
