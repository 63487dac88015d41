"""The relay publishes what was committed, in order, and notices when it must not."""

import pytest

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.fleet.reading import Loaded
from keyturn_shared.position import Position
from keyturn_shared.signed_log.head import event_name, read_head_statement
from tests.simulation.relay_scene import FIRST, KEYS, LAYOUT, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_what_is_in_order_is_stamped_and_goes_on(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.time += 5.0
    scene.log.change("a")
    assert await scene.relay.inspect()
    head = await scene.head()
    assert (head.position, head.stamped_at) == (Position(FIRST, 3), FIRST + 5_000)
    stated = read_head_statement(head.statement, KEYS.verification())
    assert (stated.epoch, stated.sequence, stated.at) == (FIRST, 3, FIRST + 5_000)
    assert stated.recent == event_name(1, "id-1") + event_name(2, "id-2"), "of the epoch's beginning"
    assert scene.log.state == FleetState(FIRST, None)
    assert scene.is_settled()


async def test_events_are_published_in_order_each_with_what_it_touched(scene: Scene) -> None:
    await scene.relay.inspect()
    assert await scene.relay.publish_new() == 0
    scene.log.change("a", "c")
    scene.log.change("b", deletes=True)
    assert await scene.relay.publish_new() == 2
    assert [(at.sequence, event.touches) for at, event in scene.stream()[1:]] == [
        (3, ("a", "c")),
        (4, ("b",)),
    ]
    assert await scene.read("c", FIRST) == (Loaded.FOUND, b'3:{"of":3}')
    assert await scene.read("b", FIRST) == (Loaded.ABSENT, b"")
    head = await scene.head()
    assert (head.position, head.event_id) == (Position(FIRST, 4), "id-4")
    assert (scene.sample("published_total"), scene.sample("head")) == (2, 4)


async def test_many_events_are_published_in_batches(scene: Scene) -> None:
    await scene.relay.inspect()
    for _ in range(450):
        scene.log.change("a")
    scene.log.reads.clear()
    assert await scene.relay.publish_new() == 450
    assert scene.log.reads == [(2, 201), (202, 201), (402, 201)]
    assert (await scene.head()).position.sequence == 452


async def test_an_event_is_not_published_with_the_projections_of_another_one(scene: Scene) -> None:
    """The database was set back after the events were read, and has another event under the same number."""
    await scene.relay.inspect()
    scene.log.change("a", id="lost")

    def set_back() -> None:
        scene.log.events.pop()
        scene.log.change("a", id="instead", deletes=True)

    scene.log.before_projections = [set_back]
    assert await scene.relay.publish_new() == 0
    assert not scene.relay.settled
    assert (await scene.head()).position.sequence == 2
    await scene.relay.inspect()
    assert (await scene.head()).event_id == "instead"


async def test_a_projection_of_a_lost_event_does_not_stay(scene: Scene) -> None:
    """An event was published with a state of the client that a later one made, and that one was lost."""
    await scene.relay.inspect()
    scene.log.change("a", id="first")

    def commit_later() -> None:
        scene.log.change("a", id="lost", deletes=True)

    scene.log.before_projections = [commit_later]
    assert await scene.relay.publish_new() == 1
    assert (await scene.read("a", FIRST))[0] is Loaded.ABSENT, "the later event deleted it"
    assert (await scene.head()).latest_id == "lost"
    scene.log.events.pop()
    scene.log.rows["a"] = (3, b'{"of":3}')
    scene.log.change("b")
    assert await scene.relay.publish_new() == 0, "not on top of what was lost"
    await scene.relay.inspect()
    head = await scene.head()
    assert head.event_id == scene.log.events[-1].id
    assert await scene.read("a", head.position.epoch) == (Loaded.FOUND, b'3:{"of":3}')


@pytest.mark.parametrize("commits_more", [True, False])
async def test_an_event_does_not_follow_one_that_the_database_has_lost(
    scene: Scene, commits_more: bool
) -> None:
    """A relay that stood still meanwhile finds another event in Redis under the number of its own."""
    await scene.relay.inspect()
    other = scene.make_relay("one")
    await other.inspect()
    scene.log.change("a", id="lost")
    assert await other.publish_new() == 1
    scene.log.events.pop()
    scene.log.change("a", id="instead", deletes=True)
    if commits_more:
        scene.log.change("b", id="more")
    assert await scene.relay.publish_new() == 0
    assert not scene.relay.settled
    assert (await scene.head()).event_id == "lost"
    await scene.relay.inspect()
    assert (await scene.head()).event_id == scene.log.events[-1].id
    assert (await scene.read("a", (await scene.head()).position.epoch))[0] is Loaded.ABSENT


async def test_nothing_is_published_before_redis_was_looked_at(scene: Scene) -> None:
    scene.log.change("a")
    assert await scene.relay.publish_new() == 0
    assert scene.scripts.run_names == []


async def test_an_event_that_another_relay_published_meanwhile_is_no_obstacle(scene: Scene) -> None:
    await scene.relay.inspect()
    other = scene.make_relay("one")
    await other.inspect()
    scene.log.change("a")
    scene.log.change("b")
    assert await other.publish_new() == 2
    assert await scene.relay.publish_new() == 0
    assert scene.is_settled()
    scene.log.change("c")
    assert await scene.relay.publish_new() == 1


async def test_a_relay_that_another_one_has_superseded_stops_and_says_so(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.time += 1.0
    scene.redis.direct(b"UNLINK", LAYOUT.head.encode())
    await scene.make_relay("one").inspect()
    scene.log.change("a")
    scene.log.change("a")
    assert await scene.relay.publish_new() == 0
    assert not scene.is_settled()
    assert scene.sample("refusals_total", outcome="superseded") == 1


async def test_a_database_that_is_not_the_one_of_this_head_is_noticed(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.log.events.pop()
    scene.log.change("b", id="another")
    scene.log.change("b")
    assert await scene.relay.publish_new() == 0
    assert not scene.is_settled()
    assert (await scene.head()).position == Position(FIRST, 2)
    scene.time += 1.0
    await scene.relay.inspect()
    head = await scene.head()
    assert (head.position, head.event_id) == (Position(FIRST + 1_000, 3), "id-3")
    assert scene.sample("epochs_total", reason="database_restored") == 1


async def test_a_database_that_lost_all_events_is_noticed(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.log.events.clear()
    assert await scene.relay.publish_new() == 0
    assert not scene.is_settled()


@pytest.mark.parametrize("gone", [False, True])
async def test_projections_older_than_their_event_are_not_published(scene: Scene, gone: bool) -> None:
    """The database was set back between the two reads."""
    await scene.relay.inspect()
    scene.log.change("a")
    if gone:
        del scene.log.rows["a"]
    else:
        scene.log.rows["a"] = (2, b"{}")
    assert await scene.relay.publish_new() == 0
    assert not scene.is_settled()
    assert (await scene.head()).position == Position(FIRST, 2)


async def test_the_very_first_event_is_the_one_that_redis_has(scene: Scene) -> None:
    scene.log.events.pop()
    await scene.relay.inspect()
    scene.log.events.clear()
    scene.log.change("a", id="another")
    scene.log.change("a")
    assert await scene.relay.publish_new() == 0
    assert not scene.is_settled()
