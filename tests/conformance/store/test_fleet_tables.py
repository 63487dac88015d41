"""The relay's tables: its lease, and its record of Redis."""

import asyncio

import pytest

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.fleet.partitions import Partitioning
from tests.conformance.store.conftest import Instance


async def test_one_holder_relays_at_a_time(instance: Instance, other: Instance) -> None:
    assert await instance.log.acquire_relay_lease("one", 30.0)
    assert not await other.log.acquire_relay_lease("two", 30.0)
    assert await instance.log.acquire_relay_lease("one", 30.0)
    await other.log.release_relay_lease("two")
    assert not await other.log.acquire_relay_lease("two", 30.0)
    await instance.log.release_relay_lease("one")
    assert await other.log.acquire_relay_lease("two", 30.0)


async def test_a_lease_that_ran_out_can_be_taken(instance: Instance, other: Instance) -> None:
    assert await instance.log.acquire_relay_lease("one", 0.0)
    assert await other.log.acquire_relay_lease("two", 30.0)


async def test_of_many_that_ask_at_once_one_gets_the_lease(instance: Instance, other: Instance) -> None:
    logs = (instance.log, other.log)
    granted = await asyncio.gather(*(logs[n % 2].acquire_relay_lease(str(n), 30.0) for n in range(10)))
    assert granted.count(True) == 1


async def test_the_fleets_state_is_remembered(instance: Instance, other: Instance) -> None:
    assert await instance.log.fleet_state() == FleetState()
    assert await instance.log.replace_fleet_state(FleetState(), FleetState(7, "nonce"))
    assert await instance.log.replace_fleet_state(FleetState(7, "nonce"), FleetState(1_800_000_000, None))
    assert await other.log.fleet_state() == FleetState(1_800_000_000, None)
    assert await other.log.replace_fleet_state(FleetState(1_800_000_000, None), FleetState(8, "closed"))
    assert await instance.log.fleet_state() == FleetState(8, "closed")


@pytest.mark.parametrize(
    "seen", [FleetState(), FleetState(6, "nonce"), FleetState(7), FleetState(7, "other")]
)
async def test_a_state_that_is_not_like_that_any_more_is_not_replaced(
    instance: Instance, other: Instance, seen: FleetState
) -> None:
    await instance.log.replace_fleet_state(FleetState(), FleetState(7, "nonce"))
    assert not await other.log.replace_fleet_state(seen, FleetState(9))
    assert await instance.log.fleet_state() == FleetState(7, "nonce")


async def test_of_many_that_replace_the_state_at_once_one_does(instance: Instance, other: Instance) -> None:
    logs = (instance.log, other.log)
    for before in (FleetState(), FleetState(1)):
        after = FleetState(before.epoch + 1)
        replaced = await asyncio.gather(*(logs[n % 2].replace_fleet_state(before, after) for n in range(6)))
        assert replaced.count(True) == 1


async def test_the_partitions_of_used_assertions_are_part_of_the_fleets_state(
    instance: Instance, other: Instance
) -> None:
    changing, changed = Partitioning((1, 4)), Partitioning((4,))
    assert await instance.log.replace_fleet_state(FleetState(), FleetState(7, None, changing))
    assert not await other.log.replace_fleet_state(FleetState(7), FleetState(8))
    assert await other.log.replace_fleet_state(FleetState(7, None, changing), FleetState(7, None, changed))
    assert await instance.log.fleet_state() == FleetState(7, None, changed)


async def test_each_partition_has_an_epoch_that_is_replaced_by_who_knows_it(
    instance: Instance, other: Instance
) -> None:
    assert await instance.log.partition_epoch(3) == 0
    assert await instance.log.replace_partition_epoch(3, 0, 1_800_000_000_000)
    assert not await other.log.replace_partition_epoch(3, 0, 5)
    assert not await other.log.replace_partition_epoch(3, 7, 5)
    assert await other.log.replace_partition_epoch(3, 1_800_000_000_000, 1_800_000_000_001)
    assert await instance.log.partition_epoch(3) == 1_800_000_000_001
    assert await instance.log.partition_epoch(4) == 0
    replaced = await asyncio.gather(
        *((instance, other)[n % 2].log.replace_partition_epoch(4, 0, n + 1) for n in range(6))
    )
    assert replaced.count(True) == 1
