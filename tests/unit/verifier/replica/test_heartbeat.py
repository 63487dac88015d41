"""The node's heartbeat: rounds that can be ended at any moment."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.partitions import ONE_PARTITION, Partitioning
from keyturn_shared.fleet.scripts import Argument, Call
from keyturn_shared.position import Position
from keyturn_shared.sealing import KeyRing
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.replica.event_applier import EventApplier
from keyturn_verifier.replica.heartbeat import Heartbeat
from keyturn_verifier.replica.lease import Lease
from keyturn_verifier.replica.log_trust import LogTrust
from tests.testkit.signed_log import signer_for
from tests.unit.verifier.replica.event_appliers import applier_at

HEAD = Position(5, 100)
SIGNER = signer_for(KeyRing.generate_key())


class AnsweringScripts:
    """Redis as it answers a node that is at the head."""

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> list[object]:
        assert name == "renew"
        head = SIGNER.head(5, sequence=100, at=1_000, recent="")
        return [b"renewed", 1_000, b"5", b"100", b"1", b"10000", b"1000", b"event-id", head]

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        return [await self.run(name, keys, arguments) for keys, arguments in calls]


class NoEvents:
    async def catch_up(self, applier: EventApplier, head: Position) -> None:
        raise AssertionError("a member at the head has nothing to catch up with")


async def nothing_to_change(partitioning: Partitioning, epoch: int) -> None:
    assert partitioning == ONE_PARTITION


def heartbeat_at_head() -> Heartbeat:
    applier, _, _ = applier_at(HEAD)
    metrics = NodeMetrics(CollectorRegistry())
    return Heartbeat(
        MembershipChannel(AnsweringScripts(), "node"),
        NoEvents(),
        applier,
        Lease(lambda: 50.0),
        LogTrust(SIGNER.keys.verification(), metrics, elapsed=lambda: 50.0),
        metrics,
        elapsed=lambda: 50.0,
        details=lambda: "{}",
        partition=nothing_to_change,
        renewal_seconds=3600,
    )


@pytest.mark.parametrize("turns", range(6))
async def test_it_ends_when_it_is_told_to_however_short_after_news(turns: int) -> None:
    """A cancellation that meets the end of a wait must not get lost (cpython issue 86296)."""
    member = heartbeat_at_head()
    running = asyncio.create_task(member.task.run())
    await member.joined.wait()
    await asyncio.sleep(0)
    member.report()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
    assert running.cancelled()
