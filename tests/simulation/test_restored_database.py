"""A database restored by the command says nothing about nodes, so waits and the replay barrier are safe."""

import pytest

from keyturn_credentials.backup.restored_fleet import restored_fleet_state
from keyturn_credentials.relay.event_log import FleetState
from tests.simulation.redis_model.data import Data
from tests.simulation.relay_scene import LEASE, MARGIN, Scene


async def a_backup_of_a_fleet_that_was_shut_down(scene: Scene) -> FleetState:
    await scene.relay.inspect()
    assert await scene.relay.close()
    backup = scene.log.state
    assert backup.closed_nonce is not None
    return backup


async def restored(scene: Scene, state: FleetState) -> None:
    """Start the fleet again with a node, lose Redis, set the database back, and start a relay."""
    scene.time += 5.0
    await scene.relay.inspect()
    await scene.join("node")
    scene.log.holder = None
    scene.time += 1.0
    scene.restart("3", data=Data())
    scene.log.state = state
    await scene.make_relay("two").inspect()


@pytest.mark.parametrize("is_first", [True, False])
async def test_waits_outlast_the_leases_that_nodes_may_hold(is_first: bool) -> None:
    scene = Scene()
    backup = FleetState() if is_first else await a_backup_of_a_fleet_that_was_shut_down(scene)
    await restored(scene, restored_fleet_state(backup, scene.clock.now()))
    head = await scene.head()
    assert head.waits_after == head.opened_at + 1000 * (LEASE + MARGIN)
    assert head.replay_barrier == head.opened_at
    assert head.position.epoch > backup.epoch


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_state_set_back_by_other_means_would_claim_that_no_node_holds_one(is_first: bool) -> None:
    scene = Scene()
    backup = FleetState() if is_first else await a_backup_of_a_fleet_that_was_shut_down(scene)
    await restored(scene, backup)
    assert (await scene.head()).waits_after == 0


async def test_where_redis_was_not_lost_nothing_is_waited_for_and_a_new_epoch_begins() -> None:
    scene = Scene()
    await scene.relay.inspect()
    await scene.join("node")
    before = await scene.head()
    scene.time += 1.0
    scene.log.holder = None
    scene.log.state = restored_fleet_state(scene.log.state, scene.clock.now())
    await scene.make_relay("two").inspect()
    head = await scene.head()
    assert head.position.epoch > before.position.epoch
    assert head.waits_after == before.waits_after == 0
    assert head.replay_barrier == before.replay_barrier
