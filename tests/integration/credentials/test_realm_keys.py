"""Signing keys of realms: of every algorithm, and their rotation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyturn_credentials.domain.realm_keys import MAX_PUBLISHED
from keyturn_credentials.operations.maintenance import Maintenance
from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.unit_of_work import Store
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.clocks import SetClock

ALGORITHMS = {
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "RS256": "RSA",
    "PS256": "RSA",
    "EdDSA": "OKP",
    "Ed25519": "OKP",
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(1_800_000_000.0)


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, clock: SetClock) -> AsyncIterator[AdminApi]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    async with running(settings, clock) as started:
        yield started


@pytest.fixture
async def maintenance(api: AdminApi, clock: SetClock) -> AsyncIterator[Maintenance]:
    database = Database(api.settings.database_url)
    yield build_operations(
        Store(database, clock, api.settings.encryption_ring()), clock, api.settings
    ).maintenance
    await database.close()


async def keys(api: AdminApi, realm: str) -> dict[str, tuple[str, str]]:
    """Return algorithm and kid by state, of the keys for the realm's clients; of several in one state, the
    last."""
    purpose = "administrators" if realm == "master" else "clients"
    shown = (await api.call("GET", f"/{realm}/keys")).json()["keys"]
    return {key["state"]: (key["algorithm"], key["kid"]) for key in shown if key["purpose"] == purpose}


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_realm_signs_with_the_algorithm_it_was_given(api: AdminApi, alg: str) -> None:
    realm = {"realm": "acme", "attributes": {"keyturn.signing.algorithm": alg}}
    assert (await api.call("POST", "", json=realm)).status_code == 201
    shown = (await api.call("GET", "/acme/keys")).json()
    assert [(key["algorithm"], key["type"], key["status"]) for key in shown["keys"]] == [
        (alg, ALGORITHMS[alg], "ACTIVE")
    ] * 4
    assert [key["purpose"] for key in shown["keys"]] == ["administrators"] * 2 + ["clients"] * 2
    assert not {"d", "p", "q"} & set(shown["keys"][0]["publicJwk"])
    given = {"keyturn.admin.roles": "view-clients"}
    await api.create("/acme/clients", {"clientId": "own", "attributes": given})
    assert (await api.call("GET", "/acme/clients", realm="acme", client_id="own")).status_code == 200


async def test_without_a_word_it_is_es256(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    assert (await keys(api, "acme"))["active"][0] == "ES256"


@pytest.mark.parametrize("alg", ["HS256", "none", "es256", "RS1"])
async def test_no_other_algorithm_is_taken(api: AdminApi, alg: str) -> None:
    realm = {"realm": "acme", "attributes": {"keyturn.signing.algorithm": alg}}
    assert (await api.call("POST", "", json=realm)).status_code == 400
    assert (await api.call("GET", "/acme")).status_code == 404


async def test_another_algorithm_is_published_before_it_signs(
    api: AdminApi, clock: SetClock, maintenance: Maintenance
) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    before = await keys(api, "acme")
    await api.call("PUT", "/acme", json={"attributes": {"keyturn.signing.algorithm": "EdDSA"}})
    assert await maintenance.rotate_due_keys() == 1
    published = await keys(api, "acme")
    assert published["active"] == before["active"]
    assert published["next"][0] == "EdDSA"
    clock.time += 599
    assert await maintenance.rotate_due_keys() == 0
    clock.time += 1
    assert await maintenance.rotate_due_keys() == 1
    after = await keys(api, "acme")
    assert after["active"] == published["next"]
    assert after["retiring"] == before["active"]
    log = (await api.call("GET", "/acme/event-log?type=realm_keys_rotated")).json()
    assert [event["details"]["active_kid"] for event in log] == [after["active"][1], before["active"][1]]


async def test_a_rotation_by_hand_takes_effect_at_once_and_is_an_event(api: AdminApi) -> None:
    before = await keys(api, "master")
    rotated = await api.call("POST", "/master/keys/rotate")
    after = await keys(api, "master")
    assert (after["active"], after["retiring"]) == (before["next"], before["active"])
    audit = (await api.call("GET", "/master/audit?action=realm_keys_rotated")).json()
    assert audit[0]["sequence"] == int(rotated.headers["keyturn-sequence"])
    assert audit[0]["details"] == {"active_kid": after["active"][1]}


async def test_a_period_is_taken_within_reason(
    api: AdminApi, clock: SetClock, maintenance: Maintenance
) -> None:
    for period in ("3599", "0", "-1", "a month"):
        realm = {"realm": "acme", "attributes": {"keyturn.signing.rotation-period": period}}
        assert (await api.call("POST", "", json=realm)).status_code == 400, period
    realm = {"realm": "acme", "attributes": {"keyturn.signing.rotation-period": "3600"}}
    await api.call("POST", "", json=realm)
    before = await keys(api, "acme")
    clock.time += 3600
    assert await maintenance.rotate_due_keys() == 1
    assert (await keys(api, "acme"))["active"] == before["next"]


async def test_rotations_stop_before_the_realm_publishes_more_keys_than_verifiers_read(
    api: AdminApi, clock: SetClock
) -> None:
    """Otherwise realm master would have no administrators for a day."""
    for _ in range(MAX_PUBLISHED - 2):
        assert (await api.call("POST", "/master/keys/rotate")).status_code == 204
        api.forget_keys()
    before = (await api.call("GET", "/master/keys")).json()
    refused = await api.call("POST", "/master/keys/rotate")
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert str(MAX_PUBLISHED) in refused.json()["errorMessage"]
    assert "keyturn-sequence" not in refused.headers
    assert (await api.call("GET", "/master/keys")).json() == before
    assert (await api.call("POST", "/master/keys/rotate?revoke=true")).status_code == 204
    api.forget_keys()
    assert len((await api.call("GET", "/master/keys")).json()["keys"]) == 2
    assert (await api.call("POST", "/master/keys/rotate")).status_code == 204
