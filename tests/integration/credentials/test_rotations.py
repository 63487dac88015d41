"""Rotations over HTTP: begun, shown, held up and given up."""

from typing import Any

import pytest

from tests.testkit.admin_api import AdminApi

POLICY = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
}
SOON = POLICY | {"keyturn.secret.remaining-rotation-period": "3600"}


@pytest.fixture
async def uuid(api: AdminApi) -> str:
    """A client of a realm with a policy."""
    await api.create("", {"realm": "acme", "attributes": POLICY})
    return await api.create("/acme/clients", {"clientId": "orders"})


async def secrets_of(api: AdminApi, uuid: str) -> tuple[str, str | None]:
    """Return the current and the former secret."""
    path = f"/acme/clients/{uuid}/client-secret"
    current = (await api.call("GET", path)).json()["value"]
    former = await api.call("GET", f"{path}/rotated")
    return current, former.json()["value"] if former.status_code == 200 else None


async def rotation(api: AdminApi, rotation_id: str) -> dict[str, Any]:
    answer = await api.call("GET", f"/acme/rotations/{rotation_id}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_new_secret_is_accepted_beside_the_former_one_when_the_call_returns(
    api: AdminApi, uuid: str
) -> None:
    former, _ = await secrets_of(api, uuid)
    begun = await api.call(
        "POST", f"/acme/clients/{uuid}/rotations", json={"kind": "secret", "reason": "manual"}
    )
    assert begun.status_code == 201
    shown = begun.json()
    assert begun.headers["location"].endswith(f"/admin/realms/acme/rotations/{shown['id']}")
    assert shown == await rotation(api, shown["id"]) | {"waits_for": shown["waits_for"]}
    assert (shown["client_id"], shown["kind"], shown["reason"]) == ("orders", "secret", "manual")
    assert (shown["state"], shown["alert"], shown["paused"]) == ("prepared", None, False)
    assert shown["waits_for"] in ("nodes", "delivery")
    planned, prepared = shown["history"]
    assert (planned["state"], prepared["state"]) == ("planned", "prepared")
    assert str(prepared["sequence"]) == begun.headers["keyturn-sequence"]
    current, kept = await secrets_of(api, uuid)
    assert (kept, current != former) == (former, True)
    client = (await api.call("GET", f"/acme/clients/{uuid}")).json()
    assert "client.secret.expiration.time" not in client["attributes"]


async def test_a_client_that_is_put_back_as_it_was_read_loses_nothing(api: AdminApi, uuid: str) -> None:
    await api.create(f"/acme/clients/{uuid}/rotations", {})
    before = await secrets_of(api, uuid)
    client = (await api.call("GET", f"/acme/clients/{uuid}")).json()
    assert (await api.call("PUT", f"/acme/clients/{uuid}", json=client)).status_code == 204
    assert await secrets_of(api, uuid) == before


async def test_rotations_are_listed_by_realm_client_and_state(api: AdminApi, uuid: str) -> None:
    other = await api.create("/acme/clients", {"clientId": "billing"})
    first = await api.create(f"/acme/clients/{uuid}/rotations", {})
    second = await api.create(f"/acme/clients/{other}/rotations", {})
    assert (await api.call("POST", f"/acme/rotations/{first}/cancel")).json()["state"] == "rolled_back"

    async def listed(path: str) -> list[str]:
        return [entry["id"] for entry in (await api.call("GET", f"/acme{path}")).json()]

    assert await listed("/rotations") == [second, first]
    assert await listed("/rotations?state=open") == [second]
    assert await listed("/rotations?state=rolled_back,done") == [first]
    assert await listed(f"/clients/{uuid}/rotations") == [first]
    assert await listed("/rotations?max=1") == [second]
    assert (await api.call("GET", "/acme/rotations?state=lost")).status_code == 400


async def test_it_is_paused_resumed_confirmed_and_given_up(api: AdminApi, uuid: str) -> None:
    former, _ = await secrets_of(api, uuid)
    one = await api.create(f"/acme/clients/{uuid}/rotations", {})
    paused = (await api.call("POST", f"/acme/rotations/{one}/pause")).json()
    assert (paused["paused"], paused["waits_for"]) == (True, "person")
    resumed = (await api.call("POST", f"/acme/rotations/{one}/resume")).json()
    assert resumed["paused"] is False
    assert (await api.call("POST", f"/acme/rotations/{one}/delivered")).status_code == 200
    given_up = await api.call("POST", f"/acme/rotations/{one}/cancel")
    assert (given_up.status_code, given_up.json()["state"]) == (200, "rolled_back")
    assert given_up.headers["keyturn-sequence"]
    assert await secrets_of(api, uuid) == (former, None)
    for move in ("pause", "resume", "delivered", "cancel"):
        refused = await api.call("POST", f"/acme/rotations/{one}/{move}")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


async def test_a_compromised_secret_ends_with_the_call(api: AdminApi, uuid: str) -> None:
    former, _ = await secrets_of(api, uuid)
    begun = await api.call("POST", f"/acme/clients/{uuid}/rotations", json={"reason": "compromised"})
    assert begun.json()["state"] == "retired"
    assert begun.headers["keyturn-fleet"] == "nodes=0, applied=0, fenced=0, pending=0"
    current, kept = await secrets_of(api, uuid)
    assert (kept, current != former) == (None, True)


@pytest.mark.parametrize("reason", ["manual", "compromised"])
async def test_where_only_digests_are_stored_the_new_secret_is_shown_until_the_client_has_it(
    api: AdminApi, reason: str
) -> None:
    attributes = {"keyturn.secret.digest-only": "true"}
    await api.create("", {"realm": "acme", "attributes": attributes})
    uuid = await api.create("/acme/clients", {"clientId": "orders"})
    viewer = {"keyturn.admin.roles": "view-clients"}
    await api.create("/acme/clients", {"clientId": "viewer", "attributes": viewer})
    assert await secrets_of(api, uuid) == ("**********", None)
    await api.create(f"/acme/clients/{uuid}/rotations", {"reason": reason})
    new, former = await secrets_of(api, uuid)
    assert len(new) == 43
    assert former in (None, "**********")
    path = f"/acme/clients/{uuid}/client-secret"
    seen = await api.call("GET", path, realm="acme", client_id="viewer")
    assert (seen.status_code, seen.json()["value"]) == (200, "**********")
    exported = (await api.call("POST", "/acme/partial-export?exportClients=true")).text
    assert new not in exported
    assert new not in (await api.call("GET", "/acme/rotations")).text


@pytest.mark.parametrize(
    "body",
    [
        *({"kind": "key"}, {"kind": ["secret"]}, {"Kind": "secret"}, {"a": 1}),
        *({"reason": "policy"}, {"reason": None}),
    ],
)
async def test_anything_else_is_refused_and_changes_nothing(
    api: AdminApi, uuid: str, body: dict[str, Any]
) -> None:
    before = await secrets_of(api, uuid)
    refused = await api.call("POST", f"/acme/clients/{uuid}/rotations", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert await secrets_of(api, uuid) == before
    assert (await api.call("GET", "/acme/rotations")).json() == []


async def test_one_rotation_of_a_secret_is_under_way_at_a_time(api: AdminApi, uuid: str) -> None:
    await api.create(f"/acme/clients/{uuid}/rotations", {})
    again = await api.call("POST", f"/acme/clients/{uuid}/rotations", json={})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_a_caller_with_fewer_roles_than_the_client_moves_none_of_its_rotations(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    roles = {"keyturn.admin.roles": "manage-realm"}
    stronger = await api.create("/acme/clients", {"clientId": "stronger", "attributes": roles})
    own = {"keyturn.admin.roles": "configure-clients"}
    await api.create("/acme/clients", {"clientId": "caller", "attributes": own})
    one = await api.create(f"/acme/clients/{stronger}/rotations", {})
    before = await rotation(api, one)
    for move in ("pause", "resume", "delivered", "cancel"):
        path = f"/acme/rotations/{one}/{move}"
        assert (await api.call("POST", path, realm="acme", client_id="caller")).status_code == 403
    assert await rotation(api, one) | {"waits_for": None} == before | {"waits_for": None}


async def test_the_plan_says_what_will_be_rotated_and_what_will_lock_a_client_out(api: AdminApi) -> None:
    await api.create("", {"realm": "acme", "attributes": POLICY})
    for name, attributes in (
        ("calm", {}),
        ("strict", {"keyturn.rotation.retire-unused": "true"}),
        ("by-hand", {"keyturn.rotation.automatic": "false"}),
        ("later", {"keyturn.secret.expiration-period": str(400 * 86_400)}),
    ):
        await api.create("/acme/clients", {"clientId": name, "attributes": attributes})
    plan = (await api.call("GET", "/acme/rotations/plan")).json()
    assert [(entry["client_id"], entry["effect"]) for entry in plan] == [
        ("calm", "rotates"),
        ("strict", "rotates_strictly"),
        ("by-hand", "expires"),
    ]
    lead = 8640
    assert [entry["expires_at"] - entry["at"] for entry in plan] == pytest.approx([lead, lead, 0])
    far = (await api.call("GET", "/acme/rotations/plan?days=400")).json()
    assert [entry["client_id"] for entry in far][-1] == "later"
    assert (await api.call("GET", "/acme/rotations/plan?days=x")).status_code == 400


async def test_what_does_not_exist_is_not_found(api: AdminApi, uuid: str) -> None:
    one = await api.create(f"/acme/clients/{uuid}/rotations", {})
    await api.create("", {"realm": "other"})
    missing = ("/acme/rotations/none", f"/other/rotations/{one}", "/none/rotations", "/none/rotations/plan")
    for path in missing:
        assert (await api.call("GET", path)).status_code == 404, path
    assert (await api.call("POST", f"/other/rotations/{one}/cancel")).status_code == 404
    assert (await api.call("GET", "/acme/clients/none/rotations")).status_code == 404
    assert (await api.call("POST", "/acme/clients/none/rotations", json={})).status_code == 404


async def test_the_keys_of_a_realm_are_shown_in_the_same_form(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    listed = (await api.call("GET", "/acme/rotations?kind=realm_key")).json()
    states = sorted((each["kind"], each["state"]) for each in listed)
    assert states == [("realm_key", state) for state in ("done", "done", "prepared", "prepared")]
    published = {key["kid"] for key in (await api.call("GET", "/acme/keys")).json()["keys"]}
    assert {each["id"] for each in listed} == published
    prepared = (await api.call("GET", "/acme/rotations?kind=realm_key&state=prepared")).json()
    assert {each["state"] for each in prepared} == {"prepared"}
    assert (await api.call("GET", "/acme/rotations")).json() == []
    refused = await api.call("GET", "/acme/rotations?kind=certificate")
    assert refused.status_code == 400
