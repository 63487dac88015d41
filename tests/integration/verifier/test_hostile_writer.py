"""An attacker with full write access to Redis makes nothing true."""

import msgspec
from redis.asyncio import Redis

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.position import Position
from keyturn_shared.projection import (
    ClientProjection,
    Projection,
    RealmProjection,
    encode_projection,
    projection_value,
)
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner
from tests.testkit.filled_redis import Filling, client_of, field_of, projected_key, realm_of, signed
from tests.testkit.nodes import RunningNode, assertion, eventually, running_node
from tests.testkit.redis_reading import field_value
from tests.testkit.signed_log import LOG

LAYOUT = Layout()
OURS = SigningKey.generate("ES256")
HIS = SigningKey.generate("ES256")


async def put(redis: Redis, filling: Filling, field: str, value: bytes) -> None:
    await redis.hset(LAYOUT.projections(filling.epoch), field, value)


def unsigned(projection: Projection, sequence: int) -> bytes:
    return projection_value(sequence, encode_projection(projection))


async def status(node: RunningNode, realm: str, client_id: str, key: SigningKey) -> int:
    return (await node.token_by_assertion(realm, assertion(key, client_id, realm))).status_code


async def with_key(
    filling: Filling, realm: RealmProjection, client_id: str, key: SigningKey = OURS
) -> ClientProjection:
    client = client_of(realm, client_id, key=key)
    await filling.change(realm, client)
    return client


async def test_a_key_that_he_gives_a_client_is_not_accepted_and_others_go_on(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    client = await with_key(filling, realm, "victim")
    await with_key(filling, realm, "other")
    theirs = msgspec.structs.replace(client, jwks={"keys": [HIS.public_jwk]})
    strangers = LogSigner(LogSigningKeys([b"s" * 32]), LOG)
    field, later = field_of(client), filling.sequence + 1
    under_another_key = strangers.projection(field, later, encode_projection(theirs))
    ours_over_another = signed(client, later).replace(
        encode_projection(client)[:-1], encode_projection(theirs)[:-1]
    )
    async with running_node(redis_url) as node:
        for value in (
            unsigned(theirs, later),
            projection_value(later, under_another_key),
            projection_value(later, ours_over_another),
            b"9" * 5000 + b":{}",
            b"no sequence",
        ):
            await put(redis, filling, field, value)
            assert await status(node, realm.name, "victim", HIS) == 429
        assert await status(node, realm.name, "other", OURS) == 200
        assert await node.metric('keyturn_node_forged_total{kind="projection"}') >= 3


async def test_a_client_of_his_own_and_one_under_another_name_are_not_accepted(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    his = await with_key(filling, realm, "his-own", HIS)
    invented = client_of(realm, "invented", key=HIS)
    async with running_node(redis_url) as node:
        await put(redis, filling, field_of(invented), unsigned(invented, filling.sequence))
        assert await status(node, realm.name, "invented", HIS) == 429
        # Validly signed, but for another field, and at another sequence.
        moved = field_of(client_of(realm, "admin"))
        await put(redis, filling, moved, projection_value(filling.sequence, signed(his, filling.sequence)))
        assert await status(node, realm.name, "admin", HIS) == 429
        later = projection_value(filling.sequence + 9, signed(his, filling.sequence))
        await put(redis, filling, field_of(his), later)
        assert await status(node, realm.name, "his-own", HIS) == 429


async def test_a_signing_key_that_he_gives_a_realm_verifies_nothing(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    forged = msgspec.structs.replace(realm, signing_keys=(projected_key(SigningKey.generate()),))
    async with running_node(redis_url) as node:
        await put(redis, filling, field_of(realm), unsigned(forged, filling.sequence))
        answer = await node.http.get(f"/realms/{realm.name}/protocol/openid-connect/certs")
        assert answer.status_code == 429


async def test_what_was_true_before_a_change_is_not_believed_again(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    """The attacker restores a projection from before its key was revoked, and from before a client was
    deleted."""
    client = await with_key(filling, realm, "revoked")
    gone = await with_key(filling, realm, "gone")
    before = {
        field_of(each): await field_value(redis, LAYOUT.projections(filling.epoch), field_of(each))
        for each in (client, gone)
    }
    async with running_node(redis_url) as node:
        assert await status(node, realm.name, "revoked", OURS) == 200
        await filling.revoke_key(realm, client, OURS.kid)
        sequence = await filling.delete(realm, gone)

        async def applied() -> bool:
            return (await filling.summary(sequence)).safe

        await eventually(applied)
        for field, value in before.items():
            assert value is not None
            await put(redis, filling, field, value)
        assert await status(node, realm.name, "revoked", OURS) == 429
        assert await status(node, realm.name, "gone", OURS) == 429
        # Also after a new epoch of the same log.
        await filling.carry_over()

        async def in_the_new_epoch() -> bool:
            return await node.metric("keyturn_node_epoch") == filling.epoch and await node.ready()

        await eventually(in_the_new_epoch)
        assert await status(node, realm.name, "revoked", OURS) == 429


async def test_a_head_of_his_own_gives_no_lease(filling: Filling, redis: Redis, redis_url: str) -> None:
    """In an epoch that no relay opened, with forged projections, nodes stay where they are and are fenced."""
    stranger = realm_of("stranger")
    async with running_node(redis_url) as node:
        epoch = filling.epoch + 1
        await redis.hset(LAYOUT.projections(epoch), field_of(stranger), unsigned(stranger, 1))
        await redis.xadd(LAYOUT.events, {"__data__": "{}"}, id=Position(epoch, filling.sequence).stream_id)
        await redis.hset(LAYOUT.head, "epoch", epoch)

        async def counted() -> bool:
            return await node.metric('keyturn_node_forged_total{kind="head"}') >= 1

        await eventually(counted)
        assert await node.metric("keyturn_node_epoch") == filling.epoch
        node.clock.elapsed_ahead += 11.0
        assert not await node.ready()
        assert (await node.http.get("/health/ready")).json()["reasons"]["lease"] == "outdated"


async def test_a_lease_without_end_that_he_offers_ends_nevertheless(
    filling: Filling, redis: Redis, redis_url: str
) -> None:
    async with running_node(redis_url) as node:
        await redis.hset(LAYOUT.head, "lease_ms", 1 << 50)

        async def took_it() -> bool:
            return await node.metric("keyturn_node_lease_seconds") > 30

        await eventually(took_it)
        await redis.hset(LAYOUT.head, "vouched", "")  # no renewal any more
        node.clock.elapsed_ahead += 301.0
        assert not await node.ready()


async def test_a_head_without_its_event_is_not_passed_and_ends_the_lease(
    filling: Filling, realm: RealmProjection, redis: Redis, redis_url: str
) -> None:
    """A node that passed it would report the next change as applied, and never learn of it."""
    client = await with_key(filling, realm, "revoked")
    async with running_node(redis_url) as node:
        await node.applied(filling.sequence)
        await redis.hset(LAYOUT.head, "sequence", filling.sequence + 1)
        node.clock.elapsed_ahead += 11.0

        async def has_asked_again() -> bool:
            return await node.metric('keyturn_node_renewals_total{outcome="renewed"}') > renewed + 3

        renewed = await node.metric('keyturn_node_renewals_total{outcome="renewed"}')
        await eventually(has_asked_again)
        assert not await node.ready()
        assert await node.metric("keyturn_node_position") == filling.sequence
        await redis.hset(LAYOUT.head, "sequence", filling.sequence)
        await filling.revoke_key(realm, client, OURS.kid)
        await node.applied(filling.sequence)
        assert await status(node, realm.name, "revoked", OURS) == 401


async def test_he_cannot_make_the_database_look_fresher_than_it_is(
    filling: Filling, redis: Redis, redis_url: str
) -> None:
    """With a limit on staleness a node relies on the signed time."""
    async with (
        running_node(redis_url, max_staleness=3600.0) as node,
        running_node(redis_url, wait=False, max_staleness=0.001) as strict,
    ):
        await redis.hset(LAYOUT.head, "stamped_at", 1 << 52)
        assert await node.ready()
        assert not await strict.ready()


async def test_a_redis_filled_by_a_release_that_does_not_sign_is_waited_out(
    filling: Filling, redis: Redis, redis_url: str
) -> None:
    await redis.hdel(LAYOUT.head, "statement")
    async with running_node(redis_url, wait=False) as node:

        async def says_why() -> bool:
            reasons = (await node.http.get("/health/ready")).json()["reasons"]
            return bool(reasons["lease"] == "unsigned")

        await eventually(says_why)
