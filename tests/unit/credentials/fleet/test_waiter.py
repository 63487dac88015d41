"""Waiting for the fleet without having been asked to."""

from collections.abc import Sequence

from keyturn_credentials.fleet.waiter import UNKNOWN, FleetWaiter
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import FleetRegistry, NodeRecord, RegistryView
from keyturn_shared.position import Position

NOW = 1_000_000


class Views(FleetRegistry):
    """Shows one view after the other; the last one for ever."""

    def __init__(self, *views: RegistryView | None) -> None:
        self.left = list(views)
        self.looks = 0

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        self.looks += 1
        view = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if view is None:
            raise RedisUnavailableError("away")
        return [view for _ in sequences]


def view_of(applied: Sequence[int], *, waits_after: int = 0) -> RegistryView:
    fields = {"epoch": "1", "sequence": "5", "vouched": "run", "waits_after": str(waits_after)}
    head = Head.from_hash(fields, "run")
    nodes = tuple(
        NodeRecord(f"node-{number}", NOW + 5_000, NOW, 11_000, Position(1, sequence))
        for number, sequence in enumerate(applied)
    )
    return RegistryView(NOW, head, nodes, NOW - 10)


def waiter_on(registry: Views) -> FleetWaiter:
    async def at_once(seconds: float) -> None:
        pass

    return FleetWaiter(registry, SystemClock(), sleep=at_once)


async def test_it_waits_while_nodes_are_on_their_way() -> None:
    registry = Views(view_of([4, 5]), view_of([4, 5]), view_of([5, 5]))
    summary = await waiter_on(registry).wait_while_likely(5, 1.0)
    assert (summary.applied, summary.safe) == (2, True)


async def test_it_does_not_wait_for_a_redis_that_is_away() -> None:
    registry = Views(None)
    assert await waiter_on(registry).wait_while_likely(5, 30.0) == UNKNOWN
    assert registry.looks == 1


async def test_it_does_not_wait_for_leases_that_outlast_it() -> None:
    """After a fail-over nobody can be sure for a whole lease; who did not ask is not held up for that."""
    registry = Views(view_of([5, 5], waits_after=NOW + 11_000))
    summary = await waiter_on(registry).wait_while_likely(5, 1.0)
    assert (summary.applied, summary.safe) == (2, False)
    assert registry.looks == 1
