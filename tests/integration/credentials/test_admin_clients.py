"""Clients through the admin API, in Keycloak's shapes."""

from typing import Any, Final

import pytest

from tests.testkit.admin_api import AdminApi

SEEN_BEFORE: Final = {"If-Match": '"1"'}
"""The version of something that has changed once since."""
KEY_SET: Final = b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
UPLOAD: Final[dict[str, Any]] = {
    "data": {"keystoreFormat": "JSON Web Key Set"},
    "files": {"file": KEY_SET},
}
CONTENT: Final[dict[str, dict[str, Any]]] = {
    "generate-and-download": {
        "json": {"format": "PKCS12", "keyType": "P-256", "keyPassword": "k", "storePassword": "s"}
    },
    "upload": UPLOAD,
    "upload-certificate": UPLOAD,
}


async def test_a_client_is_created_read_changed_and_deleted(api: AdminApi) -> None:
    created = await api.call(
        "POST", "/master/clients", json={"clientId": "orders", "registeredNodes": {"kept": 1}}
    )
    assert created.status_code == 201
    assert int(created.headers["keyturn-sequence"]) == 3  # after the realm and its first admin
    uuid = created.headers["location"].rpartition("/")[2]

    shown = (await api.call("GET", f"/master/clients/{uuid}")).json()
    assert shown["clientId"] == "orders"
    assert shown["clientAuthenticatorType"] == "client-secret"
    assert shown["registeredNodes"] == {"kept": 1}
    assert len(shown["secret"]) == 43

    changed = await api.call("PUT", f"/master/clients/{uuid}", json={"description": "takes orders"})
    assert changed.status_code == 204
    again = (await api.call("GET", f"/master/clients/{uuid}")).json()
    assert again == shown | {"description": "takes orders"}

    assert (await api.call("DELETE", f"/master/clients/{uuid}")).status_code == 204
    gone = await api.call("GET", f"/master/clients/{uuid}")
    assert gone.status_code == 404
    assert gone.json()["error"] == "Could not find client"


async def test_a_slash_at_the_end_changes_nothing(api: AdminApi) -> None:
    for path in ("/", "/master/", "/master/clients/"):
        response = await api.call("GET", path, headers={"Host": "elsewhere.example"})
        assert response.status_code == 200, path
    assert (await api.call("GET", "/master/nothing/")).status_code == 404


async def test_a_client_id_is_taken_once_in_a_realm(api: AdminApi) -> None:
    await api.create("/master/clients", {"clientId": "orders"})
    second = await api.call("POST", "/master/clients", json={"clientId": "orders"})
    assert second.status_code == 409
    assert second.json()["errorMessage"] == "Client orders already exists"
    assert "keyturn-sequence" not in second.headers


async def test_a_regenerated_secret_is_the_one_that_is_shown(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    first = (await api.call("GET", f"/master/clients/{uuid}/client-secret")).json()
    second = (await api.call("POST", f"/master/clients/{uuid}/client-secret")).json()
    assert first["type"] == second["type"] == "secret"
    assert first["value"] != second["value"]
    assert (await api.call("GET", f"/master/clients/{uuid}/client-secret")).json() == second
    assert (await api.call("GET", f"/master/clients/{uuid}/client-secret/rotated")).status_code == 404


async def test_two_writers_do_not_overwrite_each_other(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    tag = (await api.call("GET", f"/master/clients/{uuid}")).headers["etag"]
    path = f"/master/clients/{uuid}"
    first = await api.call("PUT", path, json={"name": "one"}, headers={"If-Match": tag})
    second = await api.call("PUT", path, json={"name": "two"}, headers={"If-Match": tag})
    assert (first.status_code, second.status_code) == (204, 412)
    assert (await api.call("GET", path)).json()["name"] == "one"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "client-secret"),
        ("DELETE", "client-secret/rotated"),
        ("POST", "certificates/jwt.credential/generate?keyType=P-256"),
        ("POST", "certificates/jwt.credential/generate-and-download"),
        ("POST", "certificates/jwt.credential/upload"),
        ("POST", "certificates/jwt.credential/upload-certificate"),
        ("POST", "keys/NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs/revoke"),
        ("POST", "clear-keys-cache"),
        ("DELETE", ""),
    ],
)
async def test_no_change_is_made_to_a_client_that_is_not_as_it_was_seen(
    api: AdminApi, method: str, path: str
) -> None:
    """RFC 9110 section 13.1.1: 412, and nothing is changed."""
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    client = f"/master/clients/{uuid}"
    assert (await api.call("PUT", client, json={"name": "two"})).status_code == 204
    before = (await api.call("GET", client)).json()
    secret = (await api.call("GET", f"{client}/client-secret")).json()
    content = CONTENT.get(path.rpartition("/")[2], {})
    target = f"{client}/{path}".rstrip("/")
    refused = await api.call(method, target, headers=SEEN_BEFORE, **content)
    assert (refused.status_code, refused.json()["error"]) == (412, "precondition_failed")
    assert (await api.call("GET", client)).json() == before
    assert (await api.call("GET", f"{client}/client-secret")).json() == secret
    assert (await api.call("GET", f"{client}/keys")).json() == []


async def test_a_change_of_what_is_as_it_was_seen_is_made(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    secret = f"/master/clients/{uuid}/client-secret"
    assert (await api.call("POST", secret, headers={"If-Match": '"1"'})).status_code == 200
    assert (await api.call("POST", secret, headers={"If-Match": '"1"'})).status_code == 412
    assert (await api.call("POST", secret, headers={"If-Match": '"1", "2"'})).status_code == 200


async def test_a_realm_that_is_not_as_it_was_seen_is_not_deleted(api: AdminApi) -> None:
    assert (await api.call("POST", "", json={"realm": "acme"})).status_code == 201
    assert (await api.call("PUT", "/acme", json={"displayName": "Acme"})).status_code == 204
    assert (await api.call("DELETE", "/acme", headers=SEEN_BEFORE)).status_code == 412
    tag = (await api.call("GET", "/acme")).headers["etag"]
    assert (await api.call("DELETE", "/acme", headers={"If-Match": tag})).status_code == 204
    assert (await api.call("GET", "/acme")).status_code == 404


@pytest.mark.parametrize("path", ["keys/rotate", "clear-keys-cache"])
async def test_the_keys_of_a_realm_that_is_not_as_it_was_seen_stay(api: AdminApi, path: str) -> None:
    assert (await api.call("POST", "", json={"realm": "acme"})).status_code == 201
    assert (await api.call("PUT", "/acme", json={"displayName": "Acme"})).status_code == 204
    before = (await api.call("GET", "/acme/keys")).json()
    refused = await api.call("POST", f"/acme/{path}", headers=SEEN_BEFORE)
    assert (refused.status_code, refused.json()["error"]) == (412, "precondition_failed")
    assert (await api.call("GET", "/acme/keys")).json() == before
    tag = (await api.call("GET", "/acme")).headers["etag"]
    assert (await api.call("POST", f"/acme/{path}", headers={"If-Match": tag})).status_code == 204


async def test_a_realms_keys_rotate_once_for_a_call_made_twice(api: AdminApi) -> None:
    assert (await api.call("POST", "", json={"realm": "acme"})).status_code == 201
    tag = (await api.call("GET", "/acme")).headers["etag"]
    assert (await api.call("POST", "/acme/keys/rotate", headers={"If-Match": tag})).status_code == 204
    rotated = (await api.call("GET", "/acme/keys")).json()
    assert (await api.call("POST", "/acme/keys/rotate", headers={"If-Match": tag})).status_code == 412
    assert (await api.call("GET", "/acme/keys")).json() == rotated


async def test_clients_are_found_by_id_by_part_of_it_and_by_attribute(api: AdminApi) -> None:
    for name in ("orders", "Order-archive", "billing"):
        await api.create("/master/clients", {"clientId": name, "attributes": {"team": name[:1] + " x"}})

    async def found(query: str) -> list[str]:
        response = await api.call("GET", f"/master/clients?{query}")
        assert response.status_code == 200, response.text
        return [client["clientId"] for client in response.json()]

    assert await found("") == ["Order-archive", "admin", "billing", "orders"]
    assert await found("clientId=order") == []
    assert await found("clientId=orders") == ["orders"]
    assert await found("clientId=order&search=true") == ["Order-archive", "orders"]
    assert await found("first=1&max=2") == ["admin", "billing"]
    assert await found('q=team:"b x"') == ["billing"]


async def test_a_change_waits_for_the_fleet_when_asked_to(api: AdminApi) -> None:
    response = await api.call(
        "POST", "/master/clients", json={"clientId": "orders"}, headers={"Prefer": "wait=5"}
    )
    assert response.headers["keyturn-fleet"] == "nodes=0, applied=0, fenced=0, pending=0"
    assert response.headers["preference-applied"] == "wait"


async def test_a_realm_has_its_own_clients_and_goes_with_them(api: AdminApi) -> None:
    assert (await api.call("POST", "", json={"realm": "acme"})).status_code == 201
    uuid = await api.create("/acme/clients", {"clientId": "orders"})
    assert (await api.call("GET", f"/master/clients/{uuid}")).status_code == 404
    names = [realm["realm"] for realm in (await api.call("GET", "")).json()]
    assert names == ["acme", "master"]
    assert (await api.call("DELETE", "/acme")).status_code == 204
    assert (await api.call("GET", f"/acme/clients/{uuid}")).status_code == 404


async def test_keys_are_listed_and_revoked_for_ever(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    path = f"/master/clients/{uuid}/keys"
    revoked = await api.call("POST", f"{path}/{thumbprint}/revoke")
    assert revoked.status_code == 204
    listed = (await api.call("GET", path)).json()
    assert [key["thumbprint"] for key in listed] == [thumbprint]
    assert listed[0]["revoked_at"] is not None
    assert (await api.call("POST", f"/master/clients/{uuid}/clear-keys-cache")).status_code == 204
    assert (await api.call("POST", "/master/clear-keys-cache")).status_code == 204


async def test_who_is_not_known_or_lacks_the_role_is_refused(api: AdminApi) -> None:
    await api.create(
        "/master/clients", {"clientId": "auditor", "attributes": {"keyturn.admin.roles": "view-clients"}}
    )
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    assert (await api.http.get("/admin/realms")).status_code == 401
    assert (await api.http.get("/admin/realms", headers={"Authorization": "Bearer x.y.z"})).status_code == 401
    refused = await api.call("POST", "/master/clients", client_id="auditor", json={"clientId": "x"})
    assert refused.status_code == 403
    seen = await api.call("GET", f"/master/clients/{uuid}", client_id="auditor")
    assert seen.json()["secret"] == "**********"


async def test_garbage_is_refused_and_changes_nothing(api: AdminApi, subtests: pytest.Subtests) -> None:
    path = "/master/clients"
    for body in (b"", b"[]", b"{", b'{"clientId":"a","clientId":"b"}', b'{"clientId":7}', b"\xff"):
        with subtests.test(repr(body)):
            response = await api.call("POST", path, content=body)
            assert response.status_code == 400
            assert response.headers["content-type"] == "application/problem+json"
    assert len((await api.call("GET", path)).json()) == 1
