"""Clients of a Keycloak realm export are imported, with a report of what could not be."""

import json
from pathlib import Path
from typing import Any

from keyturn_credentials.operations.import_plan import IfExists
from keyturn_credentials.operations.import_report import Action
from keyturn_credentials.realm_transfer import import_export
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.nodes import TestClock

SECRET = "the secret of the orders service"


def export() -> dict[str, Any]:
    jwks = json.dumps({"keys": [SigningKey.generate("ES256").public_jwk]})
    return {
        "realm": "acme",
        "clients": [
            {
                "id": "7c1f5f4a-0000-4000-8000-000000000001",
                "clientId": "orders",
                "secret": "kept-as-it-was-in-keycloak",
                "protocolMappers": [{"name": "x"}],
                "attributes": {
                    "client.secret.rotated": "the-former-one",
                    "client.secret.rotated.expiration.time": "4102444800",
                    "jwt.credential.private.key": "MIIE",
                },
            },
            {"clientId": "masked", "secret": "**********"},
            {
                "clientId": "keys",
                "clientAuthenticatorType": "client-jwt",
                "attributes": {"use.jwks.string": "true", "jwks.string": jwks},
            },
            {"clientId": "federated", "clientAuthenticatorType": "federated-jwt"},
            {"clientId": "old", "protocol": "saml"},
            {"clientId": "account"},
            {"clientId": "broken", "attributes": {"use.jwks.string": "true", "jwks.string": "{}"}},
        ],
    }


def actions(report: dict[str, Any]) -> dict[str, str]:
    return {line["resourceName"]: line["action"] for line in report["results"]}


EXPECTED = {
    "orders": "ADDED",
    "masked": "ADDED",
    "keys": "ADDED",
    "federated": "REFUSED",
    "old": "REFUSED",
    "account": "REFUSED",
    "broken": "REFUSED",
}


async def test_a_dry_run_reports_what_the_import_then_does(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "acme"})
    document = export()
    dry = await api.call("POST", "/acme/partialImport?dryRun=true", json=document)
    assert dry.status_code == 200, dry.text
    assert "keyturn-sequence" not in dry.headers
    assert actions(dry.json()) == EXPECTED
    assert (await api.call("GET", "/acme/clients")).json() == []

    done = await api.call("POST", "/acme/partialImport", json=document)
    assert actions(done.json()) == EXPECTED
    assert "keyturn-sequence" in done.headers
    notes = {line["resourceName"]: " ".join(line["notes"]) for line in done.json()["results"]}
    assert "private key" in notes["orders"]
    assert "new one was generated" in notes["masked"]
    assert "saml" in notes["old"]
    path = "/acme/clients/7c1f5f4a-0000-4000-8000-000000000001"
    assert (await api.call("GET", path)).json()["secret"] == "kept-as-it-was-in-keycloak"
    rotated = (await api.call("GET", f"{path}/client-secret/rotated")).json()
    assert rotated["value"] == "the-former-one"

    again = await api.call("POST", "/acme/partialImport", json=document)
    assert again.status_code == 409
    skipped = await api.call("POST", "/acme/partialImport", json=document | {"ifResourceExists": "SKIP"})
    assert skipped.json()["skipped"] == 3
    document["clients"][0]["secret"] = "another-one"
    overwritten = await api.call(
        "POST", "/acme/partialImport", json=document | {"ifResourceExists": "OVERWRITE"}
    )
    assert overwritten.json()["overwritten"] == 3
    assert (await api.call("GET", path)).json()["secret"] == "another-one"


async def test_a_file_is_imported_beside_the_running_service(api: AdminApi, tmp_path: Path) -> None:
    file = tmp_path / "acme-realm.json"
    file.write_text(json.dumps(export()))
    (report,) = await import_export(api.settings, file)
    assert report.count(Action.ADDED) == 3
    assert len((await api.call("GET", "/acme/clients")).json()) == 3
    (repeated,) = await import_export(api.settings, file, if_exists=IfExists.SKIP, dry_run=True)
    assert repeated.count(Action.SKIPPED) == 3


async def test_who_manages_clients_cannot_make_an_admin_by_importing_one(api: AdminApi) -> None:
    await api.create(
        "/master/clients",
        {"clientId": "manager", "attributes": {"keyturn.admin.roles": "manage-clients"}},
    )
    wanted = {"clientId": "root", "attributes": {"keyturn.admin.roles": "admin"}}
    imported = await api.call(
        "POST", "/master/partialImport", client_id="manager", json={"clients": [wanted]}
    )
    assert imported.json()["refused"] == 1
    created = await api.call("POST", "/master/clients", client_id="manager", json=wanted)
    assert created.status_code == 403
    admin = (await api.call("GET", "/master/clients?clientId=admin", client_id="manager")).json()[0]
    assert admin["secret"] == "**********"
    path = f"/master/clients/{admin['id']}"
    for method, more in (("DELETE", ""), ("POST", "/client-secret"), ("POST", "/clear-keys-cache")):
        assert (await api.call(method, path + more, client_id="manager")).status_code == 403
    assert (await api.call("PUT", path, client_id="manager", json={"secret": "mine"})).status_code == 403


async def test_an_import_does_not_lengthen_the_life_of_a_secret(tmp_path: Path, redis_url: str) -> None:
    clock = TestClock()
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/own.db", redis_url)
    policy = {"keyturn.secret.expiration-period": "60"}
    async with running(settings, clock) as api:
        await api.call("POST", "", json={"realm": "acme", "attributes": policy})
        path = f"/acme/clients/{await api.create('/acme/clients', {'clientId': 'orders', 'secret': SECRET})}"
        exported = (await api.call("GET", path)).json()
        assert exported["secret"] == SECRET
        clock.ahead += 61
        overwriting = {"clients": [exported], "ifResourceExists": "OVERWRITE"}
        again = await api.call("POST", "/acme/partialImport", json=overwriting)
        assert again.json()["overwritten"] == 1
        # As with a PUT of the same: the policy gives the client another secret.
        present = (await api.call("GET", path)).json()
        assert present["secret"] != SECRET
        assert float(present["attributes"]["client.secret.expiration.time"]) > clock.now()
        for attributes in (policy, {}):
            made = {"realm": f"other{len(attributes)}", "attributes": attributes}
            await api.call("POST", "", json=made)
            elsewhere = {"clients": [exported | {"id": None}]}
            await api.call("POST", f"/{made['realm']}/partialImport", json=elsewhere)
            [taken] = (await api.call("GET", f"/{made['realm']}/clients")).json()
            ends = exported["attributes"]["client.secret.expiration.time"]
            assert taken["attributes"]["client.secret.expiration.time"] == ends


async def test_an_import_leaves_no_client_that_signs_with_a_secret_which_nobody_keeps(api: AdminApi) -> None:
    await api.call("POST", "", json={"realm": "acme", "attributes": {"keyturn.secret.digest-only": "true"}})
    await api.create("/acme/clients", {"clientId": "orders"})
    changed = {"clientId": "orders", "clientAuthenticatorType": "client-secret-jwt"}
    overwriting = {"clients": [changed], "ifResourceExists": "OVERWRITE"}
    assert (await api.call("POST", "/acme/partialImport", json=overwriting)).json()["refused"] == 1
