"""Any number of callers can wait or read at the same time without running out of connections."""

import asyncio
import time

from keyturn_credentials.fleet.waiter import FleetWaiter
from keyturn_shared.clock import SystemClock
from keyturn_shared.fleet.reading import Loaded, ProjectionReader
from keyturn_shared.fleet.registry import UNACCOUNTED
from keyturn_shared.position import Position
from tests.integration.relay.conftest import ACTOR, TERMS, Scene

CROWD = 300


async def test_many_waits_share_their_looks_and_do_not_hold_up_the_relay(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    # Never fenced: it is pending until it has applied the change.
    await scene.node("n1").renew(head.position, '{"serves_stale": true}')
    waiter = FleetWaiter(scene.registry, scene.log, SystemClock())
    changes = [(await scene.clients.create(ACTOR, "acme", {"clientId": f"c{n}"})).sequence for n in range(30)]
    waits = [asyncio.create_task(waiter.wait(changes[number % len(changes)], 20)) for number in range(CROWD)]
    await asyncio.sleep(0.1)
    assert await relay.publish_new() == len(changes)
    assert len(await scene.redis.client_list()) < 10
    await scene.node("n1").renew(Position(head.position.epoch, changes[-1]), "{}")
    for summary in await asyncio.gather(*waits):
        assert (summary.applied, summary.pending) == (1, ())


async def test_many_reads_at_once_are_all_answered(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    head = (await relay._channel.look()).head
    assert head is not None
    reader = ProjectionReader(scene.scripts)
    reads = [reader.load(f"client:unknown:{number}", head.position) for number in range(CROWD)]
    outcomes = {read.outcome for read in await asyncio.gather(*reads)}
    assert outcomes == {Loaded.ABSENT}


async def test_while_forgotten_leases_may_be_held_a_wait_rests_instead_of_looking(scene: Scene) -> None:
    done = await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    await relay.inspect()
    await scene.redis.flushall()
    await relay.inspect()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(seconds)

    begun = time.monotonic()
    summary = await FleetWaiter(scene.registry, scene.log, SystemClock(), sleep=sleep).wait(done.sequence, 10)
    assert summary.safe
    assert time.monotonic() - begun > (TERMS.seconds + TERMS.margin) / 2
    assert len(pauses) <= 3, "it slept until the leases had ended, not in small steps"
    await scene.redis.flushall()
    cut_short = await FleetWaiter(scene.registry, scene.log, SystemClock()).wait(done.sequence, 0.05)
    assert cut_short.pending == (UNACCOUNTED,)
