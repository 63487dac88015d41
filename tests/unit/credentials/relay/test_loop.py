"""The relay's loop survives all errors of its rounds, and its metric is accurate."""

import asyncio
from typing import Any, cast

from prometheus_client import CollectorRegistry

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.relay.event_log import EventLog
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.partitions import PartitionKeeper, Partitions
from keyturn_credentials.relay.relay import LEASE_SECONDS, Relay
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.relay_channel import RelayChannel
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.clocks import SetClock
from tests.testkit.simulated_process import Process, SimulatedClock
from tests.testkit.virtual_loop import VirtualLoop
from tests.testkit.waiting import in_time


class LeaseOnlyLog:
    """A database that grants the right to relay, and takes its time."""

    def __init__(self, clock: SetClock, *, takes: float, grants: bool = True) -> None:
        self._clock = clock
        self._takes = takes
        self._grants = grants

    async def acquire_relay_lease(self, _holder: str, _seconds: float) -> bool:
        self._clock.time += self._takes
        return self._grants


def relay_of(log: LeaseOnlyLog, clock: SetClock, registry: CollectorRegistry) -> Relay:
    channel = cast("RelayChannel", cast("Any", None))
    return Relay(
        cast("EventLog", log),
        channel,
        clock,
        RelayMetrics(registry),
        log_keys=LogSigningKeys([b"l" * 32]),
        holder="one",
    )


async def test_an_instance_whose_right_to_relay_ran_out_does_not_say_that_it_relays() -> None:
    """Another instance gets it, from the moment at which the database counted: the sum must stay one."""
    clock, registry = SetClock(), CollectorRegistry()
    relay = relay_of(LeaseOnlyLog(clock, takes=1.0), clock, registry)

    def active() -> float | None:
        return registry.get_sample_value("keyturn_relay_active")

    assert active() == 0
    assert await relay.lead()
    assert active() == 1
    clock.time += LEASE_SECONDS - 1.1
    assert active() == 1
    clock.time += 0.2
    assert active() == 0
    assert not relay.leads


async def test_an_instance_that_was_refused_does_not_say_that_it_relays() -> None:
    clock, registry = SetClock(), CollectorRegistry()
    relay = relay_of(LeaseOnlyLog(clock, takes=0.0, grants=False), clock, registry)
    assert not await relay.lead()
    assert registry.get_sample_value("keyturn_relay_active") == 0


def no_partitions(relay: Relay) -> Partitions:
    def make(partition: int) -> PartitionKeeper:
        raise AssertionError("there is none beside that of the log")

    return Partitions(make, relay, elapsed=SetClock().elapsed)


class FailingRelay:
    """The database is gone."""

    settled = False

    async def inspect(self, **_: object) -> bool:
        raise StoreUnavailableError("the database did not answer")

    async def close(self) -> bool:
        return False


async def test_rounds_that_fail_are_counted_and_come_again_later_and_later() -> None:
    registry = CollectorRegistry()
    delays: list[float] = []
    tired = asyncio.Event()

    async def sleep(seconds: float) -> None:
        delays.append(seconds)
        if len(delays) == 8:
            tired.set()
        await asyncio.sleep(0)

    relay = cast("Relay", cast("Any", FailingRelay()))
    loop = RelayLoop(
        relay,
        RelayMetrics(registry),
        no_partitions(relay),
        elapsed=SetClock().elapsed,
        sleep=sleep,
        jitter=lambda: 1.0,
    )
    await loop.start()
    await in_time(tired.wait())
    failures = registry.get_sample_value("keyturn_relay_failures_total", {"cause": "StoreUnavailableError"})
    assert failures is not None
    assert failures >= 8
    assert delays[:8] == [0.05, 0.1, 0.2, 0.4, 0.4, 0.4, 0.4, 0.4]
    await loop.stop()


class FrozenRelay(Relay):
    """Redis accepts connections and says nothing until a time limit, which is not shorter than the right to
    relay."""

    settled = True

    async def inspect(self, *, leads: bool | None = None) -> bool:
        if leads is None:
            await self.lead()
        return True

    async def publish_new(self) -> int:
        await asyncio.sleep(LEASE_SECONDS)
        raise RedisUnavailableError("it did not respond")

    async def close(self) -> bool:
        return False


def test_the_right_to_relay_does_not_run_out_while_redis_does_not_answer() -> None:
    """A relay that lets it expire cannot know which nodes have accepted assertions since."""
    loop, registry = VirtualLoop.create(), CollectorRegistry()
    clock = SimulatedClock(loop.time, wall=0.0)
    log = LeaseOnlyLog(SetClock(), takes=0.0)
    relay = FrozenRelay(
        cast("EventLog", log),
        cast("RelayChannel", cast("Any", None)),
        clock,
        RelayMetrics(registry),
        log_keys=LogSigningKeys([b"l" * 32]),
        holder="one",
    )
    relays: list[float | None] = []

    async def look() -> None:
        while loop.time() < 30.0:
            await asyncio.sleep(0.1)
            relays.append(registry.get_sample_value("keyturn_relay_active"))

    process = Process(loop, "one", clock)
    relaying = RelayLoop(
        relay,
        RelayMetrics(CollectorRegistry()),
        no_partitions(relay),
        elapsed=clock.elapsed,
        jitter=lambda: 1.0,
    )
    process.spawn(relaying.start())
    process.spawn(look())
    loop.run(31.0)
    process.spawn(relaying.stop())
    loop.run(60.0)
    assert all(task.done() for task in loop.tasks)
    assert len(relays) > 290
    assert set(relays) == {1.0}
