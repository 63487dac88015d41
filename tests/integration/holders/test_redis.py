"""An attacker reads or writes Redis, without any of keyturn's keys."""

import asyncio
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count, islice
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, OutOfMemoryError, ResponseError

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_credentials.console.sessions import SessionSealer
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import RealmProjection
from keyturn_shared.sealing import KeyRing, SealError
from tests.testkit.admin_api import ADMIN_SECRET
from tests.testkit.administrators import SECRET, WORKERS, Scene, by_basic
from tests.testkit.filled_redis import Filling, client_of, field_of
from tests.testkit.nodes import assertion, eventually, running_node
from tests.testkit.redis_contents import everything_in
from tests.testkit.redis_reading import execute
from tests.testkit.tcp_proxy import tcp_proxy

LAYOUT = Layout()
OURS = SigningKey.generate("ES256")


async def test_nothing_that_is_read_in_redis_is_a_secret_or_opens_without_the_fleet_keys(
    scene: Scene,
) -> None:
    await scene.make("signs", "client-secret-jwt", secret="a secret that signs, and is sealed")
    text = await everything_in(scene.redis)
    for secret in (SECRET, WORKERS, ADMIN_SECRET, "a secret that signs, and is sealed"):
        assert secret not in text
    assert '"d":' not in text.replace(" ", "")
    stranger = KeyRing.from_text(KeyRing.generate_key(), purpose="fleet")
    found = set(re.findall(r"\b1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{40,}", text))
    assert len(found) >= 3
    for value in found:
        with pytest.raises(SealError):
            stranger.open(value, "client-secret")
        # Nor can anything found there be used as the secret itself.
        refused = await scene.token_from_node("acme", {}, by_basic("worker", value))
        assert refused.status_code in (401, 429)


async def test_a_user_that_only_reads_changes_nothing(scene: Scene) -> None:
    redis = scene.redis
    await execute(redis, "ACL", "SETUSER", "reader", "on", ">reads", "~*", "+@read", "+select")
    try:
        at = redis.connection_pool.connection_kwargs
        reader = Redis(host=at["host"], port=at["port"], username="reader", password="reads")
        assert await reader.hgetall(LAYOUT.head)
        for call in (
            ("HSET", LAYOUT.head, "epoch", "9"),
            ("HDEL", LAYOUT.nodes, "a"),
            ("XADD", LAYOUT.events, "*", "a", "b"),
            ("DEL", LAYOUT.head),
            ("SET", LAYOUT.assertion("u", "1"), "1"),
            ("INCRBY", LAYOUT.failures("address 192.0.2.1"), "1"),
            ("PUBLISH", LAYOUT.wake, "1"),
            ("EVAL", "return 1", "0"),
            ("FLUSHALL",),
        ):
            with pytest.raises(NoPermissionError):
                await execute(reader, *call)
        await reader.aclose()
    finally:
        await execute(redis, "ACL", "DELUSER", "reader")
    assert (await scene.token_from_node("acme", {}, by_basic("worker", WORKERS))).status_code == 200


async def test_who_puts_back_what_was_revoked_is_believed_by_nodes_that_join_later_alone(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    client = client_of(realm, "revoked", key=OURS)
    await filling.change(realm, client)
    field, projections = field_of(client), LAYOUT.projections(filling.epoch)
    before = await redis.hget(projections, field)
    assert before is not None
    async with running_node(redis_url, node_id="present") as present:
        await filling.revoke_key(realm, client, OURS.kid)
        await present.applied(filling.sequence)
        await redis.hset(projections, field, before)
        async with running_node(redis_url, node_id="later") as later:
            statuses = [
                (
                    await node.token_by_assertion(realm.name, assertion(OURS, "revoked", realm.name))
                ).status_code
                for node in (present, later)
            ]
    assert statuses == [429, 200]


async def test_who_withholds_a_change_until_the_next_one_undoes_it_at_nodes_that_pass_the_gap(
    filling: Filling, realm: RealmProjection, redis_server: EmbeddedRedis, redis: Redis
) -> None:
    """Until the next change the node has no lease: it passes no head whose event it has not read."""
    client = client_of(realm, "revoked", key=OURS)
    await filling.change(realm, client)
    field, projections = field_of(client), LAYOUT.projections(filling.epoch)
    before = await redis.hget(projections, field)
    assert before is not None
    async with tcp_proxy(redis_server.port) as way:
        url = redis_server.url.replace(str(redis_server.port), str(way.port))
        async with running_node(url) as node:
            await node.applied(filling.sequence)
            position = filling.sequence
            way.fall_silent()
            withheld = await filling.revoke_key(realm, client, OURS.kid)
            await redis.xdel(LAYOUT.events, f"{filling.epoch}-{withheld}")
            await redis.hset(projections, field, before)
            node.clock.elapsed_ahead += 11.0
            way.restore()
            renewed = 'keyturn_node_renewals_total{outcome="renewed"}'
            so_far = await node.metric(renewed)

            async def asks_again() -> bool:
                return await node.metric(renewed) > so_far + 3

            await eventually(asks_again, 60.0)
            assert not await node.ready()
            assert await node.metric("keyturn_node_position") == position

            await filling.change(realm, client_of(realm, "another"))
            await eventually(node.ready, 60.0)
            answer = await node.token_by_assertion(realm.name, assertion(OURS, "revoked", realm.name))
            assert answer.status_code == 200


async def test_a_node_record_that_somebody_deletes_ends_a_wait_before_the_node_has_applied_the_change(
    filling: Filling, realm: RealmProjection, redis_server: EmbeddedRedis, redis: Redis
) -> None:
    """Every node and resource server may write nodes' records. The node is fenced when its lease expires."""
    client = client_of(realm, "revoked", key=OURS)
    await filling.change(realm, client)
    async with tcp_proxy(redis_server.port) as way:
        url = redis_server.url.replace(str(redis_server.port), str(way.port))
        async with running_node(url, node_id="slow") as slow:
            way.fall_silent()
            sequence = await filling.revoke_key(realm, client, OURS.kid)
            (pending,) = (await filling.summary(sequence)).pending
            assert pending.startswith("slow.")
            await redis.hdel(LAYOUT.nodes, pending)
            assert (await filling.summary(sequence)).safe
            slow.clock.elapsed_ahead += 11.0
            assert not await slow.ready()
            way.restore()

            async def is_back() -> bool:
                return await slow.metric("keyturn_node_position") >= sequence

            await eventually(is_back, 60.0)


async def test_a_record_of_a_node_that_never_was_keeps_waits_from_ending(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    """Every node and resource server may write it. The change takes effect nevertheless."""
    client = client_of(realm, "revoked", key=OURS)
    await filling.change(realm, client)
    async with running_node(redis_url) as node:
        seconds, _ = await redis.time()
        far = (int(seconds) + 3600) * 1000
        await redis.hset(LAYOUT.nodes, "ghost", f"{far}|{far}|3600000|{filling.epoch}|0|{{}}")
        sequence = await filling.revoke_key(realm, client, OURS.kid)
        await node.applied(sequence)
        assert "ghost" in (await filling.summary(sequence)).pending
        refused = await node.token_by_assertion(realm.name, assertion(OURS, "revoked", realm.name))
        assert refused.status_code == 401


async def test_an_assertion_whose_mark_somebody_deletes_is_used_again_while_it_lasts(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    await filling.change(realm, client_of(realm, "signer", key=OURS))
    signed = assertion(OURS, "signer", realm.name)
    async with running_node(redis_url) as node:
        assert (await node.token_by_assertion(realm.name, signed)).status_code == 200
        assert (await node.token_by_assertion(realm.name, signed)).status_code == 401
        marks = [key async for key in redis.scan_iter(f"{LAYOUT.prefix}jti:*")]
        await redis.delete(*marks)
        again = await node.token_by_assertion(realm.name, signed)
        assert again.status_code == 200


async def test_redis_has_events_and_nothing_of_the_audit_log(scene: Scene) -> None:
    before = (await scene.api.call("GET", "/acme/audit")).json()
    text = await everything_in(scene.redis)
    assert '"client_created"' in text
    assert "remote_address" not in text
    await scene.redis.flushall()
    assert before
    assert (await scene.api.call("GET", "/acme/audit")).json() == before


async def test_a_resource_servers_user_may_fill_redis_until_nobody_can_write(
    redis: Redis, redis_server: EmbeddedRedis
) -> None:
    """Redis has no quota per user: marks of used assertions may have any number, length and lifetime."""
    used = int((await redis.info("memory"))["used_memory"])
    numbers = count()
    async with as_resource_server(redis, redis_server) as own:

        async def nobody_can_write() -> bool:
            """Again and again: connections that end give memory back."""
            for size in (500_000, 50_000, 5_000, 500):
                with suppress(OutOfMemoryError):
                    for number in islice(numbers, 10_000):
                        await own.set(LAYOUT.assertion(f"of {size}", str(number)), "x" * size)
            try:
                await redis.hset(LAYOUT.head, "sequence", 1)
            except OutOfMemoryError:
                return True
            return False

        await redis.config_set("maxmemory", used + 4_000_000)
        try:
            await eventually(nobody_can_write, 60.0)
        finally:
            await redis.config_set("maxmemory", 0)


async def test_a_resource_servers_user_may_stop_redis_with_a_script_that_does_not_end(
    redis: Redis, redis_server: EmbeddedRedis
) -> None:
    """Redis serves nobody meanwhile, until somebody kills the script."""
    async with as_resource_server(redis, redis_server) as own:
        await redis.config_set("busy-reply-threshold", 1)
        endless = await own.script_load("while true do end")
        running = asyncio.create_task(execute(own, "EVALSHA", endless, "1", LAYOUT.nodes))

        async def is_stopped() -> bool:
            try:
                await redis.get("kt:any")
            except ResponseError as error:
                return "BUSY" in str(error) or "busy" in str(error)
            return False

        try:
            await eventually(is_stopped)
        finally:
            await execute(redis, "SCRIPT", "KILL")
            with pytest.raises(ResponseError):
                await running
            await redis.config_set("busy-reply-threshold", 5000)


@asynccontextmanager
async def as_resource_server(redis: Redis, redis_server: EmbeddedRedis) -> AsyncIterator[Redis]:
    """Connect as the user of ``users.acl``."""
    users = Path(__file__).parents[3] / "deploy" / "redis" / "users.acl"
    (line,) = (
        line for line in users.read_text().splitlines() if line.startswith("user keyturn-resource-server ")
    )
    rules = shlex.split(line.replace(">change-me", ">known"))[1:]
    # A rule in parentheses is a selector.
    words = re.findall(r"\([^)]*\)|\S+", " ".join(rules))
    await execute(redis, "ACL", "SETUSER", *words)
    own = Redis(port=redis_server.port, username="keyturn-resource-server", password="known")
    try:
        yield own
    finally:
        await execute(redis, "ACL", "DELUSER", "keyturn-resource-server")
        await own.aclose()


async def test_a_console_session_that_was_signed_out_is_good_again_once_its_mark_is_deleted(
    scene: Scene,
) -> None:
    """For a holder of its cookie, which is not in Redis, until it expires: half an hour."""
    http, credentials = scene.api.http, {"realm": "acme", "client_id": "by-secret", "client_secret": SECRET}
    answer = await http.post("/console/session", json=credentials)
    cookie, csrf = answer.cookies["keyturn_session"], answer.json()["csrf"]
    text = await everything_in(scene.redis)
    assert cookie not in text
    http.cookies.set("keyturn_session", cookie)

    async def status() -> int:
        return (await http.get("/admin/realms/acme/clients")).status_code

    assert await status() == 200
    assert (await http.delete("/console/session", headers={"X-Csrf-Token": csrf})).status_code == 204
    http.cookies.set("keyturn_session", cookie)
    assert await status() == 401
    marks = [key async for key in scene.redis.scan_iter(f"{LAYOUT.prefix}console-*")]
    await scene.redis.delete(*marks)
    assert await status() == 200


async def test_a_one_time_link_is_good_again_once_its_mark_is_deleted(scene: Scene) -> None:
    """For a holder of the link, within its five minutes."""
    settings, http = scene.api.settings, scene.api.http
    ticket = SessionSealer(settings.encryption_ring(), SystemClock()).issue_ticket("acme", "by-secret")

    async def sign_in() -> int:
        return (await http.post("/console/session", json={"ticket": ticket})).status_code

    assert (await sign_in(), await sign_in()) == (200, 401)
    marks = [key async for key in scene.redis.scan_iter(f"{LAYOUT.prefix}console-*")]
    await scene.redis.delete(*marks)
    assert await sign_in() == 200
