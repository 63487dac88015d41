"""The audit log says who has seen a secret, who signed in to the console, and who was denied what."""

from typing import Any

from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL, AdminApi
from tests.testkit.waiting import wait_until

OWN_PAGE = {"Origin": BASE_URL}


async def entries(api: AdminApi, action: str, number: int, realm: str = "master") -> list[dict[str, Any]]:
    """Return the newest entries of this kind, once there are so many."""

    async def found() -> list[dict[str, Any]] | None:
        listed = (await api.call("GET", f"/{realm}/audit?action={action}")).json()
        return list(listed) if len(listed) >= number else None

    return await wait_until(found)


async def test_each_way_to_see_a_secret_is_in_the_audit_log(api: AdminApi) -> None:
    policy = {"keyturn.secret.expiration-period": "600", "keyturn.secret.rotated-expiration-period": "300"}
    uuid = await api.create("/master/clients", {"clientId": "orders", "attributes": policy})
    path = f"/master/clients/{uuid}"
    await api.call("POST", f"{path}/client-secret")
    for _ in range(3):
        await api.call("GET", f"{path}/client-secret")
    await api.call("GET", f"{path}/client-secret/rotated")
    found = await entries(api, "secret_shown", 2)
    assert [entry["details"] for entry in found] == [{"former": True}, {}]
    assert {entry["client_id"] for entry in found} == {"orders"}
    assert found[0]["actor"] == {"realm": "master", "client_id": ADMIN_ID}
    assert found[0]["remote_address"] == "127.0.0.1"
    await api.call("GET", "/master/clients?max=10")
    (listed,) = await entries(api, "secrets_listed", 1)
    assert listed["details"] == {"clients": 2}


async def test_a_masked_secret_was_not_shown(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    viewing = {"clientId": "viewer", "attributes": {"keyturn.admin.roles": "view-clients"}}
    await api.create("/master/clients", viewing)
    await api.call("GET", f"/master/clients/{uuid}/client-secret", client_id="viewer")
    await api.call("POST", f"/master/clients/{uuid}/client-secret", client_id="viewer")
    (denied,) = await entries(api, "call_denied", 1)
    assert denied["actor"]["client_id"] == "viewer"
    assert denied["client_uuid"] == uuid
    assert denied["details"] == {
        "method": "POST",
        "path": f"/admin/realms/master/clients/{uuid}/client-secret",
    }
    assert (await api.call("GET", "/master/audit?action=secret_shown")).json() == []


async def test_sign_ins_to_the_console_and_refused_ones_are_there(api: AdminApi) -> None:
    session = {"realm": "master", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    await api.http.post("/console/session", json=session, headers=OWN_PAGE)
    wrong = session | {"client_secret": "another-secret-that-is-wrong"}
    for _ in range(2):
        refused = await api.http.post("/console/session", json=wrong, headers=OWN_PAGE)
        assert refused.status_code == 401
    (signed_in,) = await entries(api, "console_signed_in", 1)
    assert (signed_in["client_id"], signed_in["details"]) == (ADMIN_ID, {"by": "secret"})
    (entry,) = await entries(api, "console_sign_in_refused", 1)
    assert (entry["client_id"], entry["remote_address"]) == (ADMIN_ID, "127.0.0.1")
    audit = await api.call("GET", "/master/audit")
    assert "another-secret-that-is-wrong" not in audit.text
    assert ADMIN_SECRET not in audit.text


async def test_a_changed_member_has_its_old_and_new_value(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders", "attributes": {"team": "a"}})
    await api.call("PUT", f"/master/clients/{uuid}", json={"enabled": False, "attributes": {"team": "b"}})
    await api.call("PUT", "/master", json={"accessTokenLifespan": 77})
    realm, client = (await api.call("GET", "/master/audit?max=2")).json()
    assert client["details"]["changes"] == {
        "attributes.team": {"from": "a", "to": "b"},
        "enabled": {"from": True, "to": False},
    }
    assert realm["details"]["changes"]["accessTokenLifespan"]["to"] == 77
