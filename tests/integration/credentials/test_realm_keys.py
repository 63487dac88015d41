"""Signing keys of realms: of every algorithm, and how one takes over from another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyturn_credentials.operations.composition import build_operations
from keyturn_credentials.operations.upkeep import Upkeep
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.transaction import Store
from tests.support.admin_api import AdminApi, running, settings_for
from tests.support.clocks import SetClock

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
async def upkeep(api: AdminApi, clock: SetClock) -> AsyncIterator[Upkeep]:
    engines = Engines(api.settings.database_url)
    yield build_operations(Store(engines, clock, api.settings.encryption_ring()), clock, api.settings).upkeep
    await engines.close()


async def keys(api: AdminApi, realm: str) -> dict[str, tuple[str, str]]:
    """Algorithm and kid by state; of several in one state the last."""
    shown = (await api.call("GET", f"/{realm}/keys")).json()["keys"]
    return {key["state"]: (key["algorithm"], key["kid"]) for key in shown}


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_realm_signs_with_the_algorithm_it_was_given(api: AdminApi, alg: str) -> None:
    realm = {"realm": "acme", "attributes": {"keyturn.signing.algorithm": alg}}
    assert (await api.call("POST", "", json=realm)).status_code == 201
    shown = (await api.call("GET", "/acme/keys")).json()
    assert [(key["algorithm"], key["type"], key["status"]) for key in shown["keys"]] == [
        (alg, ALGORITHMS[alg], "ACTIVE")
    ] * 2
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
    api: AdminApi, clock: SetClock, upkeep: Upkeep
) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    before = await keys(api, "acme")
    await api.call("PUT", "/acme", json={"attributes": {"keyturn.signing.algorithm": "EdDSA"}})
    assert await upkeep.rotate_due_keys() == 1
    published = await keys(api, "acme")
    assert published["active"] == before["active"]
    assert published["next"][0] == "EdDSA"
    clock.time += 599
    assert await upkeep.rotate_due_keys() == 0
    clock.time += 1
    assert await upkeep.rotate_due_keys() == 1
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


async def test_a_period_is_taken_within_reason(api: AdminApi, clock: SetClock, upkeep: Upkeep) -> None:
    for period in ("3599", "0", "-1", "a month"):
        realm = {"realm": "acme", "attributes": {"keyturn.signing.rotation-period": period}}
        assert (await api.call("POST", "", json=realm)).status_code == 400
    realm = {"realm": "acme", "attributes": {"keyturn.signing.rotation-period": "3600"}}
    await api.call("POST", "", json=realm)
    before = await keys(api, "acme")
    clock.time += 3600
    assert await upkeep.rotate_due_keys() == 1
    assert (await keys(api, "acme"))["active"] == before["next"]
