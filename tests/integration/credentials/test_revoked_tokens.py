"""A client revokes an access token of its own (RFC 7009): it is refused in the whole fleet when the call
returns."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from keyturn_credentials.operations import token_revocation
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.tokens.revocation import REVOCATIONS_PATH, TokenToRevoke, seal_revocation
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_api import ADMIN_ID, BASE_URL, AdminApi, running, settings_for
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import (
    ASSERTION_TYPE,
    RunningNode,
    basic,
    eventually,
    good_claims,
    running_node,
)

SECRET = "a secret that is long enough for everything"
WAIT = {"Prefer": "wait=30"}
PROTOCOL = "/realms/acme/protocol/openid-connect"


@dataclass
class Fleet:
    """Realm ``acme`` with the clients ``orders`` and ``billing``, and the administrator ``keeper``."""

    api: AdminApi
    nodes: list[RunningNode]

    async def token(self, client_id: str = "orders") -> str:
        answer = await self.nodes[0].token_by_secret("acme", client_id, SECRET)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def revoke(
        self, token: str, client_id: str = "orders", *, secret: str = SECRET, **more: str
    ) -> httpx.Response:
        headers = {"Authorization": basic(client_id, secret), **WAIT}
        return await self.nodes[0].http.post(
            f"{PROTOCOL}/revoke", data={"token": token, **more}, headers=headers
        )

    async def accepted(self, token: str) -> list[bool]:
        """Return whether each node accepts it."""
        bearer = {"Authorization": f"Bearer {token}"}
        answers = [await node.http.get("/realms/acme/forward-auth", headers=bearer) for node in self.nodes]
        return [answer.status_code == 204 for answer in answers]


@pytest.fixture
async def fleet(tmp_path: Path, redis: Redis, redis_url: str) -> AsyncIterator[Fleet]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, fleet_keys=FLEET_KEY)
    async with (
        running(settings) as api,
        running_node(redis_url, public_url=BASE_URL, wait=False, credentials=api.app, node_id="a") as first,
        running_node(redis_url, public_url=BASE_URL, wait=False, credentials=api.app, node_id="b") as second,
    ):
        for node in (first, second):
            await eventually(node.ready)
        await api.call("POST", "", json={"realm": "acme"})
        for name, attributes in (
            ("orders", {}),
            ("billing", {}),
            ("keeper", {"keyturn.admin.roles": "view-clients"}),
        ):
            made = {"clientId": name, "secret": SECRET, "attributes": attributes}
            answer = await api.call("POST", "/acme/clients", json=made, headers=WAIT)
            assert answer.headers["preference-applied"] == "wait"
        yield Fleet(api, [first, second])


async def test_no_node_accepts_a_revoked_token_once_the_call_returned(fleet: Fleet) -> None:
    token, other = await fleet.token(), await fleet.token()
    assert await fleet.accepted(token) == [True, True]
    answer = await fleet.revoke(token, token_type_hint="access_token")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["keyturn-fleet"] == "nodes=2, applied=2, fenced=0, pending=0"
    assert answer.headers["preference-applied"] == "wait"
    assert int(answer.headers["keyturn-sequence"]) > 0
    assert await fleet.accepted(token) == [False, False]
    assert await fleet.accepted(other) == [True, True]
    # Repeated: an invalid token is not explained (section 2.2).
    assert (await fleet.revoke(token)).status_code == 200


async def test_whoever_does_not_say_prefer_finds_it_in_force_all_the_same(fleet: Fleet) -> None:
    token = await fleet.token()
    headers = {"Authorization": basic("orders", SECRET)}
    answer = await fleet.nodes[1].http.post(f"{PROTOCOL}/revoke", data={"token": token}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["keyturn-fleet"].endswith("pending=0")
    assert await fleet.accepted(token) == [False, False]


async def test_a_client_revokes_its_own_tokens_and_no_others(fleet: Fleet) -> None:
    token = await fleet.token()
    refused = await fleet.revoke(token, "billing")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    for unknown in ("x", "a.b.c", token[:-4] + "AAAA"):
        answer = await fleet.revoke(unknown)
        assert (answer.status_code, answer.content) == (200, b"")
        assert "keyturn-sequence" not in answer.headers
    assert (await fleet.revoke(token, secret="wrong")).status_code == 401
    missing = await fleet.revoke("")
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    assert await fleet.accepted(token) == [True, True]


async def test_a_client_that_signs_assertions_revokes_with_one_once(fleet: Fleet) -> None:
    key = SigningKey.generate()
    keys = json.dumps({"keys": [key.public_jwk]})
    inline = {"use.jwks.string": "true", "jwks.string": keys}
    made = {"clientId": "signer", "clientAuthenticatorType": "client-jwt", "attributes": inline}
    await fleet.api.call("POST", "/acme/clients", json=made, headers=WAIT)

    def proof() -> dict[str, str]:
        claims = good_claims("signer", f"{BASE_URL}/realms/acme")
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": key.sign_compact(key.header_segment(), claims),
        }

    token = (await fleet.nodes[0].token("acme", proof())).json()["access_token"]
    shown = proof()
    for status in (200, 401):
        answer = await fleet.nodes[0].http.post(f"{PROTOCOL}/revoke", data={"token": token, **shown})
        assert answer.status_code == status, answer.text
    assert await fleet.accepted(token) == [False, False]


async def test_an_administrators_token_is_revoked_at_a_node_too(fleet: Fleet) -> None:
    token = await fleet.token("keeper")
    bearer = {"Authorization": f"Bearer {token}"}
    path = "/admin/realms/acme/clients"
    assert (await fleet.api.http.get(path, headers=bearer)).status_code == 200
    answer = await fleet.revoke(token, "keeper")
    assert answer.status_code == 200, answer.text
    assert answer.headers["keyturn-fleet"].endswith("pending=0")
    assert (await fleet.api.http.get(path, headers=bearer)).status_code == 401


async def test_what_was_revoked_stays_so_after_redis_lost_everything(fleet: Fleet, redis: Redis) -> None:
    token = await fleet.token()
    assert (await fleet.revoke(token)).status_code == 200
    await redis.flushall()

    async def is_back() -> bool:
        answer = await fleet.nodes[0].token_by_secret("acme", "orders", SECRET)
        return answer.status_code == 200

    await eventually(is_back, 60.0)
    assert await fleet.accepted(token) == [False, False]


async def test_a_client_has_a_bounded_number_of_revoked_tokens(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_revocation, "MAX_REVOKED_TOKENS", 2)
    tokens = [await fleet.token() for _ in range(3)]
    statuses = [(await fleet.revoke(token)).status_code for token in tokens]
    assert statuses == [200, 200, 429]
    assert await fleet.accepted(tokens[2]) == [True, True]


async def test_a_token_that_several_revoke_at_once_is_revoked_for_each_of_them(fleet: Fleet) -> None:
    """Also for a caller whose first answer was lost, and who asks a node that has not applied it yet."""
    token = await fleet.token()
    answers = await asyncio.gather(*(fleet.revoke(token) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8, [answer.text for answer in answers]
    assert await fleet.accepted(token) == [False, False]
    orders = {
        found["clientId"]: found["id"] for found in (await fleet.api.call("GET", "/acme/clients")).json()
    }["orders"]
    again = [await _hand_over(fleet, "orders", "acme", orders, digest="a" * 32) for _ in range(2)]
    assert again == [200, 200]


async def test_only_the_fleet_hands_over_tokens_to_revoke(fleet: Fleet) -> None:
    told: dict[str, Any] = {"realm": "acme", "client_uuid": "x", "client_id": "orders"}
    token = TokenToRevoke(**told, realm_id="any", digest="0" * 32, expires_at=1.0)
    foreign = FleetRing.read(KeyRing.generate_key())
    for body in (b"", b"\xff", b"x" * 10_000, seal_revocation(token, foreign).encode()):
        assert (await fleet.api.http.post(REVOCATIONS_PATH, content=body)).status_code == 403
    ours = FleetRing.read(FLEET_KEY)
    gone = await fleet.api.http.post(REVOCATIONS_PATH, content=seal_revocation(token, ours).encode())
    assert gone.status_code == 200  # a deleted client has no tokens left


async def test_the_fleet_keys_use_up_what_a_client_may_revoke_and_nothing_of_an_administrators(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacker could refuse the other clients' tokens anyway, on a node of theirs; ``notBefore`` still
    ends them."""
    monkeypatch.setattr(token_revocation, "MAX_REVOKED_TOKENS", 2)
    clients = {
        found["clientId"]: ("acme", found["id"])
        for found in (await fleet.api.call("GET", "/acme/clients")).json()
    }
    (of_master,) = (await fleet.api.call("GET", "/master/clients", params={"clientId": ADMIN_ID})).json()
    clients[ADMIN_ID] = ("master", of_master["id"])
    statuses = {
        name: [await _hand_over(fleet, name, *clients[name], digest=f"{number:032}") for number in range(2)]
        for name in ("orders", "keeper", ADMIN_ID)
    }
    assert statuses == {"orders": [200, 200], "keeper": [403, 403], ADMIN_ID: [403, 403]}
    token = await fleet.token("keeper")
    assert (await fleet.revoke(token, "keeper")).status_code == 200
    assert (await fleet.revoke(await fleet.token())).status_code == 429


async def test_the_fleet_keys_put_no_other_name_into_the_audit_log(fleet: Fleet) -> None:
    (orders,) = (await fleet.api.call("GET", "/acme/clients", params={"clientId": "orders"})).json()
    assert await _hand_over(fleet, "keeper", "acme", orders["id"], digest="1" * 32) == 403
    assert await _hand_over(fleet, "orders", "acme", orders["id"], digest="2" * 32) == 200
    audit = json.dumps((await fleet.api.call("GET", "/acme/audit")).json())
    assert "2" * 32 in audit
    assert "1" * 32 not in audit


async def _hand_over(fleet: Fleet, name: str, realm: str, client_uuid: str, *, digest: str) -> int:
    """Send what any holder of the fleet keys can send, in today's form and in that of nodes of a former
    build; return the status."""
    realm_id = (await fleet.api.call("GET", f"/{realm}")).json()["id"]
    told: dict[str, Any] = {"realm": realm, "client_uuid": client_uuid, "client_id": name}
    token = TokenToRevoke(**told, digest=digest, expires_at=2e9, realm_id=realm_id)
    ring = FleetRing.read(FLEET_KEY)
    former = ring.seal(msgspec.json.encode(replace(token, realm_id=None)), "token-revocation")
    sealed = (seal_revocation(token, ring), former)
    statuses = {
        (await fleet.api.http.post(REVOCATIONS_PATH, content=each.encode())).status_code for each in sealed
    }
    assert len(statuses) == 1
    return statuses.pop()


async def test_without_the_credentials_service_nothing_is_said_to_be_revoked(
    redis_url: str, fleet: Fleet
) -> None:
    token = await fleet.token()
    async with running_node(redis_url, public_url=BASE_URL, node_id="alone") as alone:
        headers = {"Authorization": basic("orders", SECRET)}
        answer = await alone.http.post(f"{PROTOCOL}/revoke", data={"token": token}, headers=headers)
    assert answer.status_code == 429
    assert "retry-after" in answer.headers
    assert await fleet.accepted(token) == [True, True]


async def test_discovery_names_the_endpoint(fleet: Fleet) -> None:
    document = (await fleet.nodes[0].http.get("/realms/acme/.well-known/oauth-authorization-server")).json()
    assert document["revocation_endpoint"] == f"{BASE_URL}{PROTOCOL}/revoke"
    methods = document["revocation_endpoint_auth_methods_supported"]
    assert methods == document["token_endpoint_auth_methods_supported"]
