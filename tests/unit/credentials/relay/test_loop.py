"""The relay's loop survives whatever its rounds raise, and its metric says truly whether it relays."""

import asyncio
from typing import Any, cast

from prometheus_client import CollectorRegistry

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.relay.event_log import EventLog
from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.relay import LEASE_SECONDS, Relay
from keyturn_shared.fleet.relay_channel import RelayChannel
from tests.support.clocks import SetClock


class LeaseOnlyLog:
    """A database that grants the right to relay, and takes its time for it."""

    def __init__(self, clock: SetClock, *, takes: float, grants: bool = True) -> None:
        self._clock = clock
        self._takes = takes
        self._grants = grants

    async def acquire_relay_lease(self, _holder: str, _seconds: float) -> bool:
        self._clock.time += self._takes
        return self._grants


def relay_of(log: LeaseOnlyLog, clock: SetClock, registry: CollectorRegistry) -> Relay:
    channel = cast("RelayChannel", cast("Any", None))
    return Relay(cast("EventLog", log), channel, clock, RelayMetrics(registry), holder="one")


async def test_an_instance_whose_right_to_relay_ran_out_does_not_say_that_it_relays() -> None:
    """Another instance takes it, from the moment at which the database counted: the sum has to stay one."""
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
    loop = RelayLoop(relay, RelayMetrics(registry), sleep=sleep, jitter=lambda: 1.0)
    await loop.start()
    await asyncio.wait_for(tired.wait(), 10)
    assert registry.get_sample_value("keyturn_relay_failures_total", {"cause": "StoreUnavailableError"}) >= 8
    assert delays[:8] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    await loop.stop()
