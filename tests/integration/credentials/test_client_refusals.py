"""An administrator sees why a client's authentications were refused."""

from typing import Any

from tests.testkit.admin_api import ADMIN_ID, AdminApi
from tests.testkit.waiting import wait_until


async def sign_in(api: AdminApi, client_id: str, secret: str) -> int:
    response = await api.http.post(
        "/realms/master/protocol/openid-connect/token",
        data={"grant_type": "client_credentials"},
        auth=(client_id, secret),
    )
    return response.status_code


async def test_the_reason_time_and_address_of_a_refusal_are_shown(api: AdminApi) -> None:
    admin = {"keyturn.admin.roles": "view-clients"}
    uuid = await api.create("/master/clients", {"clientId": "orders", "attributes": admin})
    path = f"/master/clients/{uuid}/refusals"
    assert (await api.call("GET", path)).json() == []
    wrong = "a-wrong-secret-that-is-long-enough"
    assert await sign_in(api, "orders", wrong) == 401
    assert await sign_in(api, "nobody", wrong) == 401

    async def recorded() -> list[dict[str, Any]]:
        return list((await api.call("GET", path)).json())

    (refusal,) = await wait_until(recorded)
    assert (refusal["code"], refusal["method"], refusal["address"]) == (
        "wrong_secret",
        "client_secret_basic",
        "127.0.0.1",
    )
    assert abs(refusal["time"] - api.clock.now()) < 120
    assert wrong not in (await api.call("GET", path)).text


async def test_they_are_for_those_who_may_see_clients(api: AdminApi) -> None:
    uuid = await api.create("/master/clients", {"clientId": "orders"})
    other = {"keyturn.admin.roles": "manage-realm"}
    await api.create("/master/clients", {"clientId": "other", "attributes": other})
    path = f"/master/clients/{uuid}/refusals"
    assert (await api.call("GET", path, client_id="other")).status_code == 403
    assert (await api.call("GET", f"{path}?max=none")).status_code == 400
    assert (await api.call("GET", f"{path}?max=1000", client_id=ADMIN_ID)).status_code == 200
