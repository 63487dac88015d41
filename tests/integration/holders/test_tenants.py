"""A tenant's administrator, a creator of realms, and a client try to exceed their permissions."""

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import ADMIN_SECRET, AdminApi, Caller
from tests.testkit.administrators import SECRET, WORKERS, Scene, by_basic, inline

MAKERS = "a secret that the maker of the realm has chosen"


async def as_maker(api: AdminApi) -> Caller:
    attributes = {"keyturn.admin.roles": "create-realm"}
    await api.create("/master/clients", {"clientId": "maker", "attributes": attributes})
    return {"client_id": "maker"}


async def test_whoever_makes_realms_makes_no_administrators_with_them(api: AdminApi) -> None:
    """A caller can only grant its own roles, which are worth nothing outside of ``master``."""
    maker = await as_maker(api)

    def realm_with(roles: str, realm: str = "new") -> dict[str, object]:
        roles_of = {"keyturn.admin.roles": roles}
        client = {"clientId": "own", "secret": MAKERS, "serviceAccountsEnabled": True, "attributes": roles_of}
        return {"realm": realm, "clients": [client]}

    for roles in ("view-clients", "manage-clients,manage-realm", "admin"):
        refused = await api.call("POST", "", json=realm_with(roles), **maker)
        assert refused.status_code == 400
        assert "admin roles that the caller does not have" in refused.text
    into_master = await api.call("POST", "", json=realm_with("create-realm", "master"), **maker)
    assert into_master.status_code == 409
    assert (await api.call("POST", "", json=realm_with("create-realm"), **maker)).status_code == 201
    own: Caller = {"realm": "new", "client_id": "own"}
    assert (await api.call("POST", "", json={"realm": "newer"}, **own)).status_code == 403
    assert (await api.call("GET", "/new/clients", **own)).status_code == 403


async def test_whoever_makes_realms_sees_and_changes_nothing_in_others(api: AdminApi) -> None:
    maker = await as_maker(api)
    await api.create("", {"realm": "acme"})
    uuid = await api.create("/acme/clients", {"clientId": "worker", "secret": WORKERS})
    assert (await api.call("POST", "", json={"realm": "new"}, **maker)).status_code == 201
    for realm in ("acme", "master", "new"):
        for method, path in (
            ("GET", f"/{realm}/clients"),
            ("POST", f"/{realm}/clients"),
            ("GET", f"/{realm}/audit"),
            ("GET", f"/{realm}/event-log"),
            ("POST", f"/{realm}/partial-export"),
            ("POST", f"/{realm}/keys/rotate"),
            ("DELETE", f"/{realm}"),
            ("GET", f"/{realm}/clients/{uuid}/client-secret"),
        ):
            answer = await api.call(method, path, json={} if method == "POST" else None, **maker)
            assert answer.status_code == 403, (method, path)
            assert WORKERS not in answer.text


async def test_whoever_makes_realms_makes_as_many_as_he_likes(api: AdminApi) -> None:
    maker = await as_maker(api)
    names = [f"realm-{number}" for number in range(12)]
    made = [(await api.call("POST", "", json={"realm": name}, **maker)).status_code for name in names]
    assert set(made) == {201}
    assert (await api.call("DELETE", f"/{names[0]}", **maker)).status_code == 403


async def test_a_tenants_administrator_sees_its_own_realms_secrets_and_audit_and_nobody_elses(
    api: AdminApi,
) -> None:
    """A tenant's administrator controls its clients' secrets, and can also interrupt their service."""
    attributes = {"keyturn.admin.roles": "manage-clients,manage-realm"}
    for realm in ("acme", "other"):
        await api.create("", {"realm": realm})
        secret = f"{WORKERS} of {realm}"
        await api.create(f"/{realm}/clients", {"clientId": f"worker-of-{realm}", "secret": secret})
    await api.create("/acme/clients", {"clientId": "tenant", "attributes": attributes})
    tenant: Caller = {"realm": "acme", "client_id": "tenant"}
    listed = await api.call("GET", "/acme/clients", **tenant)
    assert f"{WORKERS} of acme" in listed.text
    audit = await api.call("GET", "/acme/audit", **tenant)
    assert audit.status_code == 200
    assert "worker-of-acme" in audit.text
    assert "worker-of-other" not in audit.text
    for realm in ("other", "master"):
        for path in (
            "clients",
            "audit",
            "event-log",
            "fleet",
            "rotations",
            "expiring-secrets",
            "notices",
            "jwks-urls",
            "keys",
        ):
            answer = await api.call("GET", f"/{realm}/{path}", **tenant)
            assert answer.status_code == 403, (realm, path)
    assert (await api.call("DELETE", "/acme", **tenant)).status_code == 204
    assert (await api.call("GET", "/other/clients")).status_code == 200


async def test_a_tenants_administrator_undoes_the_revocation_of_a_key_only_by_making_the_client_anew(
    api: AdminApi,
) -> None:
    """The audit log shows it."""
    key = SigningKey.generate("ES256")
    signer = {"clientId": "signer", "clientAuthenticatorType": "client-jwt", "attributes": inline(key)}
    attributes = {"keyturn.admin.roles": "manage-clients,manage-realm"}
    await api.create("", {"realm": "acme"})
    await api.create("/acme/clients", {"clientId": "tenant", "attributes": attributes})
    tenant: Caller = {"realm": "acme", "client_id": "tenant"}

    async def made() -> str:
        answer = await api.call("POST", "/acme/clients", json=signer, **tenant)
        assert answer.status_code == 201
        return str(answer.headers["location"][-36:])

    async def revoked(uuid: str) -> list[bool]:
        keys = (await api.call("GET", f"/acme/clients/{uuid}/keys", **tenant)).json()
        return [entry["revoked_at"] is not None for entry in keys]

    first = await made()
    path = f"/acme/clients/{first}"
    assert (await api.call("POST", f"{path}/keys/{key.kid}/revoke", **tenant)).status_code == 204
    for change in (signer, {"attributes": inline(key)}):
        await api.call("PUT", path, json=change, **tenant)
        assert await revoked(first) == [True]
    overwrites: list[dict[str, object]] = [{}, {"keyturnRevokedKeys": {}}]
    for revoked_keys in overwrites:
        overwriting = {"ifResourceExists": "OVERWRITE", "clients": [signer | revoked_keys]}
        assert (await api.call("POST", "/acme/partialImport", json=overwriting, **tenant)).status_code == 200
        (found,) = (await api.call("GET", "/acme/clients?clientId=signer", **tenant)).json()
        assert await revoked(found["id"]) == [True]
    assert (await api.call("DELETE", path, **tenant)).status_code == 204
    assert await revoked(await made()) == [False]
    audit = (await api.call("GET", "/acme/audit?client_id=signer", **tenant)).json()
    actions = [entry["action"] for entry in audit if "updated" not in entry["action"]]
    assert actions == ["client_created", "client_deleted", "client_key_revoked", "client_created"]


async def test_a_tenants_administrator_makes_as_many_clients_as_it_likes(api: AdminApi) -> None:
    """All of them are in the database and in Redis, which all realms share."""
    attributes = {"keyturn.admin.roles": "manage-clients"}
    await api.create("", {"realm": "acme"})
    await api.create("/acme/clients", {"clientId": "tenant", "attributes": attributes})
    tenant: Caller = {"realm": "acme", "client_id": "tenant"}
    for batch in range(3):
        clients = [{"clientId": f"client-{batch}-{number}"} for number in range(100)]
        document = {"ifResourceExists": "FAIL", "clients": clients}
        assert (await api.call("POST", "/acme/partialImport", json=document, **tenant)).status_code == 200
    assert len((await api.call("GET", "/acme/clients?max=1000", **tenant)).json()) == 301


async def test_a_client_gets_tokens_of_its_own_and_reads_and_administers_nothing(scene: Scene) -> None:
    token = (await scene.token_from_node("acme", {}, by_basic("worker", WORKERS))).json()["access_token"]
    paths = ("", "/acme", "/acme/clients", "/acme/audit", "/acme/event-log", "/acme/fleet", "/acme/rotations")
    for path in paths:
        answer = await scene.api.http.get(
            f"/admin/realms{path}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code in (401, 403), path
        for secret in (SECRET, WORKERS, ADMIN_SECRET):
            assert secret not in answer.text
    # Another client's token cannot be revoked with its own secret, nor one of another realm.
    assert (await scene.token_from_node("acme", {}, by_basic("by-secret", WORKERS))).status_code == 401
    assert (await scene.token_from_node("master", {}, by_basic("worker", WORKERS))).status_code == 401
