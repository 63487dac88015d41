"""Cached states, read from a Redis that answers when the test lets it."""

import asyncio
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.reading import Loaded, ProjectionRead
from keyturn_shared.oauth.entities import AbsentState, ClientState, StateReader
from keyturn_shared.oauth.errors import UnavailableError
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, encode_projection, projection_value
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.cache import StateCache


@dataclass
class SlowRedis:
    """A reader that returns what is stored, once the test allows it; it counts its calls."""

    stored: dict[str, ProjectionRead] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    asked: list[tuple[str, Position]] = field(default_factory=list)
    broken: bool = False

    def put(self, name: str, secret: str) -> None:
        client = ClientProjection(uuid=secret, realm_id="r", client_id=name)
        value = projection_value(1, encode_projection(client))
        self.stored[f"client:r:{name}"] = ProjectionRead(Loaded.FOUND, 1, value)

    async def load(self, name: str, applied: Position) -> ProjectionRead:
        self.asked.append((name, applied))
        answer = self.stored.get(name, ProjectionRead(Loaded.ABSENT))
        if name in self.gates:
            await self.gates[name].wait()
        if self.broken:
            raise RedisUnavailableError("gone")
        return answer


@pytest.fixture
def redis() -> SlowRedis:
    return SlowRedis()


@pytest.fixture
def cache(redis: SlowRedis) -> StateCache:
    ring = FleetRing([b"k" * 32])
    return StateCache(
        redis,  # type: ignore[arg-type]  # the one method that is asked for
        lambda _field, value: value,
        StateReader(ring, "https://id.example.test"),
        lambda: Position(1, 7),
        NodeMetrics(CollectorRegistry()),
        capacity=30,
    )


def uuid_of(state: object) -> str:
    assert isinstance(state, ClientState)
    return state.projection.uuid


async def test_many_who_ask_at_once_share_one_read(redis: SlowRedis, cache: StateCache) -> None:
    redis.put("a", "one")
    states = await asyncio.gather(*(cache.get("client:r:a") for _ in range(50)))
    assert len({id(state) for state in states}) == 1
    assert redis.asked == [("client:r:a", Position(1, 7))]
    assert cache.cached("client:r:a") is states[0]


async def test_a_read_that_began_before_a_change_is_thrown_away_and_made_again(
    redis: SlowRedis, cache: StateCache
) -> None:
    redis.put("a", "old")
    gate = redis.gates["client:r:a"] = asyncio.Event()
    waiting = asyncio.create_task(cache.get("client:r:a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    redis.put("a", "new")
    cache.forget(["client:r:a"])
    gate.set()
    assert uuid_of(await waiting) == "new"
    assert len(redis.asked) == 2


async def test_forgetting_everything_overtakes_every_read_under_way(
    redis: SlowRedis, cache: StateCache
) -> None:
    redis.put("a", "old")
    gate = redis.gates["client:r:a"] = asyncio.Event()
    waiting = asyncio.create_task(cache.get("client:r:a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    redis.put("a", "new")
    cache.forget_all()
    gate.set()
    assert uuid_of(await waiting) == "new"


async def test_what_is_forgotten_is_marked_for_those_who_still_hold_it(
    redis: SlowRedis, cache: StateCache
) -> None:
    redis.put("a", "one")
    present, absent = await cache.get("client:r:a"), await cache.get("client:r:nobody")
    assert isinstance(absent, AbsentState)
    cache.forget(["client:r:a", "client:r:nobody", "client:r:never seen"])
    assert present.superseded
    assert absent.superseded
    assert cache.cached("client:r:a") is None
    again = await cache.get("client:r:a")
    cache.forget_all()
    assert again.superseded
    assert len(cache) == 0


async def test_what_is_pushed_out_is_marked_too_since_no_event_would_find_it(
    redis: SlowRedis, cache: StateCache
) -> None:
    for number in range(31):
        redis.put(str(number), str(number))
    first = await cache.get("client:r:0")
    second = await cache.get("client:r:1")
    for number in range(2, 30):
        await cache.get(f"client:r:{number}")
    assert cache.cached("client:r:0") is first  # used last, so not the next to be evicted
    await cache.get("client:r:30")
    assert (first.superseded, second.superseded, len(cache)) == (False, True, 30)


async def test_names_of_clients_that_are_not_there_take_little_room(cache: StateCache) -> None:
    states = [await cache.get(f"client:r:{number}") for number in range(10)]
    assert sum(not state.superseded for state in states) == 3
    assert len(cache) == 0


@pytest.mark.parametrize(
    "outcome", [Loaded.INCOMPLETE, Loaded.LOST, Loaded.OTHER_EPOCH, Loaded.UNTRUSTED, Loaded.BEHIND]
)
async def test_what_redis_cannot_say_for_certain_is_unavailable_and_not_kept(
    outcome: Loaded, redis: SlowRedis, cache: StateCache
) -> None:
    redis.stored["client:r:a"] = ProjectionRead(outcome)
    with pytest.raises(RedisUnavailableError):
        await cache.get("client:r:a")
    redis.put("a", "one")
    assert uuid_of(await cache.get("client:r:a")) == "one"


async def test_a_projection_that_cannot_be_read_is_unavailable(redis: SlowRedis, cache: StateCache) -> None:
    redis.stored["client:r:a"] = ProjectionRead(Loaded.FOUND, 1, b"1:{}")
    with pytest.raises(UnavailableError):
        await cache.get("client:r:a")


async def test_a_failure_reaches_all_who_wait_and_the_next_one_asks_again(
    redis: SlowRedis, cache: StateCache
) -> None:
    redis.broken = True
    outcomes = await asyncio.gather(*(cache.get("client:r:a") for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RedisUnavailableError] * 3
    redis.broken = False
    redis.put("a", "one")
    assert uuid_of(await cache.get("client:r:a")) == "one"


async def test_one_who_goes_away_does_not_end_the_read_for_the_others(
    redis: SlowRedis, cache: StateCache
) -> None:
    redis.put("a", "one")
    gate = redis.gates["client:r:a"] = asyncio.Event()
    first, second = (asyncio.create_task(cache.get("client:r:a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert uuid_of(await second) == "one"


async def test_a_field_that_changes_faster_than_it_is_read_is_given_up(
    redis: SlowRedis, cache: StateCache
) -> None:
    class Restless(SlowRedis):
        async def load(self, name: str, applied: Position) -> ProjectionRead:
            cache.forget([name])
            return await super().load(name, applied)

    restless = Restless()
    restless.put("a", "one")
    cache._reader = restless  # type: ignore[assignment]  # the one method that is asked for
    with pytest.raises(UnavailableError, match="faster"):
        await cache.get("client:r:a")


async def test_a_read_in_vain_asks_redis_and_keeps_nothing(redis: SlowRedis, cache: StateCache) -> None:
    redis.put("a", "one")
    await cache.read_and_discard("client:r:a")
    assert redis.asked == [("client:r:a", Position(1, 7))]
    assert cache.cached("client:r:a") is None


async def test_a_read_in_vain_fails_in_silence(redis: SlowRedis, cache: StateCache) -> None:
    redis.broken = True
    await cache.read_and_discard("client:r:a")
    assert len(redis.asked) == 1


class Signatures:
    """Records what it is asked to verify, and returns the signed value; ``forged`` has none."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.forged: set[str] = set()

    def __call__(self, field: str, value: bytes) -> bytes:
        self.asked.append((field, value))
        if field in self.forged:
            raise ForgedError("not signed")
        return value.removesuffix(b"signed")


def signed_cache(redis: SlowRedis, signatures: Signatures) -> StateCache:
    states = StateReader(FleetRing([b"k" * 32]), "https://id.example.test")
    metrics = NodeMetrics(CollectorRegistry())
    return StateCache(redis, signatures, states, lambda: Position(1, 7), metrics, capacity=30)  # type: ignore[arg-type]  # the one method that is asked for


async def test_what_redis_has_counts_only_as_it_was_signed(redis: SlowRedis) -> None:
    signatures = Signatures()
    redis.put("a", "one")
    value = redis.stored["client:r:a"].value + b"signed"
    redis.stored["client:r:a"] = ProjectionRead(Loaded.FOUND, 1, value)
    cache = signed_cache(redis, signatures)
    assert uuid_of(await cache.get("client:r:a")) == "one"
    assert isinstance(await cache.get("client:r:nobody"), AbsentState), "absence has no signature"
    assert signatures.asked == [("client:r:a", value)]


async def test_what_is_forged_is_said_to_be_so_and_not_kept(redis: SlowRedis) -> None:
    signatures = Signatures()
    redis.put("a", "one")
    signatures.forged = {"client:r:a"}
    cache = signed_cache(redis, signatures)
    for _ in range(2):
        with pytest.raises(ForgedError):
            await cache.get("client:r:a")
    assert len(cache) == 0
    signatures.forged = set()
    assert uuid_of(await cache.get("client:r:a")) == "one"


async def test_what_is_in_memory_is_not_read_again(redis: SlowRedis, cache: StateCache) -> None:
    redis.put("a", "one")
    for name in ("client:r:a", "client:r:nobody"):
        assert await cache.get(name) is await cache.get(name)
    assert [name for name, _ in redis.asked] == ["client:r:a", "client:r:nobody"]


async def test_names_that_are_not_there_have_a_tenth_of_the_room(redis: SlowRedis) -> None:
    states = StateReader(FleetRing([b"k" * 32]), "https://id.example.test")
    metrics = NodeMetrics(CollectorRegistry())
    cache = StateCache(redis, Signatures(), states, lambda: Position(1, 7), metrics, capacity=39)  # type: ignore[arg-type]  # the one method that is asked for
    absent = [await cache.get(f"client:r:{number}") for number in range(5)]
    assert [state.superseded for state in absent] == [True, True, False, False, False]


async def test_a_small_cache_has_room_for_one_name_that_is_not_there(redis: SlowRedis) -> None:
    states = StateReader(FleetRing([b"k" * 32]), "https://id.example.test")
    metrics = NodeMetrics(CollectorRegistry())
    cache = StateCache(redis, Signatures(), states, lambda: Position(1, 7), metrics, capacity=3)  # type: ignore[arg-type]  # the one method that is asked for
    first, second = await cache.get("client:r:x"), await cache.get("client:r:y")
    assert (first.superseded, second.superseded) == (True, False)
    assert cache.cached("client:r:y") is second


async def test_a_read_that_a_change_overtakes_again_and_again_is_made_five_times(
    redis: SlowRedis, cache: StateCache
) -> None:
    class Restless(SlowRedis):
        async def load(self, name: str, applied: Position) -> ProjectionRead:
            if len(self.asked) < 4:
                cache.forget([name])
            return await super().load(name, applied)

    restless = Restless()
    restless.put("a", "one")
    cache._reader = restless  # type: ignore[assignment]  # the one method that is asked for
    assert uuid_of(await cache.get("client:r:a")) == "one"
    assert len(restless.asked) == 5
