"""Client secrets: policies for their expiry and overlap, and realms that store only digests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keyturn_credentials.operations.wiring import build_operations
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.unit_of_work import Store
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.clocks import SetClock

NOW = 1_800_000_000.0
POLICY = {
    "keyturn.secret.expiration-period": "1000",
    "keyturn.secret.rotated-expiration-period": "100",
    "keyturn.secret.remaining-rotation-period": "300",
}
EXPIRES = "client.secret.expiration.time"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, clock: SetClock) -> AsyncIterator[AdminApi]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    async with running(settings, clock) as started:
        yield started


async def value(api: AdminApi, path: str, more: str = "") -> str:
    response = await api.call("GET", f"{path}/client-secret{more}")
    assert response.status_code == 200, response.text
    return str(response.json()["value"])


async def attributes(api: AdminApi, path: str) -> dict[str, str]:
    found: dict[str, str] = (await api.call("GET", path)).json()["attributes"]
    return found


async def test_a_former_secret_overlaps_as_long_as_the_policy_says(api: AdminApi, clock: SetClock) -> None:
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'a', 'attributes': POLICY})}"
    first = await value(api, path)
    clock.time += 10
    second = (await api.call("POST", f"{path}/client-secret")).json()["value"]
    assert (await value(api, path), await value(api, path, "/rotated")) == (second, first)
    shown = await attributes(api, path)
    assert {name: shown[name] for name in shown if name.startswith("client.secret")} == {
        "client.secret.creation.time": "1800000010",
        "client.secret.expiration.time": "1800001010",
        "client.secret.rotated.creation.time": "1800000000",
        "client.secret.rotated.expiration.time": "1800000110",
    }
    clock.time += 100
    gone = await api.call("GET", f"{path}/client-secret/rotated")
    assert (gone.status_code, gone.json()["error"]) == (404, "Client does not have a rotated secret")


async def test_a_client_that_became_public_shows_no_secret(api: AdminApi) -> None:
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'a'})}"
    assert await value(api, path)
    changed = await api.call("PUT", path, json={"publicClient": True, "serviceAccountsEnabled": False})
    assert changed.status_code == 204
    assert (await api.call("GET", f"{path}/client-secret")).json() == {"type": "secret"}
    adapter = await api.call("GET", f"{path}/installation/providers/keycloak-oidc-keycloak-json")
    assert adapter.json()["public-client"] is True
    assert "credentials" not in adapter.json()


async def test_a_former_secret_can_be_ended_at_once(api: AdminApi) -> None:
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'a', 'attributes': POLICY})}"
    without = await api.call("DELETE", f"{path}/client-secret/rotated")
    assert (without.status_code, "keyturn-sequence" in without.headers) == (204, True)
    await api.call("POST", f"{path}/client-secret")
    assert (await api.call("DELETE", f"{path}/client-secret/rotated")).status_code == 204
    assert (await api.call("GET", f"{path}/client-secret/rotated")).status_code == 404


async def test_a_realms_policy_holds_for_clients_without_their_own(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "acme", "attributes": POLICY})
    own = {**POLICY, "keyturn.secret.expiration-period": "5000"}
    for name, given, ends in (("plain", {}, "1800001000"), ("own", own, "1800005000")):
        uuid = await api.create("/acme/clients", {"clientId": name, "attributes": given})
        shown = await attributes(api, f"/acme/clients/{uuid}")
        assert shown["client.secret.expiration.time"] == ends


async def test_a_change_leaves_a_secret_alone_that_a_rotation_will_replace(
    api: AdminApi, clock: SetClock
) -> None:
    """Its window may open in days: a change of another member would end it before the client has the next."""
    later = POLICY | {"keyturn.rotation.window": "sun 01:00-02:00"}  # it is a Friday
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'a', 'attributes': later})}"
    first = await value(api, path)
    clock.time += 900
    assert (await api.call("PUT", path, json={"name": "changed"})).status_code == 204
    assert await value(api, path) == first
    clock.time += 100
    assert (await api.call("PUT", path, json={"name": "expired"})).status_code == 204
    assert await value(api, path) != first


async def test_without_rotations_a_change_shortly_before_the_end_replaces_the_secret(
    api: AdminApi, clock: SetClock
) -> None:
    by_hand = POLICY | {"keyturn.rotation.automatic": "false"}
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'a', 'attributes': by_hand})}"
    first = await value(api, path)
    clock.time += 699
    await api.call("PUT", path, json={"name": "early"})
    assert await value(api, path) == first
    clock.time += 1
    await api.call("PUT", path, json={"name": "late"})
    assert await value(api, path) != first
    assert await value(api, path, "/rotated") == first


async def test_a_policy_that_cannot_be_is_refused(api: AdminApi) -> None:
    for wrong in (
        {"keyturn.secret.expiration-period": "0"},
        {"keyturn.secret.expiration-period": "-1"},
        {"keyturn.secret.expiration-period": "soon"},
        {**POLICY, "keyturn.secret.rotated-expiration-period": "1001"},
        {**POLICY, "keyturn.secret.remaining-rotation-period": "1001"},
    ):
        by_jwt = {"clientId": "a", "clientAuthenticatorType": "client-jwt"}
        for path, wanted in (
            ("/master/clients", {"clientId": "a"}),
            ("/master/clients", by_jwt),
            ("", {"realm": "a"}),
        ):
            response = await api.call("POST", path, json={**wanted, "attributes": wrong})
            assert response.status_code == 400, wrong
            assert "keyturn.secret" in response.json()["errorMessage"]


async def test_callers_who_may_only_view_see_no_secret(api: AdminApi) -> None:
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'a', 'attributes': POLICY})}"
    await api.call("POST", f"{path}/client-secret")
    viewer = {"clientId": "viewer", "attributes": {"keyturn.admin.roles": "view-clients"}}
    await api.create("/master/clients", viewer)
    for more in (
        "",
        "/client-secret",
        "/client-secret/rotated",
        "/installation/providers/keycloak-oidc-keycloak-json",
    ):
        shown = (await api.call("GET", path + more, client_id="viewer")).json()
        secret = shown.get("secret") or shown.get("value") or shown["credentials"]["secret"]
        assert secret == "**********", more
    listed = (await api.call("GET", "/master/clients", client_id="viewer")).json()
    assert {client["secret"] for client in listed} == {"**********"}
    # Sending back the mask changes nothing.
    before = await value(api, path)
    await api.call("PUT", path, json={"secret": "**********", "name": "b"})
    assert await value(api, path) == before


async def test_where_only_digests_are_kept_a_secret_is_shown_once(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "acme", "attributes": {"keyturn.secret.digest-only": "true"}})
    made = await api.call("POST", "/acme/clients", json={"clientId": "a"})
    assert made.status_code == 201
    assert len(made.json()["secret"]) == 43
    path = f"/acme/clients/{made.json()['id']}"
    assert await value(api, path) == "**********"
    renewed = (await api.call("POST", f"{path}/client-secret")).json()["value"]
    assert len(renewed) == 43
    assert await value(api, path) == "**********"
    assert (await api.call("GET", path)).json()["secret"] == "**********"
    needs_it = {"clientId": "b", "clientAuthenticatorType": "client-secret-jwt"}
    refused = await api.call("POST", "/acme/clients", json=needs_it)
    assert refused.status_code == 400
    assert "only its digest is kept" in refused.json()["errorMessage"]


async def test_a_realm_that_turns_to_digests_forgets_the_secrets_it_has(
    api: AdminApi, clock: SetClock
) -> None:
    await api.call("POST", "", json={"realm": "acme", "attributes": POLICY})
    path = f"/acme/clients/{await api.create('/acme/clients', {'clientId': 'a'})}"
    signing = {"clientId": "b", "clientAuthenticatorType": "client-secret-jwt"}
    by_jwt = f"/acme/clients/{await api.create('/acme/clients', signing)}"
    await api.call("POST", f"{path}/client-secret")
    secret = await value(api, by_jwt)
    await api.call("PUT", "/acme", json={"attributes": {"keyturn.secret.digest-only": "true"}})
    assert (await value(api, path), await value(api, path, "/rotated")) == ("**********", "**********")

    database = Database(api.settings.database_url)
    store = Store(database, clock, api.settings.encryption_ring())
    maintenance = build_operations(store, clock, api.settings).maintenance
    assert await maintenance.forget_secrets() == 1
    assert await maintenance.forget_secrets() == 0
    async with store.read() as reading:
        realm = await reading.realms.get("acme")
        assert realm is not None
        client = await reading.clients.find(realm.id, "a")
    await database.close()
    assert client is not None
    kept = client.secrets
    assert kept.current is not None
    assert kept.rotated is not None
    assert (kept.current.secret, kept.rotated.secret) == (None, None)
    # This one signs, so it must be stored; it is shown to no one.
    assert secret != "**********"
    assert await value(api, by_jwt) == "**********"


async def test_a_secret_that_is_signed_with_no_more_is_forgotten_where_only_digests_are_kept(
    api: AdminApi, clock: SetClock
) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    signing = {"clientId": "b", "clientAuthenticatorType": "client-secret-jwt"}
    path = f"/acme/clients/{await api.create('/acme/clients', signing)}"
    await api.call("PUT", "/acme", json={"attributes": {"keyturn.secret.digest-only": "true"}})
    database = Database(api.settings.database_url)
    maintenance = build_operations(
        Store(database, clock, api.settings.encryption_ring()), clock, api.settings
    ).maintenance
    assert [await maintenance.forget_secrets() for _ in range(3)] == [0, 0, 0]
    changed = await api.call("PUT", path, json={"clientAuthenticatorType": "client-secret"})
    assert changed.status_code == 204
    await maintenance.forget_secrets()
    await database.close()
    await api.call("PUT", "/acme", json={"attributes": {"keyturn.secret.digest-only": "false"}})
    assert await value(api, path) == "**********"


async def test_the_overlap_of_one_regenerated_secret_is_chosen_without_a_policy(
    api: AdminApi, clock: SetClock
) -> None:
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'once'})}"
    first = await value(api, path)
    await api.call("POST", f"{path}/client-secret?overlap=50")
    assert await value(api, path, "/rotated") == first
    await api.call("PUT", path, json={"description": "no policy ends what was promised"})
    assert (await value(api, path, "/rotated"), (await attributes(api, path)).get(EXPIRES)) == (first, None)
    clock.time += 50
    assert (await api.call("GET", f"{path}/client-secret/rotated")).status_code == 404


async def test_a_chosen_overlap_of_zero_ends_the_former_secret_under_a_policy(api: AdminApi) -> None:
    path = (
        f"/master/clients/{await api.create('/master/clients', {'clientId': 'zero', 'attributes': POLICY})}"
    )
    await api.call("POST", f"{path}/client-secret?overlap=0")
    assert (await api.call("GET", f"{path}/client-secret/rotated")).status_code == 404


@pytest.mark.parametrize("overlap", ["-1", "x", "1.5", "99999999999"])
async def test_an_overlap_that_is_none_is_refused_and_changes_nothing(api: AdminApi, overlap: str) -> None:
    path = f"/master/clients/{await api.create('/master/clients', {'clientId': 'wrong'})}"
    first = await value(api, path)
    answer = await api.call("POST", f"{path}/client-secret?overlap={overlap}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert await value(api, path) == first
