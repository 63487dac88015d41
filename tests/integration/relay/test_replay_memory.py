"""The relay knows which nodes may have accepted assertions; the replay barrier falls once they have
returned."""

import json
import time
import uuid

import pytest

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.claimants import RETURNED_TO, ClaimantsView
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.relay_channel import LeaseTerms
from keyturn_shared.fleet.replay import AssertionRegistry, AssertionUse, UseOutcome
from tests.integration.relay.conftest import ACTOR, Scene
from tests.integration.relay.seen import LAYOUT

_LONG = LeaseTerms(60, 1)


def use() -> AssertionUse:
    return AssertionUse(("client",), str(uuid.uuid4()), 60.0, time.time())


class Fleet:
    """A relay, and nodes that have joined and may mark assertions."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.relay = scene.relay(terms=_LONG)
        self.nodes: dict[str, MembershipChannel] = {}

    async def start(self, *names: str) -> None:
        await self.scene.realms.create(ACTOR, {"realm": "acme"})
        await self.relay.inspect()
        self.nodes = {name: self.scene.node(name) for name in names}
        for name in names:
            await self.renew(name)
        await self.relay.inspect()

    async def head(self) -> Head:
        head = (await self.relay._channel.look()).head
        assert head is not None
        return head

    async def renew(self, name: str, *, returned: bool = False) -> None:
        position = (await self.head()).position
        details = {RETURNED_TO: position.epoch if returned else 0}
        await self.nodes[name].renew(position, json.dumps(details))

    async def lose_redis(self) -> None:
        await self.scene.redis.flushall()
        await self.relay.inspect()

    def registry(self, name: str = "") -> AssertionRegistry:
        return AssertionRegistry(self.scene.scripts, 15.0, claimant=name)

    async def mark_used(self, name: str, used: AssertionUse) -> UseOutcome:
        return (await self.registry(name).mark_used([used])).outcomes[0]


async def test_a_node_claims_only_once_the_relay_has_admitted_it(scene: Scene) -> None:
    fleet = Fleet(scene)
    await fleet.start("a")
    assert await fleet.mark_used("a", use()) is UseOutcome.MARKED
    fleet.nodes["b"] = scene.node("b")
    await fleet.renew("b")
    with pytest.raises(RedisUnavailableError):
        await fleet.mark_used("b", use())
    await fleet.relay.inspect()
    assert await fleet.mark_used("b", use()) is UseOutcome.MARKED


async def test_the_barrier_falls_once_every_node_has_brought_its_memory(scene: Scene) -> None:
    fleet = Fleet(scene)
    await fleet.start("a", "b")
    used = use()
    assert await fleet.mark_used("a", used) is UseOutcome.MARKED
    await fleet.lose_redis()
    assert await fleet.mark_used("b", used) is UseOutcome.BEFORE_BARRIER
    assert await fleet.registry("a").restore_marks(
        (await fleet.head()).position.epoch, fleet.registry().marks(used)
    )
    await fleet.renew("a", returned=True)
    await fleet.renew("b")
    await fleet.relay.inspect()
    assert await fleet.mark_used("b", use()) is UseOutcome.BEFORE_BARRIER, "the memory of one is awaited"
    await fleet.renew("b", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("b", used) is UseOutcome.USED
    assert await fleet.mark_used("b", use()) is UseOutcome.MARKED
    assert await fleet.mark_used("", use()) is UseOutcome.BEFORE_BARRIER, "it brings nothing back and waits"


async def test_the_barrier_stands_when_a_node_is_lost_with_its_memory(scene: Scene) -> None:
    fleet = Fleet(scene)
    await fleet.start("a", "b")
    await fleet.lose_redis()
    await fleet.renew("a", returned=True)
    opened = int((await fleet.head()).opened_at)
    await scene.redis.hset(LAYOUT.head, "opened_at", str(opened - 61_001))
    await fleet.relay.inspect()
    assert await scene.redis.hkeys(LAYOUT.claimants) == [b"a"]
    assert (await fleet.head()).replay_barrier >= opened
    assert await fleet.mark_used("a", use()) is UseOutcome.BEFORE_BARRIER
    await fleet.lose_redis()
    await fleet.renew("a", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", use()) is UseOutcome.BEFORE_BARRIER, "also after the next loss"


async def test_a_relay_that_does_not_know_who_claimed_lets_the_barrier_stand(scene: Scene) -> None:
    fleet = Fleet(scene)
    await fleet.start("a")
    await scene.log.release_relay_lease("relay-1")
    fleet.relay = scene.relay("relay-2", terms=_LONG)
    await fleet.lose_redis()
    await fleet.renew("a", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", use()) is UseOutcome.BEFORE_BARRIER


async def test_a_relay_that_took_over_before_the_loss_knows_who_claimed(scene: Scene) -> None:
    fleet = Fleet(scene)
    await fleet.start("a")
    await scene.log.release_relay_lease("relay-1")
    # The time for which one relay's claimants are valid is over.
    await scene.redis.hset(LAYOUT.head, "claims_kept_at", "0")
    fleet.relay = scene.relay("relay-2", terms=_LONG)
    await fleet.relay.inspect()
    await fleet.lose_redis()
    await fleet.renew("a", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", use()) is UseOutcome.MARKED


async def test_an_epoch_of_an_earlier_release_lets_everybody_claim_until_the_relay_is_there(
    scene: Scene,
) -> None:
    fleet = Fleet(scene)
    await fleet.start()
    await scene.redis.hdel(LAYOUT.head, "claims_gated")
    fleet.nodes["a"] = scene.node("a")
    await fleet.renew("a")
    assert await fleet.mark_used("a", use()) is UseOutcome.MARKED
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", use()) is UseOutcome.MARKED
    await fleet.lose_redis()
    await fleet.renew("a", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", use()) is UseOutcome.BEFORE_BARRIER, "who had marked is not known"


async def test_a_redis_that_is_lost_while_the_relay_looks_is_noticed_and_claimants_are_still_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(scene)
    await fleet.start("a")
    used = use()
    assert await fleet.mark_used("a", used) is UseOutcome.MARKED
    channel = fleet.relay._channel
    read = channel.read_claimants

    async def read_and_lose() -> ClaimantsView:
        view = await read()
        await scene.redis.flushall()
        return view

    monkeypatch.setattr(channel, "read_claimants", read_and_lose)
    monkeypatch.setattr(fleet.relay._claimants, "_due", 0.0)
    await fleet.relay.keep_claimants()
    monkeypatch.undo()
    assert not fleet.relay.settled, "the next inspection comes at once"
    await fleet.relay.inspect()
    await fleet.registry("a").restore_marks((await fleet.head()).position.epoch, fleet.registry().marks(used))
    await fleet.renew("a", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", used) is UseOutcome.USED, "the barrier has fallen"


async def test_a_relay_that_finds_an_epoch_of_another_one_does_not_say_who_may_have_claimed(
    scene: Scene,
) -> None:
    """The database was restored and granted the right to relay twice; the other relay's claimants are
    unknown."""
    fleet = Fleet(scene)
    await fleet.start("a")
    state = await scene.log.fleet_state()
    assert await scene.log.replace_fleet_state(state, FleetState(state.epoch + 1, None))
    await fleet.lose_redis()
    await fleet.renew("a", returned=True)
    await fleet.relay.inspect()
    assert await fleet.mark_used("a", use()) is UseOutcome.BEFORE_BARRIER
