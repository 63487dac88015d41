"""The fleet keys with full access to Redis make no one an administrator."""

import itertools
import json
import re
from typing import Any

import pytest

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord, encode_record
from keyturn_shared.sealing import KeyRing, SealError
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL
from tests.testkit.administrators import (
    SECRET,
    WORKERS,
    Scene,
    administers,
    by_assertion,
    by_basic,
)
from tests.testkit.filled_redis import FLEET_KEY
from tests.testkit.nodes import assertion_claims
from tests.testkit.redis_contents import everything_in

FLEET = KeyRing.from_text(FLEET_KEY, purpose="fleet")
_SEALED = re.compile(r"\b1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{40,}")


def private_keys_in(text: str) -> list[SigningKey]:
    """Return every signing key that the fleet keys decrypt."""
    kids = set(re.findall(r'"kid": ?"([^"]+)"', text.replace('\\"', '"')))
    opened = []
    for sealed, kid in itertools.product(set(_SEALED.findall(text)), kids):
        try:
            opened.append(SigningKey.from_private_jwk(FLEET.open(sealed, f"signing-key:{kid}")))
        except SealError:
            continue
    return opened


def forged(key: SigningKey, realm: str, client_id: str, **claims: Any) -> str:
    issuer = f"{BASE_URL}/realms/{realm}"
    whole = assertion_claims(client_id, realm, iss=issuer, aud=issuer, **claims) | {"client_id": client_id}
    return key.sign_compact(key.header_segment("at+jwt"), whole)


async def test_no_private_key_that_the_fleet_keys_open_signs_a_token_that_the_admin_api_takes(
    scene: Scene,
) -> None:
    keys = private_keys_in(await everything_in(scene.redis))
    assert len(keys) == 2, "the key of acme's clients that signs, and their next one"
    known = (await scene.api.call("GET", "/master/keys")).json()["keys"]
    known += (await scene.api.call("GET", "/acme/keys")).json()["keys"]
    assert len(known) == 6
    for key, (realm, client_id) in itertools.product(
        keys, [("master", ADMIN_ID), ("acme", "by-secret"), ("acme", "worker")]
    ):
        roles = {"keyturn.admin.roles": "admin", "realm_access": {"roles": ["admin"]}}
        assert await scene.status_of(forged(key, realm, client_id), "/admin/realms") == 401
        assert await scene.status_of(forged(key, realm, client_id, **roles)) == 401
        for shown in known:
            private = json.loads(key.export_private_jwk()) | {"kid": shown["kid"]}
            renamed = SigningKey.from_private_jwk(json.dumps(private).encode())
            assert await scene.status_of(forged(renamed, realm, client_id)) == 401


async def test_a_token_that_a_node_forges_is_good_for_the_realms_clients_and_for_no_admin_call(
    scene: Scene,
) -> None:
    """The forged token is valid: it is refused because a node can make it."""
    (key, *_) = private_keys_in(await everything_in(scene.redis))
    token = forged(key, "acme", "by-secret")
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await scene.node.http.get("/realms/acme/forward-auth", headers=bearer)).status_code == 204
    assert await scene.status_of(token) == 401
    own = (await scene.token_from_node("acme", {}, by_basic())).json()["access_token"]
    assert await scene.status_of(own) == 200


async def test_nothing_in_redis_is_made_of_an_administrators_secret(scene: Scene) -> None:
    text = await everything_in(scene.redis)
    uuids = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    digests = set(re.findall(r"\b1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{43}\b", text))
    opened = []
    for value, uuid in itertools.product(digests | set(_SEALED.findall(text)), uuids):
        context = f"client-secret:{uuid}"
        try:
            opened.append(FLEET.open(value, context).decode())
        except SealError:
            continue
    matched = {
        secret
        for digest, uuid, secret in itertools.product(digests, uuids, (SECRET, WORKERS, ADMIN_SECRET))
        if FLEET.matches(secret, digest, f"client-secret:{uuid}")
    }
    assert matched == {WORKERS}
    assert opened == []


async def test_a_key_written_to_redis_is_no_administrators(scene: Scene) -> None:
    """Such a key may be of a realm, of a client, or of a JWKS URL."""
    url = "https://keys.invalid/jwks"
    at_url = {"use.jwks.url": "true", "jwks.url": url}
    await scene.make("by-url", "client-jwt", attributes=administers(**at_url))
    own = SigningKey.generate()
    now = scene.api.clock.now()
    address = KeySetAddress.of(url)
    record = KeySetRecord(
        url=url,
        generation=int(now * 1000),
        as_of=(int(now * 1000) + 10**9, 10**6),
        keys=(own.public_jwk,),
        fetched_at=now,
        changed_at=now,
        fresh_until=now + 3600,
        stale_until=now + 7200,
    )
    await scene.redis.set(KeySetLayout().record(address.id), encode_record(record))
    projections = [key async for key in scene.redis.scan_iter("*projections*")]
    assert projections
    for field in ("realm:master", "realm:acme"):
        body = json.dumps({"id": "1", "name": field[6:], "signing_keys": [
            {"kid": own.kid, "alg": "ES256", "state": "active", "public_jwk": own.public_jwk}
        ]})  # fmt: skip
        for key in projections:
            await scene.redis.hset(key, field, f"999999:{body}")
    signed = own.sign_compact(own.header_segment(), _claims("by-url"))
    for ask in (scene.token_from_service, scene.token_from_node):
        refused = await ask("acme", by_assertion(signed))
        assert refused.status_code in (400, 401, 429), refused.text
        assert "access_token" not in refused.text
    for realm, client_id in (("master", ADMIN_ID), ("acme", "by-secret")):
        assert await scene.status_of(forged(own, realm, client_id), "/admin/realms") == 401
    again = await scene.token_from_service("acme", {}, by_basic())
    assert await scene.status_of(again.json()["access_token"]) == 200


async def test_an_assertion_is_used_once_whatever_becomes_of_redis(scene: Scene) -> None:
    used = scene.key.sign_compact(scene.key.header_segment(), _claims("by-key"))
    assert (await scene.token_from_service("acme", by_assertion(used))).status_code == 200
    await scene.redis.flushall()
    refused = await scene.token_from_service("acme", by_assertion(used))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("client_id", ["by-secret", "by-secret-jwt", "by-key", "worker", "nobody"])
async def test_a_node_has_nothing_to_guess_an_administrators_secret_against(
    scene: Scene, client_id: str
) -> None:
    """The service counts the failures that come through a node, in its own memory."""
    wrong = by_basic(client_id, "a guess")
    refused = await scene.token_from_node("acme", {}, wrong)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    line = 'keyturn_authentications_total{method="client_secret_basic",outcome='
    passed_on = await scene.node.metric(f'{line}"admin_tokens_elsewhere"}}')
    assert passed_on == (0 if client_id in ("worker", "nobody") else 1)


def _claims(client_id: str) -> dict[str, Any]:
    return assertion_claims(client_id, "acme", aud=f"{BASE_URL}/realms/acme")
