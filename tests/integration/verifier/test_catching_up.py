"""A member of the fleet without its subscription: it finds out by its renewals, and reads by itself."""

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.position import Position
from keyturn_shared.projection import RealmProjection, client_field
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.node.event_log import StreamReader
from keyturn_verifier.node.follower import Follower
from keyturn_verifier.node.lease import Lease, LeaseState
from keyturn_verifier.node.member import BEHIND_SECONDS, Member
from tests.integration.verifier.filling import Filling, client_of


class Forgotten:
    """Remembers what it was told to forget."""

    def __init__(self) -> None:
        self.fields: list[str] = []
        self.all = 0

    def forget(self, fields: tuple[str, ...]) -> None:
        self.fields += fields

    def forget_all(self) -> None:
        self.all += 1


class Deaf:
    """A member that hears nothing, on a clock that a test moves."""

    def __init__(self, redis: Redis, name: str = "deaf") -> None:
        self.time = 1000.0
        self.forgotten = Forgotten()
        self.lease = Lease(lambda: self.time)
        self.follower = Follower(self.forgotten, self.lease.advance)
        self.member = Member(
            MembershipChannel(RedisScripts(redis), name),
            StreamReader(redis),
            self.follower,
            self.lease,
            NodeMetrics(CollectorRegistry()),
            elapsed=lambda: self.time,
            details=lambda: "{}",
        )

    async def catch_up(self) -> None:
        """As many rounds as it takes to see that nothing comes, and to read."""
        for _ in range(3):
            await self.member.round()
            self.time += BEHIND_SECONDS


@pytest.fixture
def deaf(redis: Redis) -> Deaf:
    return Deaf(redis)


async def test_it_joins_at_the_head_and_gets_a_lease_with_its_first_round(
    filling: Filling, deaf: Deaf
) -> None:
    await deaf.member.round()
    assert deaf.follower.position == Position(filling.epoch, filling.sequence)
    assert deaf.lease.state is LeaseState.HELD


async def test_it_gets_no_further_lease_until_it_has_applied_what_redis_shows(
    filling: Filling, deaf: Deaf, realm: RealmProjection
) -> None:
    await deaf.member.round()
    sequence = await filling.change(realm, client_of(realm, "worker"))
    deaf.time += 9
    assert await deaf.member.round() == BEHIND_SECONDS
    deaf.time += 2
    assert deaf.lease.state is LeaseState.FENCED
    await deaf.catch_up()
    assert deaf.follower.position.sequence == sequence
    assert deaf.forgotten.fields == [client_field(realm.id, "worker")]
    assert deaf.lease.state is LeaseState.HELD
    assert (await filling.summary(sequence)).applied == 1


async def test_a_long_way_is_read_in_pages_and_in_order(
    filling: Filling, deaf: Deaf, realm: RealmProjection
) -> None:
    await deaf.member.round()
    for number in range(1100):
        await filling.change(realm, client_of(realm, f"worker-{number}", uuid="w"))
    await deaf.catch_up()
    assert deaf.follower.position.sequence == filling.sequence
    assert deaf.forgotten.fields == [client_field(realm.id, f"worker-{number}") for number in range(1100)]
    assert deaf.forgotten.all == 1  # when it joined


async def test_where_the_events_were_trimmed_everything_is_forgotten(
    filling: Filling, deaf: Deaf, realm: RealmProjection, redis: Redis
) -> None:
    await deaf.member.round()
    for number in range(10):
        await filling.change(realm, client_of(realm, f"worker-{number}"))
    await redis.xtrim("kt:{0}:events", maxlen=3, approximate=False)
    await deaf.catch_up()
    assert (deaf.follower.position.sequence, deaf.forgotten.all) == (filling.sequence, 2)
    await filling.change(realm, client_of(realm, "one more"))
    await redis.xtrim("kt:{0}:events", maxlen=0, approximate=False)
    await deaf.catch_up()
    assert (deaf.follower.position.sequence, deaf.forgotten.all) == (filling.sequence, 3)


async def test_a_head_behind_its_own_position_ends_its_lease_at_once(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await deaf.member.round()
    await redis.hset("kt:{0}:head", "sequence", filling.sequence - 1)
    await deaf.member.round()
    assert deaf.lease.state is LeaseState.FENCED
    await filling.open(fresh=False)
    await deaf.member.round()
    assert deaf.lease.state is LeaseState.HELD
    assert deaf.follower.position == Position(filling.epoch, filling.sequence)


async def test_a_redis_that_nobody_vouched_for_gives_no_lease(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await redis.hset("kt:{0}:head", "vouched", "another process")
    await deaf.member.round()
    assert deaf.lease.state is LeaseState.FENCED
    await filling.carry_over()
    await deaf.member.round()
    assert deaf.lease.state is LeaseState.HELD


async def test_an_event_that_cannot_be_read_makes_everything_be_forgotten(
    filling: Filling, deaf: Deaf, redis: Redis
) -> None:
    await deaf.member.round()
    at = Position(filling.epoch, filling.sequence + 1)
    await redis.xadd("kt:{0}:events", {"__data__": "not an event"}, id=at.stream_id)
    await redis.hset("kt:{0}:head", "sequence", at.sequence)
    await deaf.catch_up()
    assert (deaf.follower.position, deaf.forgotten.all) == (at, 2)
