"""A client registers its next public key itself, proving that it has both keys."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from keyturn_credentials.authorization.own_rotation import KEYS_AT_ONCE
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose import base64url
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import BASE_URL, AdminApi, running, settings_for
from tests.testkit.administrators import by_assertion
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.nodes import assertion
from tests.testkit.waiting import wait_until

ROTATION = "/realms/acme/rotation"
URL = f"{BASE_URL}{ROTATION}"
REGISTER = f"{ROTATION}/key"


def proof(key: SigningKey, *, typ: str = "next-key+jwt", jwk: Any = None, **changes: Any) -> str:
    """Prove the possession of a key. None removes a claim."""
    claims = {"iss": "orders", "aud": URL, "iat": int(SystemClock().now())} | changes
    header = {"alg": "ES256", "typ": typ, "jwk": key.public_jwk if jwk is None else jwk}
    segment = base64url.encode(json.dumps(header).encode())
    return key.sign_compact(segment, {name: value for name, value in claims.items() if value is not None})


class KeyClient:
    """A client of the realm that signs with one of its keys."""

    def __init__(self, api: AdminApi, uuid: str, key: SigningKey) -> None:
        self.api = api
        self.uuid = uuid
        self.key = key

    async def ask(self, path: str = ROTATION, key: SigningKey | None = None, **claims: Any) -> httpx.Response:
        signed = assertion(key or self.key, "orders", "acme", **({"aud": URL} | claims))
        return await self.api.http.post(path, data=by_assertion(signed))

    async def register(self, key: SigningKey, **how: Any) -> httpx.Response:
        return await self.ask(REGISTER, next_key=proof(key, **how))

    async def registered(self) -> list[str]:
        client = (await self.api.call("GET", f"/acme/clients/{self.uuid}")).json()
        keys = json.loads(client["attributes"]["jwks.string"])["keys"]
        return [VerificationKey.from_jwk(jwk).thumbprint for jwk in keys]


async def create(api: AdminApi, *, realm: Mapping[str, str] = {}, **attributes: str) -> KeyClient:
    await api.create("", {"realm": "acme", "attributes": dict(realm)})
    key = SigningKey.generate("ES256")
    keys = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}
    members = {
        "clientId": "orders",
        "clientAuthenticatorType": "client-jwt",
        "attributes": keys | attributes,
    }
    return KeyClient(api, await api.create("/acme/clients", members), key)


async def audit(api: AdminApi) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await api.call("GET", "/acme/audit")).json()
    return entries


@pytest.fixture
async def client(api: AdminApi) -> KeyClient:
    return await create(api)


async def test_it_registers_its_next_key_and_both_are_accepted(client: KeyClient) -> None:
    assert (await client.ask()).json() == {"rotation": None, "interval": 300}
    new = SigningKey.generate("ES256")
    answer = await client.register(new)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    rotation = answer.json()["rotation"]
    assert (rotation["kind"], rotation["state"]) == ("key", "prepared")
    assert (await client.register(new)).json()["rotation"]["id"] == rotation["id"], "the response was lost"

    async def every_node_has_it() -> bool:
        return bool((await client.ask(key=new)).json()["rotation"]["waits_for"] == "use")

    await wait_until(every_node_has_it)
    assert (await client.ask(key=client.key)).status_code == 200
    shown = (await client.api.call("GET", f"/acme/rotations/{rotation['id']}")).json()
    assert (shown["kind"], shown["reason"], shown["waits_for"]) == ("key", "client", "use")
    assert [shown["keys"]["former"], shown["keys"]["successors"]] == [
        [each] for each in await client.registered()
    ]
    (entry,) = [each for each in await audit(client.api) if each["action"] == "client_keys_changed"]
    assert (entry["client_id"], entry["actor"]["client_id"]) == ("orders", "orders")


async def test_a_library_that_nobody_here_wrote_makes_the_same_proof(client: KeyClient) -> None:
    new, now = SigningKey.generate("ES256"), int(SystemClock().now())
    private = jwt.PyJWK.from_json(new.export_private_jwk().decode()).key
    made = jwt.encode(
        {"iss": "orders", "aud": URL, "iat": now},
        private,
        "ES256",
        headers={"typ": "next-key+jwt", "jwk": new.public_jwk},
    )
    assert (await client.ask(REGISTER, next_key=made)).status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"typ": "JWT"}, "typ"),
        ({"iss": "another"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": f"{BASE_URL}/realms/acme"}, "aud"),
        ({"aud": None}, "aud"),
        ({"iat": None}, "iat"),
        ({"iat": 1_000_000_000}, "iat"),
        ({"iat": 4_000_000_000}, "iat"),
        ({"jwk": "a text"}, "jwk"),
        ({"jwk": SigningKey.generate("ES256").public_jwk}, "next_key"),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, "next_key"),
    ],
)
async def test_a_proof_that_does_not_fit_registers_nothing(
    client: KeyClient, change: dict[str, Any], reason: str
) -> None:
    before = await client.registered()
    answer = await client.register(SigningKey.generate("ES256"), **change)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert reason in answer.json()["error_description"]
    assert await client.registered() == before
    assert (await client.ask()).json()["rotation"] is None


async def test_who_has_only_one_of_both_keys_registers_nothing(client: KeyClient) -> None:
    before = await client.registered()
    thief, victim = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    assert (await client.ask(REGISTER, key=thief, next_key=proof(thief))).status_code == 401
    signed_by_another = proof(thief, jwk=victim.public_jwk)
    assert (await client.ask(REGISTER, next_key=signed_by_another)).status_code == 400
    assert (await client.ask(REGISTER)).status_code == 400
    private = json.loads(thief.export_private_jwk())
    assert (await client.register(thief, jwk=private)).status_code == 400
    assert await client.registered() == before


async def test_an_assertion_for_this_endpoint_is_accepted_once(client: KeyClient) -> None:
    signed = assertion(client.key, "orders", "acme", aud=URL, next_key=proof(SigningKey.generate("ES256")))
    answers = [await client.api.http.post(REGISTER, data=by_assertion(signed)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    elsewhere = assertion(client.key, "orders", "acme", next_key=proof(SigningKey.generate("ES256")))
    assert (await client.api.http.post(REGISTER, data=by_assertion(elsewhere))).status_code == 401


async def test_another_key_is_refused_while_a_rotation_is_in_its_overlap(client: KeyClient) -> None:
    first, second = SigningKey.generate("ES256"), SigningKey.generate("ES256")
    assert (await client.register(first)).status_code == 200
    signed_by_first = await client.ask(REGISTER, first, next_key=proof(second))
    assert (signed_by_first.status_code, signed_by_first.json()["error"]) == (409, "rotation_not_over")
    assert len(await client.registered()) == 2


async def test_a_client_that_publishes_its_keys_registers_none(tmp_path: Path, redis_url: str) -> None:
    settings = settings_for(
        f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, jwks_allowed_networks="127.0.0.0/8"
    )
    server = JwksServer()
    await server.start()
    try:
        async with running(settings) as api:
            client = await create(api)
            server.pages["/jwks"] = Page([client.key.public_jwk])
            url = {"use.jwks.url": "true", "jwks.url": server.url("/jwks"), "use.jwks.string": "false"}
            path = f"/acme/clients/{client.uuid}"
            assert (await api.call("PUT", path, json={"attributes": url})).status_code == 204
            refused = await client.register(SigningKey.generate("ES256"))
            assert (refused.status_code, refused.json()["error"]) == (409, "keys_published")
    finally:
        await server.stop()


async def test_each_key_is_a_change_so_there_are_few(client: KeyClient) -> None:
    answers = [await client.register(SigningKey.generate("ES256")) for _ in range(KEYS_AT_ONCE + 1)]
    assert [answer.status_code for answer in answers] == [200] * KEYS_AT_ONCE + [429]
    assert len(await client.registered()) == 2, "each next key replaces the last"


async def test_the_policy_can_forbid_it(api: AdminApi) -> None:
    client = await create(api, realm={"keyturn.rotation.self-service": "false"})
    assert (await client.register(SigningKey.generate("ES256"))).status_code == 403


async def test_a_client_with_a_secret_has_no_key_to_register(api: AdminApi) -> None:
    await api.create("", {"realm": "acme"})
    await api.create("/acme/clients", {"clientId": "orders", "secret": "a secret of the client"})
    answer = await api.http.post(REGISTER, auth=("orders", "a secret of the client"), data={"x": ""})
    assert answer.status_code == 403


async def test_an_administrator_rotates_a_key_and_is_told_what_is_wrong(client: KeyClient) -> None:
    path = f"/acme/clients/{client.uuid}/rotations"
    for body, reason in (
        ({"kind": "key", "jwk": {"kty": "EC"}}, "jwk"),
        ({"kind": "key", "reason": "compromised"}, "jwk"),
        ({"jwk": {}}, "kind key"),
        ({"kind": "certificate"}, "kind"),
    ):
        answer = await client.api.call("POST", path, json=body)
        assert answer.status_code == 400, body
        assert reason in answer.text
    new = SigningKey.generate("ES256")
    answer = await client.api.call("POST", path, json={"kind": "key", "jwk": new.public_jwk})
    assert answer.status_code == 201
    assert answer.headers["keyturn-fleet"]
    one = f"/acme/rotations/{answer.json()['id']}"
    assert (await client.api.call("POST", f"{one}/delivered")).status_code == 409
    assert (await client.api.call("POST", f"{one}/pause")).json()["waits_for"] == "person"
    assert (await client.api.call("POST", f"{one}/resume")).json()["paused"] is False
    cancelled = await client.api.call("POST", f"{one}/cancel")
    assert cancelled.json()["state"] == "rolled_back"
    assert (await client.ask(key=new)).status_code == 401
