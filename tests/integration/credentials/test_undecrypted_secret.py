"""The admin API with a client whose stored secret no key decrypts."""

from keyturn_credentials.store.database import Database
from keyturn_shared.secret import Secret
from tests.testkit.admin_api import AdminApi
from tests.testkit.damaged_secrets import damage


async def test_it_is_masked_until_it_is_replaced_and_its_client_can_be_disabled_and_deleted(
    api: AdminApi,
) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    uuid = await api.create("/acme/clients", {"clientId": "orders"})
    database = Database(api.settings.database_url)
    await damage(database, uuid)
    await database.close()
    path = f"/acme/clients/{uuid}"
    shown = await api.call("GET", f"{path}/client-secret")
    assert (shown.status_code, shown.json()["value"]) == (200, Secret.MASK)
    assert (await api.call("GET", path)).json()["secret"] == Secret.MASK
    listed = await api.call("GET", "/acme/clients?clientId=orders")
    assert [each["id"] for each in listed.json()] == [uuid]
    for enabled in (False, True):
        changed = await api.call("PUT", path, json={"clientId": "orders", "enabled": enabled})
        assert changed.status_code == 204, changed.text
    new = await api.call("POST", f"{path}/client-secret")
    assert new.status_code == 200, new.text
    assert (await api.call("GET", f"{path}/client-secret")).json()["value"] == new.json()["value"]
    assert (await api.call("DELETE", path)).status_code == 204
