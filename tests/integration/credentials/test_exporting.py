"""A realm is exported in Keycloak's format, and importing it restores the same realm."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from keyturn_credentials.realm_transfer import write_export
from tests.testkit.admin_api import AdminApi

THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
POLICY = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
}


async def fill(api: AdminApi) -> tuple[str, str, str]:
    """Create a realm with a client that has two secrets and a revoked key; return its id, and the secrets."""
    await api.call("POST", "", json={"realm": "acme", "accessTokenLifespan": 120, "displayName": "Acme"})
    uuid = await api.create("/acme/clients", {"clientId": "orders", "attributes": {**POLICY, "team": "a"}})
    first = (await api.call("GET", f"/acme/clients/{uuid}/client-secret")).json()["value"]
    second = (await api.call("POST", f"/acme/clients/{uuid}/client-secret")).json()["value"]
    await api.call("POST", f"/acme/clients/{uuid}/keys/{THUMBPRINT}/revoke")
    await api.create("/acme/clients", {"clientId": "billing", "registeredNodes": {"a": 1}})
    return uuid, first, second


async def test_a_partial_export_masks_secrets(api: AdminApi) -> None:
    uuid, first, second = await fill(api)
    bare = (await api.call("POST", "/acme/partial-export")).json()
    assert (bare["realm"], bare["displayName"], "clients" in bare) == ("acme", "Acme", False)
    response = await api.call("POST", "/acme/partial-export?exportClients=true")
    assert first not in response.text
    assert second not in response.text
    exported = response.json()["clients"]
    assert [client["clientId"] for client in exported] == ["billing", "orders"]
    assert exported[1]["secret"] == "**********"
    assert exported[1]["id"] == uuid
    assert THUMBPRINT in exported[1]["keyturnRevokedKeys"]
    await api.call("POST", "", json={"realm": "empty"})
    empty = (await api.call("POST", "/empty/partial-export?exportClients=true")).json()
    assert empty["clients"] == []


async def test_who_may_not_see_clients_gets_the_realm_alone(api: AdminApi) -> None:
    await api.create(
        "/master/clients", {"clientId": "keeper", "attributes": {"keyturn.admin.roles": "manage-realm"}}
    )
    path = "/master/partial-export"
    assert (await api.call("POST", path, client_id="keeper")).status_code == 200
    refused = await api.call("POST", f"{path}?exportClients=true", client_id="keeper")
    assert refused.status_code == 403


async def test_an_exported_realm_is_made_again_with_its_clients_in_one_step(api: AdminApi) -> None:
    uuid, _, _ = await fill(api)
    exported = (await api.call("POST", "/acme/partial-export?exportClients=true")).json()
    assert (await api.call("DELETE", "/acme")).status_code == 204
    assert (await api.call("POST", "", json=exported)).status_code == 201
    assert (await api.call("GET", f"/acme/clients/{uuid}")).json()["attributes"]["team"] == "a"
    keys = (await api.call("GET", f"/acme/clients/{uuid}/keys")).json()
    assert [(key["thumbprint"], key["revoked_at"] is not None) for key in keys] == [(THUMBPRINT, True)]


async def test_a_realm_whose_clients_cannot_be_taken_over_is_not_made(api: AdminApi) -> None:
    clients = [{"clientId": "account"}, {"clientId": "old", "protocol": "saml"}, {"clientId": "orders"}]
    refused = await api.call("POST", "", json={"realm": "acme", "clients": clients})
    assert refused.status_code == 400
    assert "client old: protocol saml" in refused.json()["errorMessage"]
    assert (await api.call("GET", "/acme")).status_code == 404
    without = [client for client in clients if client["clientId"] != "old"]
    assert (await api.call("POST", "", json={"realm": "acme", "clients": without})).status_code == 201
    assert [client["clientId"] for client in (await api.call("GET", "/acme/clients")).json()] == ["orders"]


async def test_the_commands_carry_a_realm_to_another_database(api: AdminApi, tmp_path: Path) -> None:
    uuid, first, second = await fill(api)
    file = tmp_path / "acme.json"

    def keyturn(
        *arguments: str, database: str = api.settings.database_url
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "KEYTURN_DATABASE_URL": database,
            "KEYTURN_ENCRYPTION_KEYS": api.settings.encryption_keys.get_secret_value(),
            "KEYTURN_FLEET_KEYS": api.settings.fleet_keys.get_secret_value(),
        }
        command = [sys.executable, "-m", "keyturn", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    assert keyturn("export", "acme", str(file), "--with-secrets").returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    exported = json.loads(file.read_text())["clients"][1]
    assert (exported["secret"], exported["attributes"]["client.secret.rotated"]) == (second, first)
    again = keyturn("export", "acme", str(file))
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)

    other = f"sqlite+aiosqlite:///{tmp_path}/other.db"
    rehearsed = keyturn("import", str(file), "--dry-run", "--json", database=other)
    assert report(rehearsed) == {"orders": "ADDED", "billing": "ADDED"}
    assert not (tmp_path / "other.db").exists()
    done = keyturn("import", str(file), "--json", database=other)
    assert report(done) == report(rehearsed)
    assert "realm acme added; clients: 2 added" in done.stderr
    settings = api.settings.model_copy(update={"database_url": other})
    pieces = [piece async for piece in write_export(settings, "acme", with_secrets=True)]
    arrived = json.loads(b"".join(pieces))["clients"][1]
    assert (arrived["id"], arrived["secret"]) == (uuid, second)
    assert arrived["keyturnRevokedKeys"] == exported["keyturnRevokedKeys"]


async def test_a_former_secret_whose_rotation_is_under_way_is_taken_over_with_time_to_work_with(
    api: AdminApi,
) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    uuid = await api.create("/acme/clients", {"clientId": "orders", "attributes": POLICY})
    former = (await api.call("GET", f"/acme/clients/{uuid}/client-secret")).json()["value"]
    begun = await api.call(
        "POST", f"/acme/clients/{uuid}/rotations", json={"kind": "secret", "reason": "manual"}
    )
    assert begun.status_code == 201
    before = api.clock.now()
    pieces = [piece async for piece in write_export(api.settings, "acme", with_secrets=True)]
    exported = json.loads(b"".join(pieces))
    shown = exported["clients"][0]["attributes"]
    assert shown["client.secret.rotated"] == former
    assert -1 < int(shown["client.secret.rotated.expiration.time"]) - before - 3600 < 60

    exported["realm"] = exported["id"] = "again"
    exported["clients"][0].pop("id")
    assert (await api.call("POST", "", json=exported)).status_code == 201
    [arrived] = (await api.call("GET", "/again/clients?clientId=orders")).json()
    kept = await api.call("GET", f"/again/clients/{arrived['id']}/client-secret/rotated")
    assert kept.json()["value"] == former


async def test_a_realm_that_stores_digests_exports_no_secret_and_an_import_makes_new_ones(
    api: AdminApi,
) -> None:
    await api.call("POST", "", json={"realm": "acme", "attributes": {"keyturn.secret.digest-only": "true"}})
    made = await api.call("POST", "/acme/clients", json={"clientId": "orders"})
    pieces = [piece async for piece in write_export(api.settings, "acme", with_secrets=True)]
    assert made.json()["secret"] not in b"".join(pieces).decode()
    exported = json.loads(b"".join(pieces))
    exported["realm"] = exported["id"] = "again"
    exported["clients"][0].pop("id")
    arrived = await api.call("POST", "", params={"report": "true"}, json=exported)
    assert arrived.status_code == 201
    assert "the secret is not in the export: a new one was generated" in arrived.text


def report(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ended.returncode == 0, ended.stderr
    return {line["resourceName"]: line["action"] for line in json.loads(ended.stdout)["results"]}
