"""A client takes the new secret of its rotation itself."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from keyturn_credentials.authorization.request_rate import AT_ONCE
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL, AdminApi
from tests.testkit.administrators import by_assertion
from tests.testkit.nodes import assertion, secret_assertion
from tests.testkit.waiting import wait_until

ROTATION = "/realms/acme/rotation"
URL = f"{BASE_URL}{ROTATION}"
POLICY = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
}


def jwks_of(key: SigningKey) -> dict[str, str]:
    return {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}


class Client:
    """A client of the realm that knows one secret of its own."""

    def __init__(self, api: AdminApi, uuid: str, secret: str) -> None:
        self.api = api
        self.uuid = uuid
        self.secret = secret

    async def ask(self, path: str = ROTATION, **form: str) -> httpx.Response:
        return await self.api.http.post(path, auth=("orders", self.secret), data={"x": "", **form})

    async def confirm(self, rotation: str) -> httpx.Response:
        return await self.ask(f"{ROTATION}/delivered", rotation=rotation)

    async def rotate(self) -> str:
        """Begin a rotation as an administrator; return its id."""
        return await self.api.create(f"/acme/clients/{self.uuid}/rotations", {})

    async def offered(self) -> dict[str, Any]:
        """Wait for the new secret, which is there once the fleet has applied the event."""
        seen: list[dict[str, Any]] = []

        async def is_there() -> bool:
            seen.append((await self.ask()).json())
            return "secret" in seen[-1]

        await wait_until(is_there)
        return seen[-1]


async def create(api: AdminApi, *, realm: dict[str, str] = POLICY, **members: Any) -> Client:
    await api.create("", {"realm": "acme", "attributes": realm})
    secret = "the secret that this client has today, long enough for any hash function there is in use"
    uuid = await api.create("/acme/clients", {"clientId": "orders", "secret": secret, **members})
    return Client(api, uuid, secret)


@pytest.fixture
async def client(api: AdminApi) -> Client:
    return await create(api)


async def test_without_a_rotation_it_learns_when_to_ask_again(client: Client) -> None:
    answer = await client.ask()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {"rotation": None, "interval": 300}


@pytest.mark.parametrize("digests_only", [False, True])
async def test_each_instance_takes_the_new_secret_while_the_former_one_is_valid(
    api: AdminApi, digests_only: bool
) -> None:
    """The first one alone, where only digests are stored."""
    client = await create(
        api, realm=POLICY | ({"keyturn.secret.digest-only": "true"} if digests_only else {})
    )
    rotation = await client.rotate()
    taken = await client.offered()
    assert (taken["rotation"]["id"], taken["rotation"]["state"]) == (rotation, "prepared")
    assert taken["secret"] != client.secret
    assert taken["secret"] == (await client.offered())["secret"], "until it is confirmed"
    refused = await client.confirm(rotation)
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict"), "with the former secret"
    new = Client(api, client.uuid, taken["secret"])
    for _ in range(2):  # the first response may have been lost
        confirmed = await new.confirm(rotation)
        assert (confirmed.status_code, confirmed.json()["rotation"]["id"]) == (200, rotation)
    of_this_one = (await new.ask()).json()
    assert ("secret" in of_this_one, of_this_one["rotation"]["id"]) == (False, rotation)
    of_another = (await client.ask()).json()
    assert of_another.get("secret") == (None if digests_only else taken["secret"])
    shown = (await api.call("GET", f"/acme/rotations/{rotation}")).json()
    assert shown["state"] in ("prepared", "delivered", "in_use")
    audited = (await api.call("GET", "/acme/audit?max=100")).json()
    takings = [entry for entry in audited if entry["action"] == "rotation_secret_shown"]
    assert {entry["actor"]["client_id"] for entry in takings} == {"orders"}
    assert len(takings) == 1, "once in five minutes"
    assert taken["secret"] not in str(audited)


async def test_an_assertion_for_this_endpoint_is_accepted_once(api: AdminApi) -> None:
    client = await create(api, clientAuthenticatorType="client-secret-jwt")

    def signed(audience: str) -> dict[str, str]:
        return by_assertion(secret_assertion(client.secret, "orders", "acme", aud=audience))

    good = signed(URL)
    statuses = [(await api.http.post(ROTATION, data=good)).status_code for _ in range(2)]
    assert statuses == [200, 401]
    await client.rotate()
    taken = await offered_to(api, signed)
    client.secret = taken["secret"]
    assert "secret" not in (await api.http.post(ROTATION, data=signed(URL))).json(), "it has it"
    for elsewhere in (f"{BASE_URL}/realms/acme", f"{BASE_URL}/realms/acme/protocol/openid-connect/token"):
        assert (await api.http.post(ROTATION, data=signed(elsewhere))).status_code == 401, elsewhere


async def offered_to(api: AdminApi, signed: Callable[[str], dict[str, str]]) -> dict[str, Any]:
    """Wait for the new secret of a client that signs."""
    seen: list[dict[str, Any]] = []

    async def is_there() -> bool:
        seen.append((await api.http.post(ROTATION, data=signed(URL))).json())
        return "secret" in seen[-1]

    await wait_until(is_there)
    return seen[-1]


async def test_a_client_that_asks_too_often_is_slowed_down(client: Client) -> None:
    refused = await client.ask()
    asked = 1
    while refused.status_code == 200 and asked < 20 * AT_ONCE:
        refused, asked = await client.ask(), asked + 1
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert asked > AT_ONCE


async def test_failures_here_keep_no_administrator_out(api: AdminApi, client: Client) -> None:
    api.http.headers["X-Forwarded-For"] = "203.0.113.9"
    stranger = Client(api, client.uuid, "wrong")
    assert 429 in [(await stranger.ask()).status_code for _ in range(110)]
    path = "/realms/master/protocol/openid-connect/token"
    form = {"grant_type": "client_credentials"}
    token = await api.http.post(path, data=form, auth=(ADMIN_ID, ADMIN_SECRET))
    assert token.status_code == 200


async def test_an_administrator_takes_its_new_secret_too(api: AdminApi) -> None:
    client = await create(api, attributes={"keyturn.admin.roles": "view-clients"})
    rotation = await client.rotate()
    assert (await client.offered())["rotation"]["id"] == rotation


async def test_a_secret_is_not_shown_while_its_rotation_is_paused(api: AdminApi, client: Client) -> None:
    rotation = await client.rotate()
    assert (await api.call("POST", f"/acme/rotations/{rotation}/pause")).status_code == 200
    answer = (await client.ask()).json()
    assert (answer["rotation"]["paused"], "secret" in answer) == (True, False)
    assert (await api.call("POST", f"/acme/rotations/{rotation}/resume")).status_code == 200
    assert (await client.offered())["rotation"]["paused"] is False


async def test_whoever_has_no_valid_secret_gets_nothing(api: AdminApi, client: Client) -> None:
    rotation = await client.rotate()
    await client.offered()
    stranger = Client(api, client.uuid, "wrong")
    for answer in (await stranger.ask(), await stranger.confirm(rotation), await api.http.post(ROTATION)):
        assert answer.status_code in (400, 401)
        assert set(answer.json()) == {"error", "error_description"}
    body = {"enabled": False}
    assert (await api.call("PUT", f"/acme/clients/{client.uuid}", json=body)).status_code == 204
    assert (await client.ask()).status_code == 401
    assert (await api.http.get(ROTATION)).status_code == 405
    assert (await api.http.post("/realms/none/rotation", auth=("orders", client.secret))).status_code == 400


async def test_a_certificate_or_a_token_of_somebody_else_is_no_secret(api: AdminApi) -> None:
    client = await create(api, clientAuthenticatorType="client-jwt")
    assert (await client.ask()).status_code == 401
    key = SigningKey.generate()
    changed = await api.call("PUT", f"/acme/clients/{client.uuid}", json={"attributes": jwks_of(key)})
    assert changed.status_code == 204, changed.text
    signed = [by_assertion(assertion(key, "orders", "acme", aud=URL)) for _ in range(2)]
    shown = await api.http.post(ROTATION, data=signed[0])
    assert shown.json() == {"rotation": None, "interval": 300}, "it has keys and no secret"
    refused = await api.http.post(f"{ROTATION}/delivered", data={**signed[1], "rotation": "x"})
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    token = {"Authorization": f"Bearer {await api.token()}"}
    answer = await api.http.post(ROTATION, headers=token, data={"client_id": "orders"})
    assert answer.status_code == 401


async def test_it_confirms_no_rotation_but_its_own(api: AdminApi, client: Client) -> None:
    other = await api.create("/acme/clients", {"clientId": "billing"})
    others = await api.create(f"/acme/clients/{other}/rotations", {})
    for rotation in (others, "none"):
        answer = await client.confirm(rotation)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    missing = await client.ask(f"{ROTATION}/delivered")
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    shown = (await api.call("GET", f"/acme/rotations/{others}")).json()
    assert shown["state"] == "prepared"


@pytest.mark.parametrize("place", ["realm", "client"])
async def test_a_policy_may_leave_it_to_people(api: AdminApi, place: str) -> None:
    off = {"keyturn.rotation.self-service": "false"}
    client = await create(
        api,
        realm=POLICY | (off if place == "realm" else {}),
        attributes=off if place == "client" else {},
    )
    rotation = await client.rotate()
    for answer in (await client.ask(), await client.confirm(rotation)):
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
