"""Every address of the admin API asks for a role; this table says which ones let a caller through."""

import re

import pytest

from keyturn_credentials.domain.roles import Role
from tests.support.admin_api import AdminApi

VIEW = {"view-clients", "configure-clients", "manage-clients"}
CONFIGURE = {"configure-clients", "manage-clients"}
MANAGE = {"manage-clients"}
REALM = {"manage-realm"}
CREATE = {"create-realm"}
ANY = VIEW | REALM | CREATE
CLIENT = "/admin/realms/{realm}/clients/{uuid}"

LET_THROUGH = {
    "GET /admin/realms": ANY,
    "POST /admin/realms": CREATE,
    "GET /admin/realms/{realm}": ANY,
    "PUT /admin/realms/{realm}": REALM,
    "DELETE /admin/realms/{realm}": REALM,
    "GET /admin/realms/{realm}/keys": ANY,
    "POST /admin/realms/{realm}/keys/rotate": REALM,
    "POST /admin/realms/{realm}/clear-keys-cache": REALM,
    "POST /admin/realms/{realm}/partialImport": MANAGE,
    "POST /admin/realms/{realm}/partial-export": REALM,
    "GET /admin/realms/{realm}/audit": REALM,
    "GET /admin/realms/{realm}/event-log": VIEW | REALM,
    "GET /admin/realms/{realm}/rotations": VIEW,
    "GET /admin/realms/{realm}/jwks-urls": VIEW,
    "GET /admin/realms/{realm}/fleet": ANY,
    "GET /admin/realms/{realm}/fleet/stream": ANY,
    "GET /admin/realms/{realm}/clients": VIEW,
    "POST /admin/realms/{realm}/clients": MANAGE,
    f"GET {CLIENT}": VIEW,
    f"PUT {CLIENT}": CONFIGURE,
    f"DELETE {CLIENT}": MANAGE,
    f"GET {CLIENT}/client-secret": VIEW,
    f"POST {CLIENT}/client-secret": CONFIGURE,
    f"GET {CLIENT}/client-secret/rotated": VIEW,
    f"DELETE {CLIENT}/client-secret/rotated": CONFIGURE,
    f"GET {CLIENT}/installation/providers/{{provider}}": VIEW,
    f"GET {CLIENT}/certificates/{{attr}}": VIEW,
    f"POST {CLIENT}/certificates/{{attr}}/generate": CONFIGURE,
    f"POST {CLIENT}/certificates/{{attr}}/generate-and-download": CONFIGURE,
    f"POST {CLIENT}/certificates/{{attr}}/upload": MANAGE,
    f"POST {CLIENT}/certificates/{{attr}}/upload-certificate": MANAGE,
    f"POST {CLIENT}/certificates/{{attr}}/download": VIEW,
    f"POST {CLIENT}/jwks-url/test": CONFIGURE,
    f"GET {CLIENT}/keys": VIEW,
    f"GET {CLIENT}/usage": VIEW,
    f"POST {CLIENT}/keys/{{thumbprint}}/revoke": CONFIGURE,
    f"POST {CLIENT}/clear-keys-cache": CONFIGURE,
}
# It does not end once somebody is let through.
WITHOUT_END = "GET /admin/realms/{realm}/fleet/stream"


def test_the_table_has_every_address(api: AdminApi) -> None:
    served = {f"{method} {path}" for method, path in api.app.state.gate.endpoints}
    assert served == LET_THROUGH.keys()


def address(call: str, realm: str) -> tuple[str, str]:
    """Method and path, after ``/admin/realms``, with something that is not there in every place."""
    method, path = call.split(" ")
    path = path.removeprefix("/admin/realms").replace("{realm}", realm).replace("{attr}", "jwt.credential")
    return method, re.sub(r"{\w+}", "nothing", path)


async def admin(api: AdminApi, realm: str, roles: str) -> str:
    """A client of a realm with these roles; its id."""
    name = f"with-{roles or 'nothing'}".replace(",", "-")
    given = {"keyturn.admin.roles": roles} if roles else {}
    await api.create(f"/{realm}/clients", {"clientId": name, "attributes": given})
    return name


@pytest.mark.parametrize("role", ["", *(role.value for role in Role)])
async def test_a_role_lets_through_where_the_table_says_so_and_nowhere_else(api: AdminApi, role: str) -> None:
    name = await admin(api, "master", role)
    for call, roles in LET_THROUGH.items():
        allowed = role in roles or role == "admin"
        if allowed and call == WITHOUT_END:
            continue
        method, path = address(call, "nowhere")
        status = (await api.call(method, path, client_id=name)).status_code
        assert (status != 403) == allowed, (call, role, status)
        assert status < 500, (call, role, status)


async def test_nobody_is_let_through_without_a_token(api: AdminApi) -> None:
    for call in LET_THROUGH:
        method, path = address(call, "master")
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YWRtaW46YWRtaW4="}):
            response = await api.http.request(method, f"/admin/realms{path}", headers=headers)
            assert response.status_code == 401, call
            assert response.headers["www-authenticate"].startswith("Bearer ")


async def test_a_realms_own_admins_have_power_there_and_nowhere_else(api: AdminApi) -> None:
    for realm in ("acme", "other"):
        assert (await api.call("POST", "", json={"realm": realm})).status_code == 201
    every = "manage-clients,manage-realm,create-realm,admin"
    refused = await api.call(
        "POST",
        "/acme/clients",
        realm="acme",
        client_id=await admin(api, "acme", "manage-clients"),
        json={"clientId": "x", "attributes": {"keyturn.admin.roles": "manage-realm"}},
    )
    assert refused.status_code == 403  # nobody gives away what they do not have
    name = await admin(api, "acme", every)
    for call, roles in LET_THROUGH.items():
        if call == WITHOUT_END or "{realm}" not in call:
            continue
        method, path = address(call, "acme")
        if call not in ("DELETE /admin/realms/{realm}", "POST /admin/realms/{realm}/keys/rotate"):
            status = (await api.call(method, path, realm="acme", client_id=name)).status_code
            assert status not in (401, 403), (call, roles, status)
        for elsewhere in ("master", "other", "nowhere"):
            method, path = address(call, elsewhere)
            status = (await api.call(method, path, realm="acme", client_id=name)).status_code
            assert status == 403, (call, elsewhere, status)
    listed = (await api.call("GET", "", realm="acme", client_id=name)).json()
    assert [realm["realm"] for realm in listed] == ["acme"]
    made = await api.call("POST", "", realm="acme", client_id=name, json={"realm": "new"})
    assert made.status_code == 403


async def test_only_clients_of_master_open_private_networks_to_a_realm(api: AdminApi) -> None:
    """Who manages one realm would else reach through the fetchers what is beside keyturn."""
    opened = {"keyturn.jwks.allowed-networks": "10.0.0.0/8, 127.0.0.0/8"}
    await api.create("", {"realm": "acme"})
    own = {"realm": "acme", "client_id": await admin(api, "acme", "manage-clients,manage-realm")}
    refused = await api.call("PUT", "/acme", json={"attributes": opened}, **own)
    assert refused.status_code == 403
    assert (await api.call("GET", "/acme", **own)).json()["attributes"] == {}
    assert (await api.call("PUT", "/acme", json={"attributes": opened})).status_code == 204
    narrowed = {"keyturn.jwks.allowed-networks": "127.0.0.0/8", "keyturn.strict-audience": "true"}
    for attributes in (opened, narrowed):  # what is open stays open, or is closed
        assert (await api.call("PUT", "/acme", json={"attributes": attributes}, **own)).status_code == 204
    assert (await api.call("PUT", "/acme", json={"attributes": opened}, **own)).status_code == 403
