"""Tokens and sessions ended early: by ``notBefore``, and by disabling."""

import time
from typing import Any

import pytest

from tests.testkit.admin_api import AdminApi

SECRET = "the secret of the guest"
COOKIE = "keyturn_session"


async def make_guest(api: AdminApi) -> str:
    """Create an administrator in realm acme; return its path."""
    await api.call("POST", "", json={"realm": "acme"})
    given = {"keyturn.admin.roles": "view-clients,manage-realm"}
    made = {"clientId": "guest", "secret": SECRET, "attributes": given}
    return f"/acme/clients/{await api.create('/acme/clients', made)}"


async def sign_in(api: AdminApi) -> None:
    credentials = {"realm": "acme", "client_id": "guest", "client_secret": SECRET}
    answer = await api.http.post("/console/session", json=credentials)
    assert answer.status_code == 200, answer.text
    api.http.cookies.set(COOKIE, answer.cookies[COOKIE])


async def by_cookie(api: AdminApi) -> int:
    return (await api.http.get("/admin/realms")).status_code


async def by_token(api: AdminApi, token: str) -> int:
    answer = await api.http.get("/admin/realms", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


@pytest.mark.parametrize("whose", ["client", "realm"])
async def test_not_before_ends_tokens_and_sessions_from_before(api: AdminApi, whose: str) -> None:
    client = await make_guest(api)
    path = client if whose == "client" else "/acme"
    await sign_in(api)
    issued = int(time.time()) - 30
    token = await api.token("acme", "guest", iat=issued)
    for not_before, token_status in ((issued, 200), (issued + 1, 401)):
        assert (await api.call("PUT", path, json={"notBefore": not_before})).status_code == 204
        assert (await api.call("GET", path)).json()["notBefore"] == not_before
        assert (await by_token(api, token), await by_cookie(api)) == (token_status, 200)
    # Now: tokens and sessions of this very second are included.
    present = await api.token("acme", "guest")
    assert (await api.call("PUT", path, json={"notBefore": int(time.time()) + 1})).status_code == 204
    assert (await by_token(api, present), await by_cookie(api)) == (401, 401)


@pytest.mark.parametrize("value", [-1, 2**31, 1.5, "soon", "-1", True, [], {}], ids=repr)
async def test_a_not_before_that_is_no_time_is_refused(api: AdminApi, value: Any) -> None:
    client = await make_guest(api)
    for path in (client, "/acme"):
        refused = await api.call("PUT", path, json={"notBefore": value})
        assert refused.status_code == 400
        assert "notBefore" in refused.json()["errorMessage"]
        assert (await api.call("GET", path)).json()["notBefore"] == 0


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ({"enabled": False}, {"enabled": True}),
        ({"serviceAccountsEnabled": False}, {"serviceAccountsEnabled": True}),
        ({"publicClient": True}, {"publicClient": False}),
    ],
    ids=str,
)
async def test_what_is_switched_off_and_on_again_revives_nothing(
    api: AdminApi, off: dict[str, Any], on: dict[str, Any]
) -> None:
    path = await make_guest(api)
    await sign_in(api)
    token = await api.token("acme", "guest", iat=int(time.time()) + 10)  # by a clock that is ahead
    assert (await by_token(api, token), await by_cookie(api)) == (200, 200)
    for change in (off, on):
        assert (await api.call("PUT", path, json=change)).status_code == 204
        assert (await by_token(api, token), await by_cookie(api)) == (401, 401)


async def test_a_change_of_something_else_ends_nothing(api: AdminApi) -> None:
    path = await make_guest(api)
    token = await api.token("acme", "guest")
    for change in ({"description": "x"}, {"enabled": True}, {"notBefore": 0}):
        assert (await api.call("PUT", path, json=change)).status_code == 204
        assert (await api.call("PUT", "/acme", json={"displayName": "x"})).status_code == 204
    assert await by_token(api, token) == 200


async def test_a_representation_that_was_read_can_be_put_back(api: AdminApi) -> None:
    path = await make_guest(api)
    token = await api.token("acme", "guest")
    for each in (path, "/acme"):
        shown = (await api.call("GET", each)).json()
        assert (await api.call("PUT", each, json=shown)).status_code == 204
        after = (await api.call("GET", each)).json()
        assert after | {"secret": None} == shown | {"secret": None}
    assert await by_token(api, token) == 200


async def test_pushing_a_revocation_answers_in_keycloaks_shape(api: AdminApi) -> None:
    """Without a node in the fleet, nothing can accept tokens."""
    client = await make_guest(api)
    for path in (client, "/acme"):
        answer = await api.call("POST", f"{path}/push-revocation", headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"successRequests": [], "failedRequests": []}
    assert (await api.call("POST", "/acme/clients/nobody/push-revocation")).status_code == 404
    assert (await api.call("POST", "/nowhere/push-revocation")).status_code == 404
    viewer = await api.call("POST", f"{client}/push-revocation", realm="acme", client_id="guest")
    assert viewer.status_code == 403
