"""Decisions hold at the moment they are made."""

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.fleet.membership import Renewal, Standing
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from keyturn_shared.sealing import KeyRing
from keyturn_verifier.errors import (
    FencedError,
    UnavailableError,
    UnknownClientError,
    UnsettledError,
)
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.node.lease import Lease
from keyturn_verifier.node.node import Basis, Node
from keyturn_verifier.node.states import AbsentState, ClientState, RealmState, State

RING = KeyRing([b"k" * 32], purpose="fleet")


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

    async def read_in_vain(self, field: str) -> None:
        self.in_vain.append(field)


class Scene:
    """A node with a lease that a test can end."""

    def __init__(self, *, serve_stale: bool = False) -> None:
        self.now = 0.0
        self.memory = Memory()
        self.lease = Lease(lambda: self.now, serve_stale=serve_stale)
        self.lease.advance(Position(1, 1))
        renewal = Renewal(Standing.RENEWED, Position(1, 1), lease_seconds=10.0)
        self.lease.note(renewal, asked_at=0.0, reported=Position(1, 1))
        self.node = Node(self.memory, self.lease, NodeMetrics(CollectorRegistry()))  # type: ignore[arg-type]

    async def client(self, basis: Basis) -> str:
        realm = await basis.realm("main")
        assert realm is not None
        client = await basis.client(realm, "a")
        assert client is not None
        return client.projection.uuid


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_decision_on_what_is_current_is_made_once(scene: Scene) -> None:
    assert await scene.node.decide(scene.client) == "one"


async def test_a_decision_is_made_again_when_its_basis_changed_meanwhile(scene: Scene) -> None:
    seen: list[str] = []

    async def decision(basis: Basis) -> str:
        seen.append(await scene.client(basis))
        if len(seen) == 1:
            scene.memory.put_client("two")
        return seen[-1]

    assert await scene.node.decide(decision) == "two"
    assert seen == ["one", "two"]


async def test_a_refusal_is_made_again_too(scene: Scene) -> None:
    async def decision(basis: Basis) -> str:
        uuid = await scene.client(basis)
        if uuid == "one":
            scene.memory.put_client("two")
            raise UnknownClientError("by what was known then")
        return uuid

    assert await scene.node.decide(decision) == "two"


async def test_a_basis_that_never_settles_is_unavailable(scene: Scene) -> None:
    async def decision(basis: Basis) -> str:
        uuid = await scene.client(basis)
        scene.memory.put_client(uuid + "+")
        return uuid

    with pytest.raises(UnsettledError):
        await scene.node.decide(decision)


async def test_a_lease_that_ends_while_deciding_ends_the_decision(scene: Scene) -> None:
    async def decision(basis: Basis) -> str:
        uuid = await scene.client(basis)
        scene.now = 10.0
        return uuid

    with pytest.raises(FencedError):
        await scene.node.decide(decision)


async def test_without_a_lease_not_even_a_refusal_is_given(scene: Scene) -> None:
    async def decision(basis: Basis) -> str:
        await scene.client(basis)
        scene.now = 10.0
        raise UnknownClientError("a")

    with pytest.raises(FencedError):
        await scene.node.decide(decision)


async def test_what_cannot_be_decided_is_not_tried_again(scene: Scene) -> None:
    calls = 0

    async def decision(basis: Basis) -> str:
        nonlocal calls
        calls += 1
        raise UnavailableError("away")

    with pytest.raises(UnavailableError, match="away"):
        await scene.node.decide(decision)
    assert calls == 1


async def test_serving_stale_still_looks_again_at_what_changed() -> None:
    scene = Scene(serve_stale=True)
    scene.now = 100.0
    seen: list[str] = []

    async def decision(basis: Basis) -> str:
        seen.append(await scene.client(basis))
        if len(seen) == 1:
            scene.memory.put_client("two")
        return seen[-1]

    assert await scene.node.decide(decision) == "two"


async def test_a_name_that_is_not_there_is_part_of_the_basis(scene: Scene) -> None:
    absent = scene.memory.states["client:r:newcomer"] = AbsentState()

    async def decision(basis: Basis) -> str:
        realm = await basis.realm("main")
        assert realm is not None
        client = await basis.client(realm, "newcomer")
        if client is not None:
            return client.projection.uuid
        absent.superseded = True
        newcomer = ClientProjection(uuid="new", realm_id="r", client_id="newcomer")
        scene.memory.states["client:r:newcomer"] = ClientState(newcomer)
        raise UnknownClientError("newcomer")

    assert await scene.node.decide(decision) == "new"


async def test_a_refusal_takes_one_read_whether_the_client_was_in_memory_or_not() -> None:
    memory = Memory()
    for client_id in ("a", "nobody", "nobody"):
        basis = Basis(memory)  # type: ignore[arg-type] # the methods that are asked for
        realm = await basis.realm("main")
        assert realm is not None
        await basis.client(realm, client_id)
        await basis.even_out(realm, client_id)
    assert memory.read == ["client:r:nobody"]
    assert memory.in_vain == ["client:r:a", "client:r:nobody"]


async def test_a_name_that_nobody_can_have_is_neither_looked_up_nor_kept() -> None:
    """Anybody can ask for very many of them, and each may be as long as a request."""
    scene = Scene()

    async def decision(basis: Basis) -> tuple[object, object]:
        realm = await basis.realm("main")
        assert realm is not None
        return await basis.realm("m" * 256), await basis.client(realm, "a" * 256)

    before = set(scene.memory.states)
    assert await scene.node.decide(decision) == (None, None)
    assert scene.memory.read == []
    assert set(scene.memory.states) == before
