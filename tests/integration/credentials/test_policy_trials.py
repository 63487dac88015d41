"""A policy that is tried: what it would do, what is wrong with it, and that nothing is stored."""

from typing import Any

import pytest

from tests.testkit.admin_api import AdminApi

PERIOD = "keyturn.secret.expiration-period"
OVERLAP = "keyturn.secret.rotated-expiration-period"
BEFORE = "keyturn.secret.remaining-rotation-period"
AUTOMATIC = "keyturn.rotation.automatic"
DAY = 86_400


async def tried(api: AdminApi, body: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = await api.call("POST", f"/acme/rotations/plan{query}", json=body)
    assert answer.status_code == 200, answer.text
    plan: list[dict[str, Any]] = answer.json()
    return plan


async def effects(api: AdminApi, body: dict[str, Any], query: str = "") -> dict[str, str]:
    return {entry["client_id"]: entry["effect"] for entry in await tried(api, body, query)}


async def problems(api: AdminApi, body: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with each attribute."""
    answer = await api.call("POST", "/acme/rotations/plan", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    found = {each["pointer"]: each["detail"] for each in answer.json()["errors"]}
    assert answer.json()["detail"] == "; ".join(found.values())
    return {pointer.removeprefix("#/attributes/"): detail for pointer, detail in found.items()}


async def test_a_realms_first_policy_gives_every_secret_an_expiry_and_is_not_stored(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    strict = {"keyturn.rotation.retire-unused": "true"}
    by_hand = {AUTOMATIC: "false"}
    for name, attributes in (("calm", {}), ("strict", strict), ("by-hand", by_hand)):
        await api.create("/acme/clients", {"clientId": name, "attributes": attributes})
    await api.create("/acme/clients", {"clientId": "public", "publicClient": True})
    before = (await api.call("GET", "/acme")).json()
    policy = {"attributes": {PERIOD: str(30 * DAY)}}
    assert await effects(api, policy) == {
        "calm": "rotates",
        "strict": "rotates_strictly",
        "by-hand": "expires",
    }
    assert await effects(api, policy, "?days=27") == {"calm": "rotates", "strict": "rotates_strictly"}
    assert await effects(api, policy, "?days=26") == {}
    assert (await api.call("GET", "/acme/rotations/plan")).json() == []
    assert (await api.call("GET", "/acme")).json() == before

    await api.call("PUT", "/acme", json=policy)
    by_hand_only = {"attributes": {PERIOD: str(30 * DAY), AUTOMATIC: "false"}}
    assert await tried(api, by_hand_only) == [], "secrets get their expiry from a policy that rotates them"


async def test_a_realms_policy_that_ends_or_changes_says_who_is_locked_out(api: AdminApi) -> None:
    stored = {PERIOD: str(30 * DAY), OVERLAP: str(DAY)}
    await api.create("", {"realm": "acme", "attributes": stored})
    await api.create("/acme/clients", {"clientId": "orders"})
    assert await effects(api, {"attributes": {}}) == {"orders": "rotates"}
    assert await effects(api, {"attributes": {AUTOMATIC: "false"}}) == {"orders": "expires"}
    assert await effects(api, {"attributes": {PERIOD: ""}}) == {"orders": "expires"}
    [entry] = await tried(api, {"attributes": {BEFORE: str(20 * DAY)}})
    assert entry["expires_at"] - entry["at"] == 20 * DAY
    assert await effects(api, {"attributes": {}}, "?max=1") == {"orders": "rotates"}


async def test_a_clients_own_policy_is_tried_for_it_alone(api: AdminApi) -> None:
    await api.create("", {"realm": "acme", "attributes": {PERIOD: str(30 * DAY)}})
    uuid = await api.create("/acme/clients", {"clientId": "orders"})
    await api.create("/acme/clients", {"clientId": "other"})
    own = {"client_uuid": uuid, "attributes": {}}
    assert await effects(api, own) == {"orders": "rotates"}
    assert await effects(api, own | {"attributes": {AUTOMATIC: "false"}}) == {"orders": "expires"}
    due = {PERIOD: str(40 * DAY), BEFORE: str(40 * DAY)}
    assert await effects(api, own | {"attributes": due}) == {"orders": "rotates"}, (
        "storing it leaves the secret to its rotation"
    )
    by_hand = own | {"attributes": due | {AUTOMATIC: "false"}}
    assert await effects(api, by_hand) == {"orders": "rotates_strictly"}, "storing it replaces the secret"
    assert await effects(api, own, "?days=1") == {}
    await api.call("PUT", "/acme", json={"attributes": {PERIOD: ""}})
    assert await effects(api, own) == {}, "storing it takes the expiry away"
    first = own | {"attributes": {PERIOD: str(5 * DAY)}}
    assert await effects(api, first) == {"orders": "rotates"}
    missing = await api.call("POST", "/acme/rotations/plan", json=own | {"client_uuid": "none"})
    assert missing.status_code == 404


async def test_each_wrong_attribute_is_named_once(api: AdminApi) -> None:
    await api.create("", {"realm": "acme", "attributes": {PERIOD: str(30 * DAY)}})
    uuid = await api.create("/acme/clients", {"clientId": "orders"})
    wrong = {
        PERIOD: "0",
        OVERLAP: "a day",
        AUTOMATIC: "perhaps",
        "keyturn.rotation.window": "mon-fri 01:00-05:00 Europe/Nowhere",
        "keyturn.rotation.jitter": "-1",
        "keyturn.rotation.max-at-once": "0",
        "keyturn.rotation.retire-unused": ["true"],
        "keyturn.strict-audience": "true",
        "a/b~c d": "x",
    }
    found = await problems(api, {"attributes": wrong})
    escaped = "a~1b~0c%20d"
    assert found.keys() == (wrong.keys() - {"a/b~c d"}) | {escaped}
    assert found[PERIOD] == f"{PERIOD} must be greater than 0 seconds"
    assert found["keyturn.rotation.window"] == "keyturn.rotation.window: 'Europe/Nowhere' is not a time zone"
    assert found["keyturn.strict-audience"] == "keyturn.strict-audience is not an attribute of a policy"
    long = {OVERLAP: str(31 * DAY), BEFORE: str(30 * DAY + 1)}
    found = await problems(api, {"attributes": long})
    assert found == {name: f"{name} must not exceed {PERIOD}" for name in long}
    assert long.keys() == (await problems(api, {"attributes": {PERIOD: "60"} | long})).keys()
    of_keys = {"keyturn.key.rotation-period": "3600", "keyturn.key.overlap": "3601"}
    found = await problems(api, {"attributes": of_keys})
    assert found == {"keyturn.key.overlap": "keyturn.key.overlap must not exceed keyturn.key.rotation-period"}
    assert (await problems(api, {"attributes": {"keyturn.key.overlap": "long"}})).keys() == found.keys()
    own = {"client_uuid": uuid, "attributes": {"keyturn.rotation.max-at-once": "5"}}
    assert (await problems(api, own)).keys() == {"keyturn.rotation.max-at-once"}
    assert await tried(api, own | {"attributes": {"keyturn.rotation.max-at-once": ""}})


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"attributes": None}, {"attributes": []}, {"attributes": {}, "client": "x"}),
        {"attributes": {}, "client_uuid": 1},
        {"attributes": {f"a{number}": "" for number in range(2000)}},
    ],
)
async def test_another_body_is_refused(api: AdminApi, body: dict[str, Any]) -> None:
    await api.create("", {"realm": "acme"})
    refused = await api.call("POST", "/acme/rotations/plan", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert "errors" not in refused.json()
