"""Decisions hold at the moment they are made."""

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.fleet.membership import MembershipStatus, Renewal
from keyturn_shared.oauth.entities import AbsentState, ClientState, RealmState, State
from keyturn_shared.oauth.errors import (
    FencedError,
    UnavailableError,
    UnknownClientError,
    UnsettledError,
)
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_shared.realm_rings import FleetRing
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.lease import Lease
from keyturn_verifier.replica.replica import ReadSet, Replica

RING = FleetRing([b"k" * 32])


class Memory:
    """States by field, replaced by the test."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.read: list[str] = []
        self.in_vain: list[str] = []
        self.put_client("one")
        self.states["realm:main"] = RealmState(RealmProjection(id="r", name="main"), RING, "https://x")

    def put_client(self, uuid: str) -> None:
        former = self.states.get("client:r:a")
        if former is not None:
            former.superseded = True
        self.states["client:r:a"] = ClientState(ClientProjection(uuid=uuid, realm_id="r", client_id="a"))

    def cached(self, field: str) -> State | None:
        return self.states.get(field)

    async def get(self, field: str) -> State:
        self.read.append(field)
        return self.states.setdefault(field, AbsentState())

    async def read_and_discard(self, field: str) -> None:
        self.in_vain.append(field)


class Scene:
    """A node with a lease that a test can end."""

    def __init__(self, *, serve_stale: bool = False) -> None:
        self.now = 0.0
        self.memory = Memory()
        self.lease = Lease(lambda: self.now, serve_stale=serve_stale)
        self.lease.advance(Position(1, 1))
        renewal = Renewal(MembershipStatus.RENEWED, Position(1, 1), lease_seconds=10.0)
        self.lease.note(renewal, asked_at=0.0, reported=Position(1, 1))
        self.replica = Replica(self.memory, self.lease, NodeMetrics(CollectorRegistry()))  # type: ignore[arg-type]  # the methods that are asked for

    async def client(self, read_set: ReadSet) -> str:
        realm = await read_set.realm("main")
        assert realm is not None
        client = await read_set.client(realm, "a")
        assert client is not None
        return client.projection.uuid


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_decision_on_what_is_current_is_made_once(scene: Scene) -> None:
    assert await scene.replica.decide(scene.client) == "one"


async def test_a_decision_is_made_again_when_a_client_it_read_has_changed(scene: Scene) -> None:
    seen: list[str] = []

    async def decision(read_set: ReadSet) -> str:
        seen.append(await scene.client(read_set))
        if len(seen) == 1:
            scene.memory.put_client("two")
        return seen[-1]

    assert await scene.replica.decide(decision) == "two"
    assert seen == ["one", "two"]


async def test_a_refusal_is_made_again_too(scene: Scene) -> None:
    async def decision(read_set: ReadSet) -> str:
        uuid = await scene.client(read_set)
        if uuid == "one":
            scene.memory.put_client("two")
            raise UnknownClientError("by what was known then")
        return uuid

    assert await scene.replica.decide(decision) == "two"


async def test_a_decision_whose_reads_keep_changing_is_unavailable(scene: Scene) -> None:
    async def decision(read_set: ReadSet) -> str:
        uuid = await scene.client(read_set)
        scene.memory.put_client(uuid + "+")
        return uuid

    with pytest.raises(UnsettledError):
        await scene.replica.decide(decision)


async def test_a_lease_that_ends_while_deciding_ends_the_decision(scene: Scene) -> None:
    async def decision(read_set: ReadSet) -> str:
        uuid = await scene.client(read_set)
        scene.now = 10.0
        return uuid

    with pytest.raises(FencedError):
        await scene.replica.decide(decision)


async def test_without_a_lease_not_even_a_refusal_is_given(scene: Scene) -> None:
    async def decision(read_set: ReadSet) -> str:
        await scene.client(read_set)
        scene.now = 10.0
        raise UnknownClientError("a")

    with pytest.raises(FencedError):
        await scene.replica.decide(decision)


async def test_what_cannot_be_decided_is_not_tried_again(scene: Scene) -> None:
    calls = 0

    async def decision(read_set: ReadSet) -> str:
        nonlocal calls
        calls += 1
        raise UnavailableError("away")

    with pytest.raises(UnavailableError, match="away"):
        await scene.replica.decide(decision)
    assert calls == 1


async def test_serving_stale_still_looks_again_at_what_changed() -> None:
    scene = Scene(serve_stale=True)
    scene.now = 100.0
    seen: list[str] = []

    async def decision(read_set: ReadSet) -> str:
        seen.append(await scene.client(read_set))
        if len(seen) == 1:
            scene.memory.put_client("two")
        return seen[-1]

    assert await scene.replica.decide(decision) == "two"


async def test_a_name_that_is_not_there_is_part_of_the_read_set(scene: Scene) -> None:
    absent = scene.memory.states["client:r:newcomer"] = AbsentState()

    async def decision(read_set: ReadSet) -> str:
        realm = await read_set.realm("main")
        assert realm is not None
        client = await read_set.client(realm, "newcomer")
        if client is not None:
            return client.projection.uuid
        absent.superseded = True
        newcomer = ClientProjection(uuid="new", realm_id="r", client_id="newcomer")
        scene.memory.states["client:r:newcomer"] = ClientState(newcomer)
        raise UnknownClientError("newcomer")

    assert await scene.replica.decide(decision) == "new"


async def test_a_refusal_takes_one_read_whether_the_client_was_in_memory_or_not() -> None:
    memory = Memory()
    for client_id in ("a", "nobody", "nobody"):
        read_set = ReadSet(memory)  # type: ignore[arg-type]  # the methods that are asked for
        realm = await read_set.realm("main")
        assert realm is not None
        await read_set.client(realm, client_id)
        await read_set.equalize_time(realm, client_id)
    assert memory.read == ["client:r:nobody"]
    assert memory.in_vain == ["client:r:a", "client:r:nobody"]


async def test_a_name_that_nobody_can_have_is_neither_looked_up_nor_kept() -> None:
    """Anyone can ask for very many of them, and each may be as long as a request."""
    scene = Scene()

    async def decision(read_set: ReadSet) -> tuple[object, object]:
        realm = await read_set.realm("main")
        assert realm is not None
        return await read_set.realm("m" * 256), await read_set.client(realm, "a" * 256)

    before = set(scene.memory.states)
    assert await scene.replica.decide(decision) == (None, None)
    assert scene.memory.read == []
    assert set(scene.memory.states) == before


async def test_a_refusal_on_what_is_current_is_given_as_it_is(scene: Scene) -> None:
    calls: list[str] = []

    async def decision(read_set: ReadSet) -> str:
        calls.append(await scene.client(read_set))
        raise UnknownClientError("by what is known now")

    with pytest.raises(UnknownClientError, match="by what is known now"):
        await scene.replica.decide(decision)
    assert calls == ["one"]


async def test_the_longest_names_are_looked_up(scene: Scene) -> None:
    longest = "n" * 255
    client = ClientProjection(uuid="long", realm_id="r", client_id=longest)
    scene.memory.states[f"client:r:{longest}"] = ClientState(client)
    scene.memory.states[f"realm:{longest}"] = RealmState(
        RealmProjection(id="r", name=longest), RING, "https://x"
    )
    read_set = ReadSet(scene.memory)  # type: ignore[arg-type]  # the methods that are asked for
    realm = await read_set.realm(longest)
    assert realm is not None
    found = await read_set.client(realm, longest)
    assert found is not None
    assert found.projection.uuid == "long"


async def test_a_realm_or_client_that_is_certainly_absent_is_none(scene: Scene) -> None:
    read_set = ReadSet(scene.memory)  # type: ignore[arg-type]  # the methods that are asked for
    assert await read_set.realm("nowhere") is None
    realm = await read_set.realm("main")
    assert realm is not None
    assert await read_set.client(realm, "nobody") is None


async def test_it_decides_four_times_at_most_on_a_basis_that_keeps_changing(scene: Scene) -> None:
    calls: list[str] = []

    async def decision(read_set: ReadSet) -> str:
        calls.append(await scene.client(read_set))
        if len(calls) < 4:
            scene.memory.put_client(f"{len(calls)} times")
        return calls[-1]

    assert await scene.replica.decide(decision) == "3 times"
    assert len(calls) == 4
