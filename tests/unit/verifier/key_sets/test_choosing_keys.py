"""Choice of the keys tried for a token: cached ones if usable, else those of another fetch."""

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from keyturn_shared.jose.jwk import Thumbprint, VerificationKey
from keyturn_shared.jose.key_set import Candidates, KeySet
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.announcement import KeySetFetched
from keyturn_shared.key_sets.record import KeySetRecord, Required
from keyturn_shared.oauth.key_errors import UnknownKidError
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_verifier.key_sets.cache import KeySetCache
from keyturn_verifier.key_sets.lookup import KeySetLookup
from keyturn_verifier.key_sets.metrics import KeySetMetrics
from keyturn_verifier.key_sets.record_transitions import failed, with_keys
from tests.testkit.clocks import SetClock
from tests.unit.verifier.key_sets.builders import POLICY, URL, empty_record, make_attempt, make_key, make_set

REALM = RealmProjection(id="r", name="acme", jwks_allowed_networks=("10.0.0.0/8",), fetcher_keys=("public",))
CLIENT = ClientProjection(uuid="u", realm_id="r", client_id="c", authenticator="client-jwt", jwks_url=URL)
ADDRESS = KeySetAddress.of(URL, ["10.0.0.0/8"])


@dataclass
class Demands:
    """Notes what is waited for; answers with ``found``, or that the kid is unknown."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    found: Candidates | None = None
    announced_ids: list[str] = field(default_factory=list)

    async def wait(self, *asked: Any) -> Candidates:
        self.asked.append(asked)
        if self.found is None:
            raise UnknownKidError("not there")
        return self.found

    def announced(self, key_set_id: str) -> None:
        self.announced_ids.append(key_set_id)


@dataclass
class Channel:
    """The records in Redis; notes which sets it is told are in use."""

    records: dict[str, KeySetRecord] = field(default_factory=dict)
    read_ids: list[list[str]] = field(default_factory=list)
    touched: list[list[tuple[str, float]]] = field(default_factory=list)

    async def read(self, ids: Sequence[str]) -> list[KeySetRecord | None]:
        self.read_ids.append(list(ids))
        return [self.records.get(one) for one in ids]

    async def touch(self, uses: Sequence[tuple[str, float]]) -> None:
        self.touched.append(list(uses))


@dataclass
class Fetchers:
    """Notes whose keys it is to believe."""

    learned: list[tuple[str, ...]] = field(default_factory=list)

    def learn(self, named: tuple[str, ...]) -> None:
        self.learned.append(named)


class Scene:
    """A node at 7-100 that looks keys up at second 1000."""

    def __init__(self, **policy: Any) -> None:
        self.clock = SetClock(1_000.0)
        self.key_sets = KeySetCache(10)
        self.demands, self.channel, self.fetchers = Demands(), Channel(), Fetchers()
        self.position = Position(7, 100)
        self.lookup = KeySetLookup(
            cast("Any", self.channel),
            self.key_sets,
            cast("Any", self.demands),
            dataclasses.replace(POLICY, **policy),
            self.clock,
            KeySetMetrics(CollectorRegistry()),
            lambda: self.position,
            cast("Any", self.fetchers),
        )

    async def hold(self, keys: KeySet, at: float = 990.0, **attempt: Any) -> None:
        record = with_keys(empty_record(), make_attempt(at, **attempt), keys, {}, POLICY)
        await self.key_sets.admit(ADDRESS.id, record)

    async def find(
        self,
        kid: str | Thumbprint | None = "a",
        alg: str = "ES256",
        *,
        client: ClientProjection = CLIENT,
        realm: RealmProjection = REALM,
        excluded: frozenset[str] = frozenset(),
    ) -> Candidates:
        return await self.lookup.find(realm, client, kid, alg, excluded=excluded)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def names(keys: Iterable[VerificationKey]) -> list[str]:
    return [key.thumbprint for key in keys]


def revoking(*keys: VerificationKey) -> ClientProjection:
    return replace(CLIENT, revoked_thumbprints=frozenset(key.thumbprint for key in keys))


async def test_keys_that_are_fresh_are_used_without_asking_anybody(scene: Scene) -> None:
    keys = make_set("a", "b")
    await scene.hold(keys)
    assert names(await scene.find("a")) == names(keys.keys[:1])
    assert names(await scene.find(None)) == names(keys.keys)
    assert names(await scene.find(Thumbprint(keys.keys[1].thumbprint))) == names(keys.keys[1:])
    assert scene.demands.asked == []
    assert scene.fetchers.learned == [("public",)] * 3


async def test_keys_serve_on_while_their_url_fails(scene: Scene) -> None:
    keys = make_set("a")
    await scene.hold(keys)
    cached = scene.key_sets.get(ADDRESS.id)
    assert cached is not None
    failing = failed(cached.record, make_attempt(1_280.0), "timeout", "", POLICY)
    await scene.key_sets.admit(ADDRESS.id, failing)
    scene.clock.time = 1_291.0
    assert names(await scene.find("a")) == names(keys.keys)
    assert scene.demands.asked == []


async def test_for_keys_that_have_lapsed_or_are_not_there_another_fetch_is_waited_for(scene: Scene) -> None:
    scene.demands.found = Candidates(make_set("a").keys)
    assert await scene.find("a") == scene.demands.found
    await scene.hold(make_set("a"))
    scene.clock.time = 1_291.0
    assert await scene.find("a") == scene.demands.found
    expected: tuple[Any, ...] = (ADDRESS, Required(7, 0), "a", "ES256", frozenset())
    assert scene.demands.asked == [expected, expected]


async def test_for_a_kid_that_is_not_there_another_fetch_is_waited_for(scene: Scene) -> None:
    await scene.hold(make_set("b"))
    with pytest.raises(UnknownKidError, match="not there"):
        await scene.find("a")
    assert len(scene.demands.asked) == 1


@pytest.mark.parametrize("of_realm", [False, True], ids=["of the client", "of the realm"])
async def test_keys_from_before_a_clearing_are_not_used(scene: Scene, of_realm: bool) -> None:
    await scene.hold(make_set("a"), as_of=Position(7, 50))
    scene.demands.found = Candidates(make_set("a").keys)
    earlier, later = (40, 60) if of_realm else (60, 40)
    client, realm = replace(CLIENT, keys_not_before=earlier), replace(REALM, keys_not_before=later)
    assert await scene.find(client=client, realm=realm) == scene.demands.found
    assert scene.demands.asked[0][1] == Required(7, 60)


async def test_a_later_clearing_counts_as_soon_as_the_projection_says_so(scene: Scene) -> None:
    await scene.hold(make_set("a"), as_of=Position(7, 50))
    scene.demands.found = Candidates(make_set("a").keys)
    await scene.find(client=CLIENT)
    assert scene.demands.asked == []
    cleared_client, cleared_realm = replace(CLIENT, keys_not_before=60), replace(REALM, keys_not_before=70)
    await scene.find(client=CLIENT, realm=cleared_realm)
    await scene.find(client=cleared_client)
    assert [asked[1] for asked in scene.demands.asked] == [Required(7, 70), Required(7, 60)]


async def test_a_token_of_a_revoked_key_is_tried_with_another_fetch_and_then_with_that_key(
    scene: Scene,
) -> None:
    """The signature check refuses it: the client is told that its key was revoked, not that it is unknown."""
    keys = make_set("a")
    await scene.hold(keys)
    assert names(await scene.find(client=revoking(*keys.keys))) == names(keys.keys)
    assert scene.demands.asked[0][4] == {keys.keys[0].thumbprint}


async def test_a_revoked_key_that_is_not_held_any_more_is_unknown(scene: Scene) -> None:
    with pytest.raises(UnknownKidError):
        await scene.find(client=revoking(make_key("a")))
    await scene.hold(make_set("b"))
    with pytest.raises(UnknownKidError):
        await scene.find(client=revoking(make_key("a")))


async def test_another_key_under_the_kid_of_a_revoked_one_is_used(scene: Scene) -> None:
    keys = KeySet.of([make_key("a"), make_key("a")])
    await scene.hold(keys)
    assert names(await scene.find(client=revoking(keys.keys[0]))) == names(keys.keys)
    assert scene.demands.asked == []


async def test_keys_that_failed_already_are_worth_another_fetch(scene: Scene) -> None:
    keys = make_set("a")
    await scene.hold(keys)
    excluded = frozenset({keys.keys[0].thumbprint})
    with pytest.raises(UnknownKidError):
        await scene.find(excluded=excluded)
    revoked = revoking(make_key("z"))
    scene.demands.found = Candidates(make_set("a").keys)
    assert await scene.find(client=revoked, excluded=excluded) == scene.demands.found
    assert [asked[4] for asked in scene.demands.asked] == [excluded, excluded | revoked.revoked_thumbprints]


async def test_a_client_with_configured_keys_has_no_others(scene: Scene) -> None:
    keys = make_set("a", "b")
    client = replace(CLIENT, jwks_url=None, jwks=keys.public_jwks)
    assert names(await scene.find(client=client)) == names(keys.keys[:1])
    with pytest.raises(UnknownKidError):
        await scene.find("z", client=client)
    with pytest.raises(UnknownKidError):
        await scene.find(client=client, excluded=frozenset({keys.keys[0].thumbprint}))
    assert scene.demands.asked == []


@pytest.mark.parametrize("alg", ["HS256", "none", "XX256", ""])
async def test_a_jwk_set_has_no_keys_for_other_algorithms(scene: Scene, alg: str) -> None:
    await scene.hold(make_set("a"))
    with pytest.raises(UnknownKidError):
        await scene.find(alg=alg)
    assert scene.demands.asked == []


async def test_no_more_sources_are_kept_than_key_sets() -> None:
    scene = Scene(cached=2)
    clients = [replace(CLIENT, uuid=str(number), keys_not_before=number) for number in range(3)]
    scene.demands.found = Candidates(make_set("a").keys)
    for client in (*clients, *reversed(clients)):
        await scene.find(client=client)
        assert len(scene.lookup._sources) <= 2
    assert [asked[1].sequence for asked in scene.demands.asked] == [0, 1, 2, 2, 1, 0]


async def test_a_source_is_made_once_for_each_pair_of_projections(scene: Scene) -> None:
    made = scene.lookup._source(REALM, CLIENT)
    assert scene.lookup._source(REALM, CLIENT) is made
    assert scene.lookup._source(REALM, replace(CLIENT, scopes=("x",))) is not made


async def test_a_source_that_is_made_anew_takes_no_other_ones_place() -> None:
    scene = Scene(cached=2)
    one, other = replace(CLIENT, uuid="one"), replace(CLIENT, uuid="other")
    for client in (one, other, replace(other, scopes=("x",))):
        scene.lookup._source(REALM, client)
    assert list(scene.lookup._sources) == ["one", "other"]


async def test_its_loops_do_their_work(scene: Scene) -> None:
    await scene.hold(make_set("a"))
    for task in scene.lookup.tasks:
        await task.start()
    scene.lookup.announced(KeySetFetched(id=ADDRESS.id, generation=995_000))
    for _ in range(10):
        await asyncio.sleep(0)
    for task in scene.lookup.tasks:
        await task.stop()
    assert scene.channel.read_ids == [[ADDRESS.id]]
    assert [task.last_error for task in scene.lookup.tasks] == [None, None]


async def test_an_announced_set_that_is_held_is_read_anew(scene: Scene) -> None:
    await scene.hold(make_set("a"))
    newer = with_keys(empty_record(), make_attempt(995.0), make_set("b"), {}, POLICY)
    scene.channel.records[ADDRESS.id] = newer
    scene.lookup.announced(KeySetFetched(id=ADDRESS.id, generation=990_000))
    scene.lookup.announced(KeySetFetched(id="another", generation=995_000))
    assert scene.demands.announced_ids == [ADDRESS.id, "another"]
    assert scene.lookup._outdated == {}
    scene.lookup.announced(KeySetFetched(id=ADDRESS.id, generation=995_000))
    assert await scene.lookup._read_outdated() == 0.0
    assert scene.channel.read_ids == [[ADDRESS.id]]
    cached = scene.key_sets.get(ADDRESS.id)
    assert cached is not None
    assert cached.record == newer
    assert scene.demands.announced_ids == [ADDRESS.id, "another", ADDRESS.id, ADDRESS.id]
    assert not scene.lookup._news.is_set()


async def test_a_set_that_is_gone_or_not_held_any_more_is_left_alone(scene: Scene) -> None:
    await scene.hold(make_set("a"))
    scene.lookup.announced(KeySetFetched(id=ADDRESS.id, generation=995_000))
    await scene.lookup._read_outdated()
    cached = scene.key_sets.get(ADDRESS.id)
    assert cached is not None
    assert cached.record.generation == 990_000
    scene.lookup._outdated["gone"] = None
    scene.lookup._news.set()
    scene.channel.records["gone"] = cached.record
    await scene.lookup._read_outdated()
    assert "gone" not in scene.key_sets


async def test_many_announced_sets_are_read_in_batches(scene: Scene) -> None:
    scene.lookup._outdated = dict.fromkeys(map(str, range(70)))
    scene.lookup._news.set()
    await scene.lookup._read_outdated()
    assert [len(ids) for ids in scene.channel.read_ids] == [32, 32, 6]


async def test_redis_is_told_of_sets_in_use_four_times_until_they_are_idle(scene: Scene) -> None:
    await scene.hold(make_set("a"))
    times = {1_000.0: 1, 1_000.0 + POLICY.idle / 4 - 1: 1, 1_000.0 + POLICY.idle / 4: 2}
    for at, told in times.items():
        scene.clock.time = at
        cached = scene.key_sets.get(ADDRESS.id)
        assert cached is not None
        fresh = replace(cached.record, fresh_until=at + 10, stale_until=at + 20, generation=int(at * 1000))
        await scene.key_sets.admit(ADDRESS.id, replace(fresh, next_poll_at=at + 5))
        await scene.find()
        assert await scene.lookup._tell_uses() == 1.0
        assert len(scene.channel.touched) == told
    assert scene.channel.touched == [[(ADDRESS.id, 5.0)], [(ADDRESS.id, 5.0)]]


async def test_many_sets_in_use_are_told_of_in_batches(scene: Scene) -> None:
    scene.lookup._touched = {str(number): 1_010.0 for number in range(1_200)}
    await scene.lookup._tell_uses()
    assert [len(uses) for uses in scene.channel.touched] == [500, 500, 200]
    assert scene.lookup._touched == {}


def test_its_loops_have_names(scene: Scene) -> None:
    assert [task.name for task in scene.lookup.tasks] == ["key-sets-touch", "key-sets-read"]
