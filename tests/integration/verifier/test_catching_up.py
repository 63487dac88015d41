"""A node without its subscription learns of events by its renewals, and reads them itself."""

import pytest
from redis.asyncio import Redis

from keyturn_shared.position import Position
from keyturn_shared.projection import RealmProjection, client_field
from keyturn_verifier.replica.heartbeat import BEHIND_SECONDS
from keyturn_verifier.replica.lease import Lease, LeaseState
from tests.integration.verifier.deaf_member import Deaf
from tests.testkit.filled_redis import SIGNER, Filling, client_of


def state_of(lease: Lease) -> LeaseState:
    """By a call: a type checker takes a property for the same all the time."""
    return lease.state


@pytest.fixture
def deaf(redis: Redis) -> Deaf:
    return Deaf(redis)


async def test_it_joins_at_the_head_and_gets_a_lease_with_its_first_round(
    filling: Filling, deaf: Deaf
) -> None:
    await deaf.heartbeat.round()
    assert deaf.applier.position == Position(filling.epoch, filling.sequence)
    assert state_of(deaf.lease) is LeaseState.HELD


async def test_it_gets_no_further_lease_until_it_has_applied_what_redis_shows(
    filling: Filling, deaf: Deaf, realm: RealmProjection
) -> None:
    await deaf.heartbeat.round()
    sequence = await filling.change(realm, client_of(realm, "worker"))
    deaf.time += 9
    assert await deaf.heartbeat.round() == BEHIND_SECONDS
    deaf.time += 2
    assert state_of(deaf.lease) is LeaseState.FENCED
    await deaf.catch_up()
    assert deaf.applier.position.sequence == sequence
    assert deaf.forgotten.fields == [client_field(realm.id, "worker")]
    assert state_of(deaf.lease) is LeaseState.HELD
    assert (await filling.summary(sequence)).applied == 1


async def test_a_long_way_is_read_in_pages_and_in_order(
    filling: Filling, deaf: Deaf, realm: RealmProjection
) -> None:
    await deaf.heartbeat.round()
    for number in range(1100):
        await filling.change(realm, client_of(realm, f"worker-{number}", uuid="w"))
    await deaf.catch_up()
    assert deaf.applier.position.sequence == filling.sequence
    assert deaf.forgotten.fields == [client_field(realm.id, f"worker-{number}") for number in range(1100)]
    assert deaf.forgotten.all == 1  # when it joined


async def test_where_the_events_were_trimmed_everything_is_forgotten(
    filling: Filling, deaf: Deaf, realm: RealmProjection, redis: Redis
) -> None:
    await deaf.heartbeat.round()
    for number in range(10):
        await filling.change(realm, client_of(realm, f"worker-{number}"))
    await redis.xtrim("kt:{0}:events", maxlen=3, approximate=False)
    await deaf.catch_up()
    assert (deaf.applier.position.sequence, deaf.forgotten.all) == (filling.sequence, 2)


async def test_events_that_somebody_deleted_are_not_passed_before_a_later_one(
    filling: Filling, deaf: Deaf, realm: RealmProjection, redis: Redis
) -> None:
    await deaf.heartbeat.round()
    here = deaf.applier.position
    await filling.change(realm, client_of(realm, "worker"))
    await redis.xtrim("kt:{0}:events", maxlen=0, approximate=False)
    deaf.time += 9
    await deaf.catch_up()
    deaf.time += 2
    await deaf.catch_up()
    assert (deaf.applier.position, deaf.lease.state) == (here, LeaseState.FENCED)
    await filling.change(realm, client_of(realm, "one more"))
    await deaf.catch_up()
    assert (deaf.applier.position.sequence, deaf.forgotten.all) == (filling.sequence, 2)
    assert state_of(deaf.lease) is LeaseState.HELD


async def test_a_head_behind_its_own_position_ends_its_lease_at_once(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await deaf.heartbeat.round()
    await redis.hset("kt:{0}:head", "sequence", filling.sequence - 1)
    await deaf.heartbeat.round()
    assert state_of(deaf.lease) is LeaseState.FENCED
    await filling.open(fresh=False)
    await deaf.heartbeat.round()
    assert state_of(deaf.lease) is LeaseState.HELD
    assert deaf.applier.position == Position(filling.epoch, filling.sequence)


async def test_a_redis_that_nobody_vouched_for_gives_no_lease(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await redis.hset("kt:{0}:head", "vouched", "another process")
    await deaf.heartbeat.round()
    assert state_of(deaf.lease) is LeaseState.FENCED
    await filling.carry_over()
    await deaf.heartbeat.round()
    assert state_of(deaf.lease) is LeaseState.HELD


async def test_an_entry_that_nobody_signed_is_not_passed_and_ends_the_lease(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await deaf.heartbeat.round()
    here = deaf.applier.position
    at = Position(filling.epoch, filling.sequence + 1)
    await redis.xadd("kt:{0}:events", {"__data__": "not an event"}, id=at.stream_id)
    await redis.hset("kt:{0}:head", "sequence", at.sequence)
    deaf.time += 9
    await deaf.catch_up()
    deaf.time += 2
    await deaf.catch_up()
    assert (deaf.applier.position, deaf.lease.state) == (here, LeaseState.FENCED)


async def test_an_event_that_cannot_be_read_makes_everything_be_forgotten(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await deaf.heartbeat.round()
    at = Position(filling.epoch, filling.sequence + 1)
    event = SIGNER.event(at.sequence, b'{"of":"another age"}')
    await redis.xadd("kt:{0}:events", {"__data__": event}, id=at.stream_id)
    await redis.hset("kt:{0}:head", "sequence", at.sequence)
    await deaf.catch_up()
    assert (deaf.applier.position, deaf.forgotten.all) == (at, 2)
