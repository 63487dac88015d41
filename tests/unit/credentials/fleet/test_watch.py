"""What the live view of the fleet says of changes: only what is known, and only to whom it may concern."""

from collections.abc import Sequence
from typing import Any, cast

from keyturn_credentials.fleet.watch import OTHER_REALM, FleetWatch
from keyturn_credentials.relay.event_log import EventLog, LoggedEvent
from keyturn_shared.events import ClientCreated, encode_event
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import FleetRegistry, NodeRecord, RegistryView
from keyturn_shared.position import Position

NOW = 1_000_000


class Fleet(FleetRegistry, EventLog):
    """Two nodes and a log of clients made in one realm; each look is at ``now``."""

    def __init__(self, newest: int, applied: Sequence[int]) -> None:
        self.newest = newest
        self.applied = list(applied)
        self.published = dict.fromkeys(range(1, newest + 1), NOW - 60_000)
        self.renewed = NOW
        self.now = NOW

    def publish(self) -> None:
        self.newest += 1
        self.published[self.newest] = self.now

    async def view(self, sequence: int | None = None) -> RegistryView:
        fields = {"epoch": "1", "sequence": str(self.newest), "vouched": "run", "complete": "1"}
        nodes = tuple(
            NodeRecord(f"node-{number}", self.now + 9_000, self.renewed, 11_000, Position(1, applied))
            for number, applied in enumerate(self.applied, start=1)
        )
        asked = self.newest if sequence is None else sequence
        return RegistryView(self.now, Head.from_hash(fields, "run"), nodes, self.published.get(asked))

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        return [await self.view(sequence) for sequence in sequences]

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        return [logged(sequence) for sequence in range(first, min(self.newest, first + limit - 1) + 1)]


def logged(sequence: int) -> LoggedEvent:
    event = ClientCreated(
        sequence=sequence,
        id=str(sequence),
        occurred_at=0.0,
        realm_id="r",
        realm="shop",
        client_uuid="u",
        client_id=f"client-{sequence}",
    )
    return LoggedEvent(sequence, str(sequence), encode_event(event), ())


class Screen:
    """Looks when told to."""

    def __init__(self, fleet: Fleet, *realms: str) -> None:
        async def at_once(_: float) -> None:
            pass

        watch = FleetWatch(fleet, cast("EventLog", fleet), may_see=realms.__contains__, sleep=at_once)
        self._looks = watch.looks()

    async def recent(self) -> list[dict[str, Any]]:
        return list((await anext(self._looks))["recent"])


async def test_of_a_change_that_is_long_over_nobody_says_when_it_arrived() -> None:
    """Its nodes have renewed many times since: the time of the last renewal says nothing of it."""
    screen = Screen(Fleet(5, [5, 5]), "shop")
    assert await screen.recent() == []


async def test_a_change_is_followed_until_every_node_has_applied_it() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    await screen.recent()
    fleet.publish()
    fleet.now += 4
    fleet.renewed = fleet.now
    fleet.applied = [6, 5]
    [flow] = await screen.recent()
    assert (flow["client_id"], flow["type"], flow["applied_ms"]) == (
        "client-6",
        "client_created",
        {"node-1": 4},
    )
    assert not flow["safe"]
    fleet.now += 5
    fleet.renewed = fleet.now
    fleet.applied = [6, 6]
    [flow] = await screen.recent()
    assert flow["applied_ms"] == {"node-1": 4, "node-2": 9}
    assert (flow["safe"], flow["safe_ms"]) == (True, 9)


async def test_a_change_still_on_its_way_at_the_first_look_is_shown() -> None:
    fleet = Fleet(5, [5, 4])
    fleet.published[5] = NOW - 100
    [flow] = await Screen(fleet, "shop").recent()
    assert (flow["sequence"], flow["safe"]) == (5, False)


async def test_of_other_realms_it_shows_that_something_changed_and_no_more() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "another")
    await screen.recent()
    fleet.publish()
    [flow] = await screen.recent()
    assert (flow["type"], flow["client_id"]) == (OTHER_REALM, None)
