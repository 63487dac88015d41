"""The last administrator cannot go, and one that is locked out gets back in from beside the database."""

import os
from pathlib import Path

import httpx
import pytest

from keyturn_credentials.administrator_access import recover_administrator, trouble_of
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.secret import Secret
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, AdminApi, settings_for

NEW = Secret("the-recovered-admins-secret-is-long-too")


async def uuid_of(api: AdminApi, client_id: str) -> str:
    (found,) = (await api.call("GET", f"/master/clients?clientId={client_id}")).json()
    return str(found["id"])


async def sign_in(api: AdminApi, secret: str) -> httpx.Response:
    return await api.http.post(
        "/realms/master/protocol/openid-connect/token",
        data={"grant_type": "client_credentials"},
        auth=(ADMIN_ID, secret),
    )


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("DELETE", None),
        ("PUT", {"enabled": False}),
        ("PUT", {"serviceAccountsEnabled": False}),
        ("PUT", {"attributes": {"keyturn.admin.roles": ""}}),
        ("PUT", {"publicClient": True}),
    ],
)
async def test_the_last_administrator_cannot_go(
    api: AdminApi, method: str, body: dict[str, object] | None
) -> None:
    path = f"/master/clients/{await uuid_of(api, ADMIN_ID)}"
    refused = await api.call(method, path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_administrator")
    assert (await sign_in(api, ADMIN_SECRET)).status_code == 200


async def test_an_import_cannot_overwrite_the_last_administrator_away(api: AdminApi) -> None:
    clients = [{"clientId": ADMIN_ID, "enabled": False}]
    refused = await api.call(
        "POST", "/master/partialImport", json={"clients": clients, "ifResourceExists": "OVERWRITE"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "last_administrator")


async def test_an_administrator_that_has_lost_its_secret_gets_a_new_one(api: AdminApi) -> None:
    uuid = await uuid_of(api, ADMIN_ID)
    await api.call("POST", f"/master/clients/{uuid}/client-secret")
    found = await trouble_of(api.settings, "master", ADMIN_ID, Secret(ADMIN_SECRET))
    assert found is not None
    assert (found.text, found.by_any_means) == ("has another secret now", False)
    sequence, is_new = await recover_administrator(api.settings, ADMIN_ID, NEW)
    assert not is_new
    assert (await sign_in(api, NEW.reveal())).status_code == 200
    assert await trouble_of(api.settings, "master", ADMIN_ID, NEW) is None
    token = (await sign_in(api, NEW.reveal())).json()["access_token"]
    audit = await api.http.get("/admin/realms/master/audit", headers={"Authorization": f"Bearer {token}"})
    entry = audit.json()[0]
    assert (entry["sequence"], entry["actor"]["client_id"]) == (sequence, "keyturn")
    assert entry["details"]["reason"] == "administrator_recovered"
    assert NEW.reveal() not in audit.text


async def test_an_administrator_is_made_where_there_is_none_of_that_name(api: AdminApi) -> None:
    sequence, is_new = await recover_administrator(api.settings, "second", NEW)
    assert is_new
    assert sequence > 0
    assert (await api.call("GET", "/master/audit", client_id="second")).status_code == 200


async def test_no_database_is_made_to_recover_an_administrator_in(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/none.db", "redis://nobody.invalid")
    with pytest.raises(ConfigurationError, match=r"there is no database .*none\.db"):
        await recover_administrator(settings, ADMIN_ID, NEW)
    assert not os.listdir(tmp_path)


async def test_an_empty_database_has_no_administrator_to_recover(
    tmp_path: Path, settings: CredentialsSettings
) -> None:
    (tmp_path / "own.db").touch()
    with pytest.raises(ConfigurationError, match="the database is empty"):
        await recover_administrator(settings, ADMIN_ID, NEW)
