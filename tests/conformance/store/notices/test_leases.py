"""One instance does the work; another takes over when the first is gone."""

from keyturn_credentials.store.leases import LEASE_SECONDS, Lease
from tests.conformance.store.conftest import Instance
from tests.testkit.clocks import SetClock


async def test_one_instance_has_it_and_keeps_it(instance: Instance, other: Instance) -> None:
    clock = SetClock()
    first = Lease(instance.database, clock, "notices", "first")
    second = Lease(other.database, clock, "notices", "second")
    assert await first.acquire()
    assert not await second.acquire()
    assert await first.acquire()
    assert await Lease(other.database, clock, "something-else", "second").acquire()


async def test_another_one_takes_over_after_its_end(instance: Instance, other: Instance) -> None:
    if instance.database.is_postgresql:
        return  # the server's clock counts, which no test advances
    clock = SetClock()
    first = Lease(instance.database, clock, "notices", "first")
    second = Lease(other.database, clock, "notices", "second")
    assert await first.acquire()
    clock.time += LEASE_SECONDS + 1
    assert await second.acquire()
    assert not await first.acquire()


async def test_a_clock_that_is_set_back_does_not_keep_everybody_out(
    instance: Instance, other: Instance
) -> None:
    if instance.database.is_postgresql:
        return
    clock = SetClock()
    assert await Lease(instance.database, clock, "notices", "first").acquire()
    clock.time -= 3_600
    assert await Lease(other.database, clock, "notices", "second").acquire()
