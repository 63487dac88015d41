"""An attacker has taken over a node or a fetcher, and uses every key found there."""

import itertools
import re
import time
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from keyturn_shared.fleet.failures import FailureRegistry
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.projection import RealmProjection, encode_projection, projection_value
from keyturn_shared.sealing import SealError
from keyturn_shared.signed_log.keys import FETCHER, LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner
from tests.testkit.admin_api import ADMIN_SECRET
from tests.testkit.administrators import SECRET, WORKERS, Scene, administers
from tests.testkit.filled_redis import FLEET_KEY, RING, Filling, client_of, field_of
from tests.testkit.nodes import ASSERTION_TYPE, assertion, eventually, running_node
from tests.testkit.redis_contents import everything_in
from tests.testkit.signed_log import LOG

SIGNERS = "the secret of one who signs assertions with it"
HIS = SigningKey.generate("ES256")
URL = "https://keys.invalid/jwks"
FETCHERS = LogSigningKeys.derived_from(FLEET_KEY, FETCHER)


async def write_his_key_set(redis: Redis) -> None:
    """Write the attacker's key at the URL, signed with the key of a fetcher."""
    now, address = time.time(), KeySetAddress.of(URL)
    record = KeySetRecord(
        url=URL,
        generation=int(now * 1000),
        as_of=(1 << 40, 1 << 40),
        keys=(HIS.public_jwk,),
        fetched_at=now,
        changed_at=now,
        fresh_until=now + 3600,
        stale_until=now + 7200,
    )
    await redis.set(KeySetLayout().record(address.id), KeySetSeal(FETCHERS, FetcherKeys()).write(record))


async def test_a_node_opens_the_secrets_that_clients_sign_with_and_no_others(scene: Scene) -> None:
    """A client that sends its secret is known by a digest, and an administrator not at all."""
    await scene.make("signs", "client-secret-jwt", secret=SIGNERS)
    text = await everything_in(scene.redis)
    uuids = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    opened = set()
    for sealed, uuid in itertools.product(re.findall(r"\b1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{40,}", text), uuids):
        try:
            opened.add(RING.open(sealed, f"client-secret:{uuid}").decode())
        except SealError:
            continue
    assert opened == {SIGNERS}
    for secret in (SECRET, WORKERS, SIGNERS, ADMIN_SECRET):
        assert secret not in text


async def test_where_the_log_has_no_keys_of_its_own_the_fleet_keys_sign_a_client_that_nodes_accept(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    """Otherwise a node that trusts other keys accepts nothing signed by them."""
    his = client_of(realm, "his", key=HIS)
    derived = LogSigner(LogSigningKeys.derived_from(FLEET_KEY), LOG)
    field, later = field_of(his), filling.sequence + 1
    forged = projection_value(later, derived.projection(field, later, encode_projection(his)))
    await redis.hset(Layout().projections(filling.epoch), field, forged)
    own = LogSigningKeys([b"o" * 32]).public_keys
    async with (
        running_node(redis_url) as node,
        running_node(redis_url, wait=False, log_verification_keys=own) as strict,
    ):
        assert (
            await node.token_by_assertion(realm.name, assertion(HIS, "his", realm.name))
        ).status_code == 200
        refused = await strict.token_by_assertion(realm.name, assertion(HIS, "his", realm.name))
        assert refused.status_code == 503
        assert "access_token" not in refused.text


async def test_a_fetchers_key_passes_for_clients_with_a_jwks_url_and_for_no_others(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    """It signs key sets. As a client's signature it is worth nothing."""
    by_url = client_of(realm, "by-url", authenticator="client-jwt", jwks_url=URL)
    inline = client_of(realm, "inline", key=SigningKey.generate("ES256"))
    await filling.change(realm, by_url)
    await filling.change(realm, inline)
    await write_his_key_set(redis)
    theirs = msgspec.structs.replace(inline, jwks={"keys": [HIS.public_jwk]})
    field, later = field_of(inline), filling.sequence + 1
    signed = LogSigner(FETCHERS, LOG).projection(field, later, encode_projection(theirs))
    await redis.hset(Layout().projections(filling.epoch), field, projection_value(later, signed))
    async with running_node(redis_url) as node:
        statuses = [
            (await node.token_by_assertion(realm.name, assertion(HIS, name, realm.name))).status_code
            for name in ("by-url", "inline")
        ]
    assert statuses == [200, 429]


async def test_a_key_that_was_revoked_stays_so_whatever_a_fetcher_signs(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    """The same signed key set is accepted for another client with this URL."""
    clients = {
        name: client_of(realm, name, authenticator="client-jwt", jwks_url=URL)
        for name in ("revoked", "other")
    }
    for client in clients.values():
        await filling.change(realm, client)
    await filling.revoke_key(realm, clients["revoked"], HIS.kid)
    await write_his_key_set(redis)
    async with running_node(redis_url) as node:
        answers = {
            name: await node.token_by_assertion(realm.name, assertion(HIS, name, realm.name))
            for name in ("other", "revoked")
        }
    assert answers["other"].status_code == 200
    assert answers["revoked"].status_code in (401, 429)
    assert "access_token" not in answers["revoked"].text


async def test_a_fetchers_key_administers_nothing(scene: Scene) -> None:
    """The service fetches administrators' key sets itself."""
    attributes = administers(**{"use.jwks.url": "true", "jwks.url": URL})
    await scene.make("by-url", "client-jwt", attributes=attributes)
    await write_his_key_set(scene.redis)
    signed = assertion(HIS, "by-url", "acme", aud=f"{scene.api.settings.base_url}/realms/acme")
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    for ask in (scene.token_from_service, scene.token_from_node):
        refused = await ask("acme", form)
        assert refused.status_code in (400, 401, 429), refused.text
        assert "access_token" not in refused.text


@pytest.mark.parametrize("count", [1, 1000])
async def test_a_node_has_other_nodes_refuse_a_client_at_an_address(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str, count: int
) -> None:
    """Counts of failures belong to the fleet: a writer of them can have honest callers refused."""
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    limits: dict[str, Any] = {"failure_limit_client": 5, "failure_limit_address": 5, "failure_window": 60}
    async with running_node(redis_url, **limits) as node:
        throttle_names = {"address 198.51.100.9": count}
        await FailureRegistry(RedisScripts(redis), 60).add(throttle_names)
        wrong = {"X-Forwarded-For": "198.51.100.9"}
        form = {"client_id": "worker", "client_secret": "wrong"}
        await node.token(realm.name, form, headers=wrong)
        right = form | {"client_secret": SECRET}
        expected = 429 if count > 5 else 200

        async def answered() -> bool:
            return (await node.token(realm.name, right, headers=wrong)).status_code == expected

        await eventually(answered)
        elsewhere = await node.token(realm.name, right, headers={"X-Forwarded-For": "192.0.2.1"})
        assert elsewhere.status_code == 200
