"""The node's membership: rounds that can be ended at any moment."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.scripts import Argument
from keyturn_shared.position import Position
from keyturn_verifier.metrics import NodeMetrics
from keyturn_verifier.node.follower import Follower
from keyturn_verifier.node.lease import Lease
from keyturn_verifier.node.member import Member
from tests.unit.verifier.node.test_follower import follower_at

HEAD = Position(5, 100)


class AnsweringScripts:
    """Redis as it answers a member that is at the head."""

    async def run(self, name: str, keys: list[str], arguments: list[Argument]) -> list[object]:
        assert name == "renew"
        return [b"renewed", 1_000, b"5", b"100", b"1", b"10000", b"1000", b"event-id"]


class NoEvents:
    async def catch_up(self, follower: Follower, head: Position) -> None:
        raise AssertionError("a member at the head has nothing to catch up with")


def member_at_head() -> Member:
    follower, _, _ = follower_at(HEAD)
    return Member(
        MembershipChannel(AnsweringScripts(), "node"),
        NoEvents(),
        follower,
        Lease(lambda: 50.0),
        NodeMetrics(CollectorRegistry()),
        elapsed=lambda: 50.0,
        details=lambda: "{}",
        renewal_seconds=3600,
    )


@pytest.mark.parametrize("turns", range(6))
async def test_it_ends_when_it_is_told_to_however_short_after_news(turns: int) -> None:
    """A cancellation that meets the end of a wait must not get lost (cpython issue 86296)."""
    member = member_at_head()
    running = asyncio.create_task(member.run())
    await member.joined.wait()
    await asyncio.sleep(0)
    member.report()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
    assert running.cancelled()
