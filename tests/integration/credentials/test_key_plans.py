"""Keys in the plan of a policy: of the one in force, and of one that is tried."""

import json
from typing import Any

import pytest

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import AdminApi

PERIOD = "keyturn.key.rotation-period"
OVERLAP = "keyturn.key.overlap"
AUTOMATIC = "keyturn.rotation.automatic"
RETIRE = "keyturn.rotation.retire-unused"
SECRET_PERIOD = "keyturn.secret.expiration-period"
DAY = 86_400

Planned = list[tuple[str, str, str]]


async def create(api: AdminApi, client_id: str, **attributes: str) -> str:
    """Create a client that authenticates with a key of its own."""
    jwks = json.dumps({"keys": [SigningKey.generate("ES256").public_jwk]})
    keys = {"use.jwks.string": "true", "jwks.string": jwks}
    body = {"clientId": client_id, "clientAuthenticatorType": "client-jwt", "attributes": keys | attributes}
    return await api.create("/acme/clients", body)


def shown(plan: list[dict[str, Any]]) -> Planned:
    return [(each["client_id"], each["kind"], each["effect"]) for each in plan]


async def plan(api: AdminApi, query: str = "") -> list[dict[str, Any]]:
    answer = await api.call("GET", f"/acme/rotations/plan{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def tried(api: AdminApi, attributes: dict[str, str], **body: str) -> Planned:
    answer = await api.call("POST", "/acme/rotations/plan", json={"attributes": attributes} | body)
    assert answer.status_code == 200, answer.text
    return shown(answer.json())


async def test_the_plan_says_when_clients_are_asked_for_their_next_keys(api: AdminApi) -> None:
    await api.create(
        "", {"realm": "acme", "attributes": {PERIOD: str(60 * DAY), SECRET_PERIOD: str(50 * DAY)}}
    )
    await create(api, "by-realm")
    await create(api, "by-itself", **{PERIOD: str(20 * DAY), RETIRE: "true"})
    await create(api, "later", **{PERIOD: str(100 * DAY)})
    await create(api, "by-hand", **{AUTOMATIC: "false"})
    await api.create("/acme/clients", {"clientId": "with-secret"})
    found = await plan(api)
    assert shown(found) == [
        ("by-itself", "key", "rotates_strictly"),
        ("with-secret", "secret", "rotates"),
        ("by-realm", "key", "rotates"),
    ]
    assert [each["expires_at"] is None for each in found] == [True, False, True]
    assert found[2]["at"] - found[0]["at"] == pytest.approx(40 * DAY, abs=60)
    assert shown(await plan(api, "?days=30")) == shown(found)[:1]
    assert len(await plan(api, "?days=365")) == 4


async def test_a_key_whose_rotation_is_under_way_is_not_planned(api: AdminApi) -> None:
    await api.create("", {"realm": "acme", "attributes": {PERIOD: str(60 * DAY)}})
    uuid = await create(api, "orders")
    assert shown(await plan(api)) == [("orders", "key", "rotates")]
    begun = await api.create(f"/acme/clients/{uuid}/rotations", {"kind": "key"})
    assert await plan(api) == []
    assert await tried(api, {PERIOD: str(50 * DAY)}) == []
    assert await tried(api, {PERIOD: str(50 * DAY)}, client_uuid=uuid) == []
    assert (await api.call("POST", f"/acme/rotations/{begun}/cancel")).status_code == 200
    assert shown(await plan(api)) == [("orders", "key", "rotates")]


async def test_a_policy_for_keys_is_tried_and_not_stored(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    uuid = await create(api, "orders")
    await create(api, "billing", **{PERIOD: str(30 * DAY)})
    assert await tried(api, {PERIOD: str(10 * DAY)}) == [
        ("orders", "key", "rotates"),
        ("billing", "key", "rotates"),
    ]
    assert await tried(api, {PERIOD: str(10 * DAY), AUTOMATIC: "false"}) == []
    assert await tried(api, {PERIOD: str(10 * DAY), RETIRE: "true"}, client_uuid=uuid) == [
        ("orders", "key", "rotates_strictly")
    ]
    assert await tried(api, {PERIOD: str(100 * DAY)}, client_uuid=uuid) == []
    assert shown(await plan(api)) == [("billing", "key", "rotates")]
