"""Every path of the admin API requires a role; this table lists which ones give access."""

import pytest

from keyturn_credentials.domain.roles import Role
from tests.integration.credentials.routes import LET_THROUGH, WITHOUT_END, address
from tests.testkit.admin_api import AdminApi, Caller


def test_the_table_has_every_address(api: AdminApi) -> None:
    served = {f"{method} {path}" for method, path in api.app.state.gate.endpoints}
    assert served == LET_THROUGH.keys()


async def admin(api: AdminApi, realm: str, roles: str) -> str:
    """Create a client of a realm with these roles; return its id."""
    name = f"with-{roles or 'nothing'}".replace(",", "-")
    given = {"keyturn.admin.roles": roles} if roles else {}
    await api.create(f"/{realm}/clients", {"clientId": name, "attributes": given})
    return name


@pytest.mark.parametrize("role", ["", *(role.value for role in Role)])
async def test_a_role_lets_through_where_the_table_says_so_and_nowhere_else(
    api: AdminApi, role: str, subtests: pytest.Subtests
) -> None:
    name = await admin(api, "master", role)
    for call, roles in LET_THROUGH.items():
        allowed = role in roles or role == "admin"
        if allowed and call == WITHOUT_END:
            continue
        with subtests.test(call):
            method, path = address(call, "nowhere")
            status = (await api.call(method, path, client_id=name)).status_code
            assert (status != 403) == allowed, status
            assert status < 500


async def test_no_answer_of_the_admin_api_is_kept_by_a_cache(api: AdminApi) -> None:
    """Any response may contain a secret: clients, lists of them, and quotes in errors."""
    secret = {"clientId": "orders", "secret": "kept by no cache"}
    uuid = await api.create("/master/clients", secret)
    listed = await api.call("GET", "/master/clients")
    shown = await api.call("GET", f"/master/clients/{uuid}")
    for answer in (listed, shown):
        assert secret["secret"] in answer.text
        assert answer.headers.get_list("cache-control") == ["no-store"]
    for call in LET_THROUGH:
        for realm in ("master", "nowhere"):
            method, path = address(call, realm)
            if call == WITHOUT_END or method == "DELETE" or path.endswith("/rotate"):
                continue
            answer = await api.call(method, path)
            assert answer.headers.get_list("cache-control") == ["no-store"], (call, answer.status_code)
    for path in ("/admin", "/admin/nothing", "/admin/realms/"):
        assert (await api.http.get(path)).headers.get_list("cache-control") == ["no-store"]


async def test_nobody_is_let_through_without_a_token(api: AdminApi, subtests: pytest.Subtests) -> None:
    for call in LET_THROUGH:
        method, path = address(call, "master")
        with subtests.test(call):
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YWRtaW46YWRtaW4="}):
                whole = path if path.startswith("/admin/") else f"/admin/realms{path}"
                response = await api.http.request(method, whole, headers=headers)
                assert response.status_code == 401
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
    assert refused.status_code == 403  # a caller cannot give away roles it lacks
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
    """Otherwise the manager of one realm could reach keyturn's own network through the fetchers."""
    opened = {"keyturn.jwks.allowed-networks": "10.0.0.0/8, 127.0.0.0/8"}
    await api.create("", {"realm": "acme"})
    own: Caller = {"realm": "acme", "client_id": await admin(api, "acme", "manage-clients,manage-realm")}
    refused = await api.call("PUT", "/acme", json={"attributes": opened}, **own)
    assert refused.status_code == 403
    assert (await api.call("GET", "/acme", **own)).json()["attributes"] == {}
    assert (await api.call("PUT", "/acme", json={"attributes": opened})).status_code == 204
    narrowed = {"keyturn.jwks.allowed-networks": "127.0.0.0/8", "keyturn.strict-audience": "true"}
    for attributes in (opened, narrowed):  # what is allowed stays allowed, or is removed
        assert (await api.call("PUT", "/acme", json={"attributes": attributes}, **own)).status_code == 204
    assert (await api.call("PUT", "/acme", json={"attributes": opened}, **own)).status_code == 403
