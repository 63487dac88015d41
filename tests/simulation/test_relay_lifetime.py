"""The relay leads, knows who remembers assertions, cleans up, and ends in good order."""

import pytest

from keyturn_credentials.relay import deleted_clients
from keyturn_credentials.relay.claimants import KEEP_SECONDS
from keyturn_credentials.relay.event_log import FleetState, LoggedEvent
from keyturn_credentials.relay.relay import LEASE_SECONDS
from keyturn_shared.fleet.claimants import NotKept
from keyturn_shared.signed_log.head import event_name, read_head_statement
from tests.simulation.redis_model.data import Data
from tests.simulation.relay_scene import FIRST, KEYS, LAYOUT, LEASE, LOG, MARGIN, NEW_KEYS, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_the_head_is_stated_with_the_events_by_which_the_log_is_known(scene: Scene) -> None:
    for _ in range(70):
        scene.log.change("a")
    await scene.relay.inspect()
    stated = read_head_statement((await scene.head()).statement, KEYS.verification())
    assert (stated.log, stated.epoch, stated.sequence, stated.at) == (LOG, FIRST, 72, FIRST)
    assert stated.recent == "".join(event_name(at, f"id-{at}") for at in range(9, 73))


async def test_only_one_relay_looks_after_redis(scene: Scene) -> None:
    await scene.relay.inspect()
    other = scene.make_relay("two")
    assert not await other.inspect()
    assert not other.settled
    assert not other.leads
    assert not await scene.relay.inspect(leads=False)
    assert await scene.relay.inspect(leads=True)


async def test_the_right_to_relay_ends_by_ones_own_clock_from_before_it_was_asked_for(scene: Scene) -> None:
    assert scene.sample("active") == 0
    assert await scene.relay.lead()
    assert scene.log.granted == [LEASE_SECONDS]
    assert scene.sample("active") == 1
    scene.time += LEASE_SECONDS - 0.001
    assert scene.leads()
    scene.time += 0.001
    assert not scene.leads()
    assert await scene.relay.lead()
    scene.log.holder = "another"
    assert not await scene.relay.lead()
    assert not scene.leads()


async def test_an_epoch_that_redis_knows_a_newer_one_of_is_not_begun(scene: Scene) -> None:
    newer = b"%d" % (FIRST + 9_000_000)
    fields = (b"epoch", newer, b"sequence", b"2", b"event_id", b"id-2")
    begins = [lambda: scene.redis.direct(b"HSET", LAYOUT.head.encode(), *fields)]
    scene.scripts.before["open_epoch"] = begins
    await scene.relay.inspect()
    assert not scene.is_settled()
    assert "write_projections" not in scene.scripts.run_names
    await scene.relay.inspect()
    assert (await scene.head()).position.epoch == FIRST + 9_000_001, "newer than any that Redis has seen"


async def test_the_fleet_closes_in_good_order_when_no_node_is_left(scene: Scene) -> None:
    await scene.relay.inspect()
    node = await scene.join("n")
    assert not await scene.relay.close()
    assert scene.log.released == ["one"]
    assert not scene.leads()
    assert not scene.is_settled()
    assert scene.log.state.closed_nonce is None
    await node.leave()
    await scene.relay.inspect()
    assert await scene.relay.close()
    assert scene.log.state == FleetState(FIRST, "new-one-2")
    head = await scene.head()
    assert (head.closed_nonce, head.trusted) == ("new-one-2", False)
    assert await scene.relay.close() is False, "there is nothing to close any more"


async def test_a_young_process_that_has_no_right_to_relay_does_not_lead(scene: Scene) -> None:
    scene.time = 0.5
    assert not scene.leads()
    scene.log.holder = "another"
    assert not await scene.relay.lead()
    assert not scene.leads()


async def test_after_a_good_end_a_change_of_key_costs_no_wait_either(scene: Scene) -> None:
    scene.time += 60.0
    await scene.relay.inspect()
    await scene.relay.close()
    former = (await scene.head()).waits_after
    scene.restart()
    scene.time += 5.0
    await scene.make_relay("one", keys=NEW_KEYS).inspect()
    head = await scene.head()
    assert head.position.epoch == FIRST + 65_000
    assert (head.waits_after, head.replay_barrier) == (former, 0)


async def test_whoever_joined_an_epoch_that_was_there_knows_who_remembers(scene: Scene) -> None:
    await scene.relay.inspect()
    later = scene.make_relay("one")
    await later.inspect()
    await scene.join("n")
    scene.time += KEEP_SECONDS
    await later.keep_claimants()
    scene.restart(data=Data())
    scene.time += 0.1
    await later.inspect()
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == [b"n", b"0"]


async def test_whoever_opened_the_epoch_knows_who_remembers(scene: Scene) -> None:
    await scene.relay.inspect()
    await scene.join("n")
    scene.time += KEEP_SECONDS
    await scene.relay.keep_claimants()
    scene.restart(data=Data())
    scene.time += 0.1
    await scene.relay.inspect()
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == [b"n", b"0"]


async def test_claimants_that_cannot_be_kept_are_told_apart(scene: Scene) -> None:
    await scene.relay.inspect()
    view = await scene.channel.read_claimants()
    assert await scene.channel.keep_claimants(view, "another", []) is NotKept.ELSEWHERE
    scene.restart()
    assert await scene.channel.keep_claimants(view, "one", []) is NotKept.UNTRUSTED


async def test_whoever_has_closed_does_not_lead_however_young_the_process_is(scene: Scene) -> None:
    scene.time = 0.0
    await scene.relay.inspect()
    assert scene.leads()
    await scene.relay.close()
    assert not scene.leads()


async def test_after_a_good_end_nobody_has_to_wait_for_leases(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.time += 60.0
    await scene.relay.inspect()
    await scene.relay.close()
    former = (await scene.head()).waits_after
    scene.time += 5.0
    scene.restart()
    await scene.relay.inspect()
    head = await scene.head()
    assert head.waits_after == former, "nothing was lost"
    assert (head.replay_barrier, head.closed_nonce, scene.log.state.closed_nonce) == (0, None, None)


async def test_in_its_very_first_epoch_nobody_has_to_wait_for_leases(scene: Scene) -> None:
    await scene.relay.inspect()
    assert (await scene.head()).waits_after == 0
    scene.redis.direct(b"UNLINK", LAYOUT.head.encode())
    scene.time += 1.0
    await scene.relay.inspect()
    assert (await scene.head()).waits_after == FIRST + 1_000 + 11_000


async def test_nodes_that_are_known_bring_back_what_they_remember_after_a_loss(scene: Scene) -> None:
    await scene.relay.inspect()
    await scene.join("n")
    await scene.relay.inspect()
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == [b"n", b"1"]
    scene.restart(data=Data())
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == [b"n", b"0"], "its memory is awaited"


async def test_nodes_that_are_known_are_awaited_in_a_redis_that_only_restarted_too(scene: Scene) -> None:
    """The last marks may be lost with it."""
    await scene.relay.inspect()
    await scene.join("n")
    await scene.relay.inspect()
    scene.restart()
    scene.redis.direct(b"UNLINK", LAYOUT.claimants.encode())
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.sample("epochs_total", reason="redis_restarted") == 1
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == [b"n", b"0"]


async def test_after_another_relay_led_nobody_knows_who_remembers(scene: Scene) -> None:
    await scene.relay.inspect()
    await scene.join("n")
    await scene.relay.inspect()
    scene.time += LEASE_SECONDS
    scene.restart(data=Data())
    await scene.relay.inspect()
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == []


async def test_an_epoch_that_somebody_else_opened_makes_it_forget_who_remembers(scene: Scene) -> None:
    await scene.relay.inspect()
    await scene.join("n")
    await scene.relay.inspect()
    scene.log.state = FleetState(FIRST + 7, None)
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.redis.direct(b"HGETALL", LAYOUT.claimants.encode()) == [b"n", b"1"], "admitted, not awaited"


async def test_between_inspections_a_lost_redis_is_noticed(scene: Scene) -> None:
    await scene.relay.inspect()
    looks = scene.scripts.run_names.count("read_claimants")
    await scene.relay.keep_claimants()
    assert scene.scripts.run_names.count("read_claimants") == looks, "it is not due"
    scene.time += KEEP_SECONDS
    await scene.relay.keep_claimants()
    assert scene.scripts.run_names.count("read_claimants") == looks + 1
    assert scene.is_settled()
    scene.restart(data=Data())
    scene.time += KEEP_SECONDS
    await scene.relay.keep_claimants()
    assert not scene.is_settled()
    await scene.relay.keep_claimants()
    assert scene.scripts.run_names.count("read_claimants") == looks + 2


async def test_who_does_not_lead_admits_nobody(scene: Scene) -> None:
    await scene.relay.inspect()
    looks = scene.scripts.run_names.count("read_claimants")
    scene.time += LEASE_SECONDS
    await scene.relay.keep_claimants()
    assert scene.scripts.run_names.count("read_claimants") == looks
    assert scene.is_settled()


async def test_what_redis_remembers_of_a_deleted_client_is_deleted_a_while_later(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.log.change("a")
    scene.log.events.append(LoggedEvent(4, "id-4", b'{"type":"client_deleted"}', ()))
    scene.log.change("a", deletes=True)
    key = LAYOUT.uses("uuid-5").encode()
    scene.redis.direct(b"HSET", key, b"key:x", b"1")
    await scene.relay.inspect()
    scene.time += 9.9
    await scene.relay.inspect()
    assert scene.redis.direct(b"EXISTS", key) == 1
    scene.time += 0.1
    await scene.relay.inspect()
    assert scene.redis.direct(b"EXISTS", key) == 0


async def test_of_very_many_deleted_clients_the_last_ones_are_remembered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleted_clients, "_MAX_WAITING", 2)
    deleted = deleted_clients.DeletedClients(scene.channel, lambda: scene.time)
    deleted.note([scene.log.change("a", deletes=True) for _ in range(3)])
    keys = [LAYOUT.uses(f"uuid-{number}").encode() for number in (3, 4, 5)]
    for key in keys:
        scene.redis.direct(b"HSET", key, b"key:x", b"1")
    scene.time += 10.0
    await deleted.forget()
    assert [scene.redis.direct(b"EXISTS", key) for key in keys] == [1, 0, 0]


async def test_nodes_without_a_heartbeat_are_swept_after_ten_minutes(scene: Scene) -> None:
    await scene.relay.inspect()
    await scene.join("n")
    for later, left in ((LEASE + MARGIN + 599.9, 1), (0.2, 0)):
        scene.time += later
        await scene.relay.inspect()
        assert len(scene.redis.direct(b"HGETALL", LAYOUT.nodes.encode())) == 2 * left
