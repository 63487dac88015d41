"""The relay's record of nodes that may have accepted an assertion, for when Redis loses its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from keyturn_credentials.relay.claimants import KEEP_SECONDS, ClaimantKeeper
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.claimants import Claimants, ClaimantsView, NotKept, Order
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import NodeRecord
from keyturn_shared.fleet.relay_channel import ALONE_SECONDS, RelayChannel
from keyturn_shared.position import Position
from tests.testkit.clocks import SetClock

NOW = 1_000_000
HEAD = Head.from_hash({"epoch": "7", "vouched": "run", "lease_ms": "10000", "margin_ms": "1000"}, "run")
assert HEAD is not None


class Channel(RelayChannel):
    """A Redis with these live nodes, where ``awaited`` are claimants. It obeys, unless it has an ``outcome``
    of its own, or its answer is lost."""

    def __init__(self, *alive: str, awaited: Mapping[str, bool] | None = None) -> None:
        self.alive = list(alive)
        self.awaited = dict(awaited or {})
        self.head: Head | None = HEAD
        self.outcome: NotKept | Exception | None = None
        self.kept: list[tuple[str, list[tuple[Order, str]]]] = []

    async def read_claimants(self) -> ClaimantsView:
        nodes = tuple(NodeRecord(name, NOW + 1, NOW, 11_000, Position(7, 1)) for name in self.alive)
        return ClaimantsView(NOW, "run", self.head, dict(self.awaited), nodes)

    async def keep_claimants(
        self, view: ClaimantsView, keeper: str, orders: Sequence[tuple[Order, str]]
    ) -> Claimants | NotKept:
        assert view == await self.read_claimants(), "what the orders rest on"
        self.kept.append((keeper, list(orders)))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            return self.outcome
        for order, node in orders:
            if order is Order.FORGET:
                del self.awaited[node]
            else:
                self.awaited[node] = False
        return Claimants(frozenset(self.awaited), 42)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def keeper_of(channel: Channel, clock: SetClock) -> ClaimantKeeper:
    return ClaimantKeeper(channel, "relay-1", clock.elapsed)


async def test_nothing_is_known_before_the_first_look(clock: SetClock) -> None:
    channel = Channel("a", "b")
    keeper = keeper_of(channel, clock)
    assert keeper.known is None
    assert await keeper.keep()
    assert channel.kept == [("relay-1", [(Order.ADMIT, "a"), (Order.ADMIT, "b")])]
    assert keeper.known == Claimants(frozenset({"a", "b"}), 42)


async def test_a_node_is_known_before_redis_lets_it_claim(clock: SetClock) -> None:
    """The answer may be lost, and Redis after it: then nothing else knows of the node."""
    channel = Channel("a")
    keeper = keeper_of(channel, clock)
    await keeper.keep()
    channel.alive.append("b")
    channel.outcome = RedisUnavailableError("the answer is lost")
    with pytest.raises(RedisUnavailableError):
        await keeper.keep()
    assert keeper.known == Claimants(frozenset({"a", "b"}), 42)


async def test_a_node_whose_admission_may_have_come_late_is_known_until_that_has_run_out(
    clock: SetClock,
) -> None:
    channel = Channel("a")
    keeper = keeper_of(channel, clock)
    await keeper.keep()
    channel.alive = ["a", "b"]
    channel.outcome = RedisUnavailableError("the answer is lost")
    with pytest.raises(RedisUnavailableError):
        await keeper.keep()
    channel.alive, channel.outcome = ["a"], None
    clock.time += 5 * ALONE_SECONDS - 0.001
    await keeper.keep()
    assert keeper.known == Claimants(frozenset({"a", "b"}), 42)
    clock.time += 0.001
    await keeper.keep()
    assert keeper.known == Claimants(frozenset({"a"}), 42)


@pytest.mark.parametrize("head", [None, replace(HEAD, trusted=False)])
async def test_in_a_redis_that_is_not_trusted_what_was_known_stays_true(
    clock: SetClock, head: Head | None
) -> None:
    channel = Channel("a")
    keeper = keeper_of(channel, clock)
    await keeper.keep()
    channel.head, channel.alive = head, ["a", "b"]
    assert not await keeper.keep()
    assert len(channel.kept) == 1, "nobody is admitted there"
    assert keeper.known == Claimants(frozenset({"a"}), 42)


async def test_a_redis_that_is_lost_between_look_and_order_changes_nothing(clock: SetClock) -> None:
    channel = Channel("a")
    keeper = keeper_of(channel, clock)
    await keeper.keep()
    channel.outcome = NotKept.UNTRUSTED
    assert not await keeper.keep()
    assert keeper.known == Claimants(frozenset({"a"}), 42)


async def test_where_another_relay_may_have_admitted_nodes_nothing_is_known(clock: SetClock) -> None:
    channel = Channel("a")
    keeper = keeper_of(channel, clock)
    await keeper.keep()
    channel.outcome = NotKept.ELSEWHERE
    assert await keeper.keep()
    assert keeper.known is None


async def test_what_is_forgotten_is_known_again_after_another_look(clock: SetClock) -> None:
    keeper = keeper_of(Channel("a"), clock)
    await keeper.keep()
    keeper.forget()
    assert keeper.known is None
    await keeper.keep()
    assert keeper.known == Claimants(frozenset({"a"}), 42)


async def test_a_node_that_is_gone_is_forgotten_also_if_its_memory_was_awaited(clock: SetClock) -> None:
    channel = Channel("a", awaited={"a": False, "gone": True})
    keeper = keeper_of(channel, clock)
    assert await keeper.keep()
    assert channel.kept == [("relay-1", [(Order.FORGET, "gone")])]
    assert keeper.known == Claimants(frozenset({"a"}), 42)


async def test_it_looks_a_few_times_a_second_when_it_is_asked_all_the_time() -> None:
    clock = SetClock(0.0)
    channel = Channel("a")
    keeper = keeper_of(channel, clock)
    assert await keeper.keep_when_due()
    assert len(channel.kept) == 1
    channel.outcome = NotKept.UNTRUSTED
    clock.time += KEEP_SECONDS - 0.01
    assert await keeper.keep_when_due()
    assert len(channel.kept) == 1
    clock.time += 0.01
    assert not await keeper.keep_when_due()
    assert len(channel.kept) == 2
