"""Realm keys rotate by themselves, and keys of the rings are replaced while the service runs."""

import asyncio
import json
import sqlite3
from pathlib import Path

from prometheus_client import CollectorRegistry

from keyturn_credentials.operations.maintenance_loop import MaintenanceLoop
from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.migrate import migrate
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.projection import client_field, decode_client, decode_realm, projection_value, realm_field
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.clocks import SetClock
from tests.testkit.stored_projections import stored_projections


async def states(api: AdminApi) -> list[str]:
    return sorted(key["state"] for key in (await api.call("GET", "/master/keys")).json()["keys"])


async def test_a_key_is_published_then_signs_then_only_verifies(tmp_path: Path, redis_url: str) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    clock = SetClock(1_800_000_000.0)
    async with running(settings, clock) as api:
        first = (await api.call("GET", "/master/keys")).json()
        assert await states(api) == ["active", "next"]
        database = Database(settings.database_url)
        store = Store(database, clock, settings.encryption_ring())
        maintenance = build_operations(store, clock, settings).maintenance
        assert await maintenance.rotate_due_keys() == 0
        clock.time += 90 * 86_400
        assert await maintenance.rotate_due_keys() == 1
        assert await states(api) == ["active", "next", "retiring"]
        api.forget_keys()
        second = (await api.call("GET", "/master/keys")).json()
        next_kid = next(key["kid"] for key in first["keys"] if key["state"] == "next")
        assert second["active"]["ES256"] == next_kid
        clock.time += 2 * 86_400
        assert await maintenance.rotate_due_keys() == 1
        assert await states(api) == ["active", "next"]
        await database.close()


async def test_the_keys_of_both_rings_are_replaced_online(tmp_path: Path, redis_url: str) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    old = settings_for(url, redis_url)
    async with running(old) as api:
        await api.call("POST", "", json={"realm": "acme"})
        uuid = await api.create(
            "/acme/clients", {"clientId": "orders", "clientAuthenticatorType": "client-secret-jwt"}
        )
        secret = (await api.call("GET", f"/acme/clients/{uuid}/client-secret")).json()["value"]

    new_encryption, new_fleet = KeyRing.generate_key(), KeyRing.generate_key()
    both = settings_for(
        url,
        redis_url,
        encryption_keys=f"{new_encryption},{old.encryption_keys.get_secret_value()}",
        fleet_keys=f"{new_fleet},{old.fleet_keys.get_secret_value()}",
    )
    await _renew(both)

    only_new = settings_for(url, redis_url, encryption_keys=new_encryption, fleet_keys=new_fleet)
    async with running(only_new) as api:
        shown = (await api.call("GET", f"/acme/clients/{uuid}/client-secret")).json()
        assert shown["value"] == secret
        realm_id = (await api.call("GET", "/acme")).json()["id"]
    database = Database(url)
    fields = [realm_field("acme"), client_field(realm_id, "orders")]
    bodies = await stored_projections(database, fields)
    await database.close()
    fleet = only_new.fleet_ring()
    _, realm = decode_realm(projection_value(*_living(bodies[fields[0]])))
    sealed = {key.kid: key.sealed_private_jwk for key in realm.signing_keys}
    signing = {kid: private for kid, private in sealed.items() if private is not None}
    assert len(signing) == 2
    for kid, private in signing.items():
        assert json.loads(fleet.open(private, f"signing-key:{kid}"))["kid"] == kid
    _, client = decode_client(projection_value(*_living(bodies[fields[1]])))
    assert fleet.matches(secret, client.secrets[0].digest, f"client-secret:{uuid}")
    assert client.secrets[0].sealed is not None
    assert fleet.open(client.secrets[0].sealed, f"client-secret:{uuid}").decode() == secret
    with sqlite3.connect(tmp_path / "keyturn.db") as connection:
        stored = str(connection.execute("SELECT secrets FROM clients").fetchall())
    assert old.encryption_ring().current_key_id not in stored


def _living(projection: tuple[int, bytes | None]) -> tuple[int, bytes]:
    sequence, body = projection
    assert body is not None
    return sequence, body


async def _renew(settings: CredentialsSettings) -> None:
    database = Database(settings.database_url)
    clock = SetClock(1_800_000_000.0)
    maintenance = build_operations(
        Store(database, clock, settings.encryption_ring()), clock, settings
    ).maintenance
    assert await maintenance.renew_seals() == 4
    assert await maintenance.renew_seals() == 0
    await database.close()


async def test_rounds_that_fail_are_counted_and_others_follow(tmp_path: Path, redis_url: str) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    database, clock, metrics = Database(settings.database_url), SetClock(1_800_000_000.0), CollectorRegistry()
    operations = build_operations(Store(database, clock, settings.encryption_ring()), clock, settings)
    rests: asyncio.Queue[float] = asyncio.Queue()
    goes_on = asyncio.Semaphore(0)

    async def sleep(seconds: float) -> None:
        rests.put_nowait(seconds)
        await goes_on.acquire()

    def seen() -> tuple[int, float | None]:
        return loop.task.failures, metrics.get_sample_value("keyturn_upkeep_rounds_total")

    loop = MaintenanceLoop(
        operations.maintenance,
        operations.retention,
        operations.reprojection,
        metrics,
        seconds=7.0,
        elapsed=clock.elapsed,
        sleep=sleep,
    )
    await loop.task.start()  # the database has no tables yet
    assert 3.5 <= await rests.get() <= 7.0
    assert seen() == (1, 0.0)
    await migrate(database)
    goes_on.release()
    assert await rests.get() == 7.0
    assert seen() == (1, 1.0)
    await loop.task.stop()
    await database.close()
