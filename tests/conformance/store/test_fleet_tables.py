"""What the relay keeps in the database: the lease to relay, and what it knows of Redis."""

import asyncio

from keyturn_credentials.relay.event_log import FleetState
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
    await instance.log.save_fleet_state(FleetState(7, "nonce"))
    await instance.log.save_fleet_state(FleetState(1_800_000_000, None))
    assert await other.log.fleet_state() == FleetState(1_800_000_000, None)
