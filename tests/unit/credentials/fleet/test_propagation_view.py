"""The live view of the fleet shows only what is known, and only to permitted watchers."""

from collections.abc import Sequence
from typing import Any, cast

from keyturn_credentials.fleet.propagation_view import OTHER_REALM, FleetWatch
from keyturn_credentials.relay.event_log import EventLog, LoggedEvent
from keyturn_shared.events import ClientCreated, encode_event
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.registry import FleetRegistry, NodeRecord, RegistryView
from keyturn_shared.position import Position

NOW = 1_000_000


class Fleet(FleetRegistry):
    """Two nodes and a log of clients made in one realm; each look is at ``now``."""

    def __init__(self, newest: int, applied: Sequence[int]) -> None:
        self.newest = newest
        self.applied = list(applied)
        self.published = dict.fromkeys(range(1, newest + 1), NOW - 60_000)
        self.renewed = NOW
        self.now = NOW
        self.expires = 9_000
        self.is_empty = False
        self.asked: list[int | None] = []
        self.reads: list[tuple[int, int]] = []
        self.lost: set[int] = set()

    def publish(self) -> None:
        self.newest += 1
        self.published[self.newest] = self.now

    async def view(self, sequence: int | None = None) -> RegistryView:
        self.asked.append(sequence)
        if self.is_empty:
            return RegistryView(self.now, None, (), None)
        fields = {"epoch": "1", "sequence": str(self.newest), "vouched": "run", "complete": "1"}
        nodes = tuple(
            NodeRecord(f"node-{number}", self.now + self.expires, self.renewed, 11_000, Position(1, applied))
            for number, applied in enumerate(self.applied, start=1)
        )
        asked = self.newest if sequence is None else sequence
        return RegistryView(self.now, Head.from_hash(fields, "run"), nodes, self.published.get(asked))

    async def views(self, sequences: Sequence[int | None]) -> list[RegistryView]:
        assert sequences, "it asks for nothing in vain"
        return [await self.view(sequence) for sequence in sequences]

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        self.reads.append((first, limit))
        found = range(first, min(self.newest, first + limit - 1) + 1)
        return [logged(sequence) for sequence in found if sequence not in self.lost]


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
    return LoggedEvent(sequence, str(sequence), encode_event(event), (f"client:r:client-{sequence}",))


class Screen:
    """A watcher that looks when told to."""

    def __init__(self, fleet: Fleet, *realms: str) -> None:
        self._watch = FleetWatch(fleet, cast("EventLog", fleet))
        self._may_see = realms.__contains__

    async def recent(self) -> list[dict[str, Any]]:
        return list((await self._watch.look()).describe(self._may_see)["recent"])

    async def touched(self) -> set[str] | None:
        touched = (await self._watch.look()).touched
        return None if touched is None else set(touched)


async def test_of_a_change_that_is_long_over_nobody_says_when_it_arrived() -> None:
    """Its nodes have renewed many times since: the time of the last renewal says nothing about it."""
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


async def test_a_look_tells_what_was_touched_since_the_last_one_or_that_it_cannot_tell() -> None:
    """A watcher is re-authenticated when an event concerns it, so none may be missed."""
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    assert await screen.touched() == set()
    for _ in range(200):
        fleet.publish()
    assert await screen.touched() == {f"client:r:client-{number}" for number in range(6, 206)}
    assert await screen.touched() == set()
    for _ in range(201):
        fleet.publish()
    assert await screen.touched() is None
    assert await screen.touched() == set()


async def test_a_node_may_have_applied_a_change_within_the_same_millisecond() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    await screen.recent()
    fleet.publish()
    fleet.applied = [6, 6]
    fleet.now += 40  # when it looks has nothing to do with it
    [flow] = await screen.recent()
    assert (flow["applied_ms"], flow["safe_ms"]) == ({"node-1": 0, "node-2": 0}, 0)


async def test_where_nobody_had_to_apply_a_change_it_was_safe_at_once() -> None:
    fleet = Fleet(5, [])
    screen = Screen(fleet, "shop")
    await screen.recent()
    fleet.publish()
    fleet.now += 40
    [flow] = await screen.recent()
    assert (flow["safe"], flow["safe_ms"]) == (True, 0)


async def test_a_change_is_safe_when_a_node_that_has_not_applied_it_cannot_answer_any_more() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    await screen.recent()
    fleet.publish()
    fleet.applied = [6, 5]
    fleet.now += 4
    fleet.renewed = fleet.now
    [flow] = await screen.recent()
    assert (flow["safe"], flow["safe_ms"]) == (False, None)
    fleet.now += 36
    fleet.expires = -1
    [flow] = await screen.recent()
    assert (flow["applied_ms"], flow["safe"], flow["safe_ms"]) == ({"node-1": 4}, True, 40)


async def test_an_empty_redis_touches_nothing() -> None:
    fleet = Fleet(5, [5])
    fleet.is_empty = True
    assert await Screen(fleet, "shop").touched() == set()


async def test_the_very_first_change_is_followed() -> None:
    fleet = Fleet(1, [0])
    fleet.published[1] = NOW - 100
    [flow] = await Screen(fleet, "shop").recent()
    assert (flow["sequence"], flow["client_id"]) == (1, "client-1")


async def test_it_asks_the_database_only_for_what_it_has_not_seen() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    for _ in range(2):
        await screen.recent()
    assert fleet.reads == []
    assert 5 in fleet.asked
    for _ in range(3):
        fleet.publish()
    await screen.recent()
    for _ in range(500):
        fleet.publish()
    await screen.recent()
    assert fleet.reads == [(6, 3), (309, 200)]
    empty = Fleet(0, [0])
    await Screen(empty, "shop").recent()
    assert empty.reads == []


async def test_the_last_eight_changes_are_followed() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    await screen.recent()
    seen = []
    for _ in range(10):
        fleet.publish()
        seen.append([flow["sequence"] for flow in await screen.recent()])
    assert seen[7:] == [list(range(6, 14)), list(range(7, 15)), list(range(8, 16))]


async def test_what_the_database_has_lost_is_not_followed() -> None:
    fleet = Fleet(5, [5, 5])
    screen = Screen(fleet, "shop")
    await screen.recent()
    fleet.publish()
    fleet.lost = {6}
    assert await screen.recent() == []


async def test_an_event_of_a_later_release_is_shown_by_its_type_alone() -> None:
    class Later(Fleet):
        async def read(self, first: int, limit: int) -> list[LoggedEvent]:
            payload = b'{"type":"of_a_later_release","sequence":6,"id":"6","occurred_at":0,"touches":[]}'
            return [LoggedEvent(6, "6", payload, ())]

    fleet = Later(5, [5, 5])
    screen = Screen(fleet)
    await screen.recent()
    fleet.publish()
    [flow] = await screen.recent()
    assert (flow["type"], flow["client_id"]) == ("of_a_later_release", None)
