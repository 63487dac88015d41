"""The audit log records author, action, client, time and address, and no secret."""

import json

from tests.testkit.admin_api import AdminApi


async def test_every_change_is_in_the_audit_log_with_its_sequence(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    changed = await api.call("PUT", f"/master/clients/{uuid}", json={"attributes": {"team": "a"}})
    entries = (await api.call("GET", f"/master/audit?client_uuid={uuid}")).json()
    assert [entry["action"] for entry in entries] == ["client_updated", "client_created"]
    assert entries[0]["sequence"] == int(changed.headers["keyturn-sequence"])
    assert entries[0]["actor"] == {"realm": "master", "client_id": "admin"}
    assert entries[0]["remote_address"] == "127.0.0.1"
    assert entries[0]["details"] == {
        "changed": ["attributes.team"],
        "changes": {"attributes.team": {"from": None, "to": "a"}},
    }
    older = (await api.call("GET", f"/master/audit?before={entries[1]['id']}&max=1")).json()
    assert older[0]["client_id"] == "admin"


async def test_the_audit_log_is_narrowed_by_what_is_asked(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    await api.call("POST", f"/master/clients/{uuid}/client-secret")
    await api.call("POST", "/master/clear-keys-cache")

    async def actions(query: str) -> list[str]:
        response = await api.call("GET", f"/master/audit?{query}")
        assert response.status_code == 200, response.text
        return [entry["action"] for entry in response.json()]

    everything = await actions("")
    assert everything[:2] == ["realm_keys_cache_cleared", "client_secret_rotated"]
    assert await actions("action=client_secret_rotated") == ["client_secret_rotated"]
    assert await actions("client_id=orders") == ["client_secret_rotated", "client_created"]
    assert await actions("actor=admin&action=client_created") == ["client_created"]
    assert await actions("actor=nobody") == []
    assert await actions("until=1000") == []
    assert await actions("since=1000") == everything
    newest = (await api.call("GET", "/master/audit?max=1")).json()[0]["id"]
    assert await actions(f"after={newest}") == []
    assert (await api.call("GET", "/master/audit?since=yesterday")).status_code == 400


async def test_the_audit_log_is_exported_as_json_lines_without_secrets(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    secret = (await api.call("POST", f"/master/clients/{uuid}/client-secret")).json()["value"]
    response = await api.call("GET", "/master/audit", headers={"Accept": "application/jsonl"})
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4]
    assert secret not in response.text


async def test_the_audit_log_is_for_who_manages_the_realm(api: AdminApi) -> None:
    await api.create(
        "/master/clients", {"clientId": "viewer", "attributes": {"keyturn.admin.roles": "manage-clients"}}
    )
    assert (await api.call("GET", "/master/audit", client_id="viewer")).status_code == 403
