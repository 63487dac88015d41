"""A node's answers while the fleet changes, stops and comes back."""

import time
from contextlib import AsyncExitStack

from redis.asyncio import Redis

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from tests.testkit.filled_redis import Filling, client_of, projected_key, realm_of
from tests.testkit.nodes import RunningNode, assertion, eventually, running_node
from tests.testkit.waiting import in_time

SECRET = "a secret of the worker"


async def test_once_a_wait_is_over_no_node_accepts_the_former_secret(
    filling: Filling, redis_url: str, realm: RealmProjection
) -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(running_node(redis_url)) for _ in range(5)]
        client = client_of(realm, "worker", uuid="w", secret="secret-0")
        await _until_safe(filling, await filling.change(realm, client))
        for turn in range(20):
            for node in nodes:
                assert (await node.token_by_secret("acme", "worker", f"secret-{turn}")).status_code == 200
            client = client_of(realm, "worker", uuid="w", secret=f"secret-{turn + 1}")
            await _until_safe(filling, await filling.change(realm, client))
            for node in nodes:
                assert (await node.token_by_secret("acme", "worker", f"secret-{turn}")).status_code == 401


async def test_a_change_is_reported_at_once_and_not_with_the_next_renewal(
    filling: Filling, redis_url: str, realm: RealmProjection
) -> None:
    """With renewals every ten seconds, 20 changes would take minutes."""

    async def change_often() -> None:
        for turn in range(20):
            await _until_safe(filling, await filling.change(realm, client_of(realm, f"worker-{turn}")))

    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(running_node(redis_url, renewal_seconds=10))
        await in_time(change_often())


async def test_a_node_counts_how_often_it_forgot_everything(node: RunningNode, filling: Filling) -> None:
    before = await node.metric("keyturn_node_jumps_total")
    assert before > 0, "it joined"
    await filling.carry_over()

    async def counted() -> bool:
        return await node.metric("keyturn_node_jumps_total") == before + 1

    await eventually(counted)


async def test_a_node_that_wakes_from_a_freeze_refuses_until_it_has_heard_of_the_fleet(
    node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200
    node.clock.elapsed_ahead += 11
    answer = await node.token_by_secret("acme", "worker", SECRET)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"] == "temporarily_unavailable"
    await eventually(node.ready)
    assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200


async def test_without_redis_secrets_are_checked_for_a_lease_and_assertions_not_at_all(
    node: RunningNode, filling: Filling, realm: RealmProjection, redis_server: EmbeddedRedis
) -> None:
    key = SigningKey.generate()
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    await node.applied(await filling.change(realm, client_of(realm, "signer", key=key)))
    assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200
    assert (await node.token_by_assertion("acme", assertion(key, "signer", "acme"))).status_code == 200
    redis_server.kill()
    assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200
    refused = await node.token_by_assertion("acme", assertion(key, "signer", "acme"))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    unknown = await node.token_by_secret("acme", "never seen", SECRET)
    assert unknown.status_code == 503
    node.clock.elapsed_ahead += 10.5
    assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 503
    assert not await node.ready()


async def test_a_node_whose_operator_chose_availability_serves_stale_and_says_so(
    filling: Filling, redis_url: str, realm: RealmProjection, redis_server: EmbeddedRedis
) -> None:
    async with running_node(redis_url, serve_stale=True) as node:
        await node.applied(await filling.change(realm, client_of(realm, "worker", secret=SECRET)))
        assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200
        view = await filling.registry.view()
        assert [each.serves_stale for each in view.nodes] == [True]
        redis_server.kill()
        node.clock.elapsed_ahead += 11
        assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200
        assert await node.metric("keyturn_node_stale_answers_total") >= 1
        assert await node.ready()


async def test_an_emptied_redis_is_not_believed_and_a_new_epoch_is_joined(
    node: RunningNode, filling: Filling, realm: RealmProjection, redis: Redis
) -> None:
    client = client_of(realm, "worker", uuid="w", secret="old")
    await filling.change(realm, client)
    assert (await node.token_by_secret("acme", "worker", "old")).status_code == 200
    await redis.flushall()
    assert (await node.token_by_secret("acme", "nobody", "old")).status_code == 503
    changed = client_of(realm, "worker", uuid="w", secret="new")
    await filling.open(changed, fresh=False)

    async def knows_the_new_secret() -> bool:
        return (await node.token_by_secret("acme", "worker", "new")).status_code == 200

    await eventually(knows_the_new_secret)
    assert (await node.token_by_secret("acme", "worker", "old")).status_code == 401


async def test_a_filling_that_is_not_complete_makes_nobody_unknown(
    filling: Filling, redis_url: str, realm: RealmProjection
) -> None:
    await filling.open(fresh=False, complete=False)
    async with running_node(redis_url) as node:
        assert (await node.token_by_secret("acme", "nobody", SECRET)).status_code == 503
        assert await filling.channel.complete_epoch(filling.epoch)
        assert (await node.token_by_secret("acme", "nobody", SECRET)).status_code == 401


async def test_an_assertion_issued_before_replay_memory_was_lost_is_asked_for_anew(
    filling: Filling, redis: Redis, redis_url: str, realm: RealmProjection
) -> None:
    key = SigningKey.generate()
    await filling.change(realm, client_of(realm, "signer", key=key))
    await redis.flushall()
    await filling.open(fresh=False)
    async with running_node(redis_url) as node:
        answer = await node.token_by_assertion("acme", assertion(key, "signer", "acme"))
        without_iat = await node.token_by_assertion("acme", assertion(key, "signer", "acme", iat=None))
        later = assertion(key, "signer", "acme", iat=time.time() + 15.5)
        node.clock.ahead = 1
        after = await node.token_by_assertion("acme", later)
    assert (answer.status_code, without_iat.status_code) == (429, 429)
    assert answer.headers["retry-after"]
    assert after.status_code == 200


async def test_realm_keys_rotate_without_a_refused_request_or_token(
    filling: Filling, redis_url: str, realm: RealmProjection
) -> None:
    first, second = SigningKey.generate(), SigningKey.generate("ES384")
    states = [
        (projected_key(first), projected_key(second, "next")),
        (projected_key(first, "retiring"), projected_key(second)),
    ]
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(running_node(redis_url)) for _ in range(2)]
        await filling.change(realm, client_of(realm, "worker", secret=SECRET))
        tokens: list[str] = []
        for keys in [(projected_key(first),), *states]:
            await _until_safe(filling, await filling.rotate(realm_of("acme", signing_keys=keys)))
            for node in nodes:
                answer = await node.token_by_secret("acme", "worker", SECRET)
                tokens.append(answer.json()["access_token"])
        for node in nodes:
            checked = await node.http.post(
                "/realms/acme/verify",
                json={"tokens": tokens, "client_id": "worker", "client_secret": SECRET},
            )
            assert [each["active"] for each in checked.json()["results"]] == [True] * 6


async def test_a_node_that_stops_leaves_the_fleet(filling: Filling, redis_url: str) -> None:
    async with running_node(redis_url):
        assert len((await filling.registry.view()).nodes) == 1
    assert (await filling.registry.view()).nodes == ()


async def _until_safe(filling: Filling, sequence: int) -> None:
    async def safe() -> bool:
        summary = await filling.summary(sequence)
        return summary.safe and summary.fenced == 0

    await eventually(safe)
