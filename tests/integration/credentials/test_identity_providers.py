"""Identity providers of a realm, and the subjects that lead to its clients."""

from typing import Any

from keyturn_credentials.store.database import Database
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    ProjectedIssuer,
    decode_realm,
    decode_subject,
    projection_value,
    realm_field,
    subject_field,
)
from tests.testkit.admin_api import AdminApi
from tests.testkit.stored_projections import stored_projections

PROVIDERS = "/acme/identity-provider/instances"
CLUSTER = {
    "alias": "cluster",
    "providerId": "kubernetes",
    "config": {"jwksUrl": "https://k8s.example/openid/v1/jwks"},
}
ACCOUNT = "system:serviceaccount:shop:orders"
THUMBPRINT = SigningKey.generate("ES256").verification_key.thumbprint


def federated(client_id: str, subject: str = ACCOUNT, **members: Any) -> dict[str, Any]:
    return {
        "clientId": client_id,
        "clientAuthenticatorType": "federated-jwt",
        "attributes": {"jwt.credential.issuer": "cluster", "jwt.credential.sub": subject},
        **members,
    }


async def projection(api: AdminApi, field: str) -> bytes | None:
    """Return a projection as nodes read it."""
    database = Database(api.settings.database_url)
    found = (await stored_projections(database, [field])).get(field)
    await database.close()
    return None if found is None or found[1] is None else projection_value(0, found[1])


async def issuers(api: AdminApi) -> list[ProjectedIssuer]:
    value = await projection(api, realm_field("acme"))
    assert value is not None
    return list(decode_realm(value)[1].trusted_issuers)


async def owner(api: AdminApi, subject: str = ACCOUNT) -> str | None:
    """Return the client that nodes find by this subject."""
    realm_id = (await api.call("GET", "/acme")).json()["id"]
    value = await projection(api, subject_field(realm_id, "cluster", subject))
    return None if value is None else decode_subject(value)[1].client_id


async def test_an_issuer_is_created_shown_changed_and_deleted(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    assert (await api.call("GET", PROVIDERS)).json() == []
    created = await api.call("POST", PROVIDERS, json=CLUSTER)
    assert created.status_code == 201
    assert created.headers["Location"].endswith(f"{PROVIDERS}/cluster")
    shown = (await api.call("GET", f"{PROVIDERS}/cluster")).json()
    assert {name: shown[name] for name in CLUSTER} == CLUSTER
    assert [issuer.alias for issuer in await issuers(api)] == ["cluster"]
    assert (
        await api.call("PUT", f"{PROVIDERS}/cluster", json={**shown, "enabled": False})
    ).status_code == 204
    assert [issuer.enabled for issuer in await issuers(api)] == [False]
    assert (await api.call("POST", PROVIDERS, json=CLUSTER)).status_code == 409
    assert (await api.call("POST", PROVIDERS, json={**CLUSTER, "providerId": "saml"})).status_code == 400
    assert (await api.call("DELETE", f"{PROVIDERS}/cluster")).status_code == 204
    assert await issuers(api) == []
    for method in ("GET", "PUT", "DELETE"):
        json: dict[str, Any] | None = {} if method == "PUT" else None
        assert (await api.call(method, f"{PROVIDERS}/cluster", json=json)).status_code == 404
    audited = (await api.call("GET", "/acme/audit")).json()
    actions = [entry["details"].get("action") for entry in audited if entry["action"] == "realm_updated"]
    assert {"created", "changed", "deleted"} <= set(actions)


async def test_keys_and_subjects_of_an_issuer_are_revoked_for_good(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    await api.create(PROVIDERS, CLUSTER)
    one = f"{PROVIDERS}/cluster"
    revoked = await api.call("POST", f"{one}/keys/{THUMBPRINT}/revoke")
    assert (revoked.status_code, "Keyturn-Sequence" in revoked.headers) == (204, True)
    assert (await api.call("POST", f"{one}/revoke-subject", json={"subject": ACCOUNT})).status_code == 204
    reloaded = await api.call("GET", f"{one}/reload-keys")
    assert (reloaded.status_code, reloaded.json()) == (200, True)
    assert (await api.call("PUT", one, json=CLUSTER)).status_code == 204
    [issuer] = await issuers(api)
    assert issuer.revoked_thumbprints == {THUMBPRINT}
    assert issuer.revoked_subjects == {ACCOUNT}
    assert issuer.keys_not_before == int(reloaded.headers["Keyturn-Sequence"])
    [key] = (await api.call("GET", f"{one}/keys")).json()
    assert (key["thumbprint"], key["revoked_at"] is not None) == (THUMBPRINT, True)
    for path, body in (
        ("keys/short/revoke", None),
        ("revoke-subject", {"subject": 1}),
        ("revoke-subject", {}),
    ):
        answer = await api.call("POST", f"{one}/{path}", json=body)
        assert answer.status_code == 400, path


async def test_a_subject_leads_to_its_client_and_to_no_other(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    path = f"/acme/clients/{await api.create('/acme/clients', federated('orders'))}"
    assert await owner(api) == "orders"
    taken = await api.call("POST", "/acme/clients", json=federated("billing"))
    assert taken.status_code == 409
    assert "orders" in taken.json()["errorMessage"]
    other = f"/acme/clients/{await api.create('/acme/clients', federated('billing', 'another'))}"
    moved = await api.call("PUT", other, json=federated("billing"))
    assert moved.status_code == 409
    assert await owner(api, "another") == "billing"

    assert (await api.call("PUT", path, json={"clientId": "sales"})).status_code == 204
    assert await owner(api) == "sales"
    assert (await api.call("PUT", path, json=federated("sales", "third"))).status_code == 204
    assert (await owner(api), await owner(api, "third")) == (None, "sales")
    assert (await api.call("PUT", other, json=federated("billing"))).status_code == 204
    assert (await owner(api), await owner(api, "another")) == ("billing", None)
    by_secret = {"clientAuthenticatorType": "client-secret"}
    assert (await api.call("PUT", other, json=by_secret)).status_code == 204
    assert await owner(api) is None
    assert (await api.call("DELETE", path)).status_code == 204
    assert await owner(api, "third") is None


async def test_no_subject_survives_its_realm(api: AdminApi) -> None:
    created = await api.create("", {"realm": "acme"})
    assert created is not None
    await api.create("/acme/clients", federated("orders"))
    realm_id = (await api.call("GET", "/acme")).json()["id"]
    assert (await api.call("DELETE", "/acme")).status_code == 204
    assert await projection(api, subject_field(realm_id, "cluster", ACCOUNT)) is None


async def test_administrators_have_their_own_credentials(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    roles = federated("admin")
    roles["attributes"]["keyturn.admin.roles"] = "view-clients"
    refused = {
        "/acme/clients": roles,
        "/master/clients": federated("orders"),
        "/master/identity-provider/instances": CLUSTER,
    }
    for path, representation in refused.items():
        answer = await api.call("POST", path, json=representation)
        assert answer.status_code == 400, path


async def test_an_export_brings_issuers_clients_and_revocations_to_another_realm(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    await api.create(PROVIDERS, CLUSTER)
    await api.call("POST", f"{PROVIDERS}/cluster/revoke-subject", json={"subject": "revoked"})
    await api.create("/acme/clients", federated("orders"))
    exported = (await api.call("POST", "/acme/partial-export?exportClients=true")).json()
    assert (await api.call("POST", "", json={**exported, "realm": "moved", "id": None})).status_code == 201
    moved = (await api.call("GET", "/moved/identity-provider/instances")).json()
    original = (await api.call("GET", PROVIDERS)).json()
    assert moved == original
    [client] = (await api.call("GET", "/moved/clients?clientId=orders")).json()
    assert client["clientAuthenticatorType"] == "federated-jwt"
    assert client["attributes"]["jwt.credential.sub"] == ACCOUNT
