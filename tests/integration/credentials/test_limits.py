"""Limits of the admin API: each refusal names the object, the limit, and the actual size."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyturn_credentials.domain.bounds import MAX_ENTRIES
from keyturn_credentials.domain.client_keys import MAX_REVOKED_UNKNOWN_KEYS
from keyturn_credentials.operations.realm_import import MAX_CLIENTS
from keyturn_shared.jose import base64url
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import AdminApi, Caller, running, settings_for

KEY = SigningKey.generate()
MANY = [f"https://orders.example/{number}" for number in range(MAX_ENTRIES + 1)]


def thumbprint(number: int) -> str:
    """Return a thumbprint that no key has."""
    return base64url.encode_text(number.to_bytes(32, "big"))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errorMessage"]


async def test_a_list_that_is_too_long_is_refused_and_changes_nothing(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    before = (await api.call("GET", f"/master/clients/{uuid}")).json()
    said = f"redirectUris has {MAX_ENTRIES + 1} entries; at most {MAX_ENTRIES} are allowed"
    answer = await api.call("PUT", f"/master/clients/{uuid}", json={"redirectUris": MANY})
    assert refusal(answer) == (400, said)
    assert (await api.call("GET", f"/master/clients/{uuid}")).json() == before
    answer = await api.call("POST", "/master/clients", json={"clientId": "other", "redirectUris": MANY})
    assert refusal(answer) == (400, said)
    imported = {"clients": [{"clientId": "other", "redirectUris": MANY}], "ifResourceExists": "SKIP"}
    report = (await api.call("POST", "/master/partialImport", json=imported)).json()
    assert said in str(report)
    assert (await api.call("GET", "/master/clients?clientId=other")).json() == []


async def test_a_realm_is_made_with_so_many_clients_and_no_more(api: AdminApi) -> None:
    """All are written in one transaction, which blocks other writers."""
    clients = [{"clientId": f"client-{number}"} for number in range(MAX_CLIENTS + 1)]
    status, said = refusal(await api.call("POST", "", json={"realm": "acme", "clients": clients}))
    assert status == 400
    assert str(MAX_CLIENTS) in said
    assert str(MAX_CLIENTS + 1) in said
    assert (await api.call("GET", "/acme")).status_code == 404


async def test_a_client_id_that_would_pass_for_another_is_refused_by_import_too(api: AdminApi) -> None:
    """Keycloak accepts such ids; the report names them and the reason."""
    await api.create("/master/clients", {"clientId": "orders"})
    for name in (" orders", "orders\u00a0", "orders\u200b"):
        status, said = refusal(await api.call("POST", "/master/clients", json={"clientId": name}))
        assert status == 400
        imported = {"clients": [{"clientId": name}], "ifResourceExists": "SKIP"}
        report = (await api.call("POST", "/master/partialImport", json=imported)).json()
        assert said in str(report)
        assert "REFUSED" in str(report)
    assert len((await api.call("GET", "/master/clients?clientId=orders&search=true")).json()) == 1


@pytest.mark.parametrize("text", ["short", "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "ä" * 43])
async def test_only_what_can_be_a_thumbprint_is_revoked(api: AdminApi, text: str) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    answer = await api.call("POST", f"/master/clients/{uuid}/keys/{text}/revoke")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_keys_that_nobody_has_seen_are_revoked_up_to_a_number_and_own_keys_beyond(
    api: AdminApi,
) -> None:
    keys = {"use.jwks.string": "true", "jwks.string": _jwks()}
    client: dict[str, Any] = {
        "clientId": "orders",
        "clientAuthenticatorType": "client-jwt",
        "attributes": keys,
        "keyturnRevokedKeys": {thumbprint(number): 1 for number in range(MAX_REVOKED_UNKNOWN_KEYS)},
    }
    imported = await api.call("POST", "/master/partialImport", json={"clients": [client]})
    assert imported.status_code == 200, imported.text
    [found] = (await api.call("GET", "/master/clients?clientId=orders")).json()
    path = f"/master/clients/{found['id']}/keys"
    refused = await api.call("POST", f"{path}/{thumbprint(MAX_REVOKED_UNKNOWN_KEYS)}/revoke")
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert str(MAX_REVOKED_UNKNOWN_KEYS) in refused.json()["errorMessage"]
    again = await api.call("POST", f"{path}/{thumbprint(0)}/revoke")
    assert again.status_code == 204, "what is revoked can be revoked again, and waited for"
    own = await api.call("POST", f"{path}/{KEY.kid}/revoke")
    assert own.status_code == 204
    assert len((await api.call("GET", path)).json()) == MAX_REVOKED_UNKNOWN_KEYS + 1


def _jwks() -> str:
    return '{"keys": [' + httpx.Response(200, json=KEY.public_jwk).text + "]}"


@pytest.mark.parametrize("name", ["Master", "MASTER", "rnaster", "M\u0430ster", "\uff4daster", "master "])
async def test_no_realm_gets_a_name_that_passes_for_master(api: AdminApi, name: str) -> None:
    await api.create("", {"realm": "acme"})
    roles = {"keyturn.admin.roles": "manage-clients,manage-realm"}
    await api.create("/acme/clients", {"clientId": "own", "attributes": roles})
    tenant: Caller = {"realm": "acme", "client_id": "own"}
    renamed = await api.call("PUT", "/acme", json={"realm": name}, **tenant)
    made = await api.call("POST", "", json={"realm": name})
    imported = await api.call("POST", "", json={"realm": name, "clients": [{"clientId": "x"}]})
    assert {renamed.status_code, made.status_code, imported.status_code} <= {400, 409}
    assert [realm["realm"] for realm in (await api.call("GET", "")).json()] == ["acme", "master"]


async def test_no_realm_gets_a_name_that_passes_for_another_tenants(api: AdminApi) -> None:
    for name in ("acme", "other"):
        await api.create("", {"realm": name})
    refused = await api.call("PUT", "/other", json={"realm": "ACME"})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert (await api.call("PUT", "/acme", json={"realm": "Acme"})).status_code == 204, (
        "its own, in other case"
    )


async def test_of_two_realms_that_look_alike_one_is_made_also_when_both_are_made_at_once(
    tmp_path: Path, redis_url: str, postgres_url: str
) -> None:
    for database in (f"sqlite+aiosqlite:///{tmp_path}/both.db", postgres_url):
        async with running(settings_for(database, redis_url)) as api:
            names = ("shop", "Shop", "SHOP", "sh0p")
            made = await asyncio.gather(*(api.call("POST", "", json={"realm": name}) for name in names))
            assert sorted(answer.status_code for answer in made) == [201, 409, 409, 409]


async def test_who_may_make_realms_opens_no_private_networks_by_that(api: AdminApi) -> None:
    """Neither on creating nor on changing a realm, nor with a complete export."""
    roles = {"keyturn.admin.roles": "create-realm,manage-realm,manage-clients"}
    await api.create("/master/clients", {"clientId": "maker", "attributes": roles})
    opened = {"keyturn.jwks.allowed-networks": "0.0.0.0/0"}
    for more in ({}, {"clients": [{"clientId": "x"}]}):
        made = await api.call(
            "POST", "", json={"realm": "acme", "attributes": opened, **more}, client_id="maker"
        )
        assert refusal(made)[0] == 403
        assert "keyturn.jwks.allowed-networks" in refusal(made)[1]
    assert (await api.call("POST", "", json={"realm": "acme"}, client_id="maker")).status_code == 201
    changed = await api.call("PUT", "/acme", json={"attributes": opened}, client_id="maker")
    assert changed.status_code == 403
    assert (await api.call("PUT", "/acme", json={"attributes": opened})).status_code == 204
