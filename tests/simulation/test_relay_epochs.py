"""The relay opens epochs: fills an empty Redis, carries one over, and fills anew what it cannot trust."""

import pytest
from prometheus_client import CollectorRegistry

from keyturn_credentials.relay.event_log import FleetState
from keyturn_shared.events import (
    EpochOpened,
)
from keyturn_shared.fleet.reading import Loaded
from keyturn_shared.position import Position
from keyturn_shared.signed_log.head import event_name, read_head_statement
from tests.simulation.redis_model.data import Data
from tests.simulation.relay_scene import FIRST, KEYS, LAYOUT, NEW_KEYS, OTHER_LOG, WALL, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_an_empty_redis_is_filled_in_a_new_epoch(scene: Scene) -> None:
    assert not scene.is_settled()
    assert await scene.relay.inspect()
    assert scene.is_settled()
    head = await scene.head()
    assert (head.position, head.event_id, head.complete, head.trusted) == (
        Position(FIRST, 2),
        "id-2",
        True,
        True,
    )
    assert (head.lease_ms, head.margin_ms) == (10_000, 1_000)
    assert scene.log.state == FleetState(FIRST, None)
    assert await scene.read("a", FIRST) == (Loaded.FOUND, b'1:{"of":1}')
    assert await scene.read("c", FIRST) == (Loaded.ABSENT, b"")
    ((at, event),) = scene.stream()
    assert (at, type(event)) == (Position(FIRST, 2), EpochOpened)
    assert (event.id, event.sequence, event.reason) == ("new-one-0", 2, "redis_empty")
    assert event.occurred_at == WALL
    assert scene.sample("epochs_total", reason="redis_empty") == 1
    assert scene.scripts.run_names.count("sweep_nodes") == 1


async def test_a_database_without_events_has_an_epoch_too(scene: Scene) -> None:
    scene.log.events.clear()
    scene.log.rows.clear()
    assert await scene.relay.inspect()
    head = await scene.head()
    assert (head.position, head.event_id, head.complete) == (Position(FIRST, 0), "", True)
    assert scene.log.reads == [(1, 201)], "there is no event to look at"
    assert read_head_statement(head.statement, KEYS.verification()).recent == ""
    scene.log.change("a")
    assert await scene.relay.publish_new() == 1
    assert (await scene.head()).position == Position(FIRST, 1)


async def test_a_restarted_redis_that_has_everything_is_carried_over(scene: Scene) -> None:
    await scene.relay.inspect()
    former = await scene.head()
    scene.time += 2.0
    scene.restart()
    assert not (await scene.head()).trusted
    assert await scene.relay.inspect()
    head, epoch = await scene.head(), FIRST + 2_000
    assert (head.position, head.event_id, head.trusted, head.complete) == (
        Position(epoch, 2),
        "id-2",
        True,
        True,
    )
    assert head.waits_after == FIRST + 2_000 + 11_000
    assert scene.log.state == FleetState(epoch, None)
    assert await scene.read("a", epoch) == (Loaded.FOUND, b'1:{"of":1}')
    ((at, event),) = scene.stream()[1:]
    assert (at, event.reason) == (Position(epoch, 2), "redis_restarted")
    assert scene.sample("epochs_total", reason="redis_restarted") == 1
    stated = read_head_statement(head.statement, KEYS.verification())
    assert (stated.epoch, stated.sequence, stated.at) == (epoch, 2, FIRST + 2_000)
    assert former.waits_after < head.waits_after
    scene.log.change("c")
    assert await scene.relay.publish_new() == 1


async def test_a_restarted_redis_that_lacks_an_event_is_filled_anew(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.log.change("a")
    scene.time += 2.0
    scene.restart()
    await scene.relay.inspect()
    epoch = FIRST + 2_000
    assert scene.sample("epochs_total", reason="redis_behind_after_restart") == 1
    assert await scene.read("a", epoch) == (Loaded.FOUND, b'3:{"of":3}')
    assert "forget_projections" in scene.scripts.run_names
    assert scene.redis.direct(b"EXISTS", LAYOUT.projections(FIRST).encode()) == 0


async def test_lost_projections_are_written_again(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.redis.direct(b"UNLINK", LAYOUT.projections(FIRST).encode())
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.sample("epochs_total", reason="projections_lost") == 1
    assert await scene.read("a", FIRST + 1_000) == (Loaded.FOUND, b'1:{"of":1}')


async def test_where_the_heads_event_is_gone_nodes_get_a_new_epoch(scene: Scene) -> None:
    """Without the event no node passes the head, and waits would last until the next change."""
    await scene.relay.inspect()
    scene.redis.direct(b"UNLINK", LAYOUT.events.encode())
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.sample("epochs_total", reason="event_lost") == 1
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.sample("epochs_total", reason="event_lost") == 1


async def test_after_a_change_of_key_everything_is_signed_anew() -> None:
    scene = Scene(keys=NEW_KEYS)
    await scene.make_relay("one", keys=KEYS).inspect()
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.sample("epochs_total", reason="signing_key_changed") == 1
    head = await scene.head()
    assert read_head_statement(head.statement, NEW_KEYS.first_alone()).epoch == FIRST + 1_000


async def test_a_redis_of_another_log_is_filled_anew(scene: Scene) -> None:
    await scene.relay.inspect()
    scene.log.log_id = OTHER_LOG
    scene.time += 1.0
    other = scene.make_relay("one", registry=(registry := CollectorRegistry()))
    await other.inspect()
    labels = {"reason": "signing_key_changed"}
    assert registry.get_sample_value("keyturn_relay_epochs_total", labels) == 1
    assert await scene.read("a", FIRST + 1_000, OTHER_LOG) == (Loaded.FOUND, b'1:{"of":1}')


async def test_of_two_who_begin_an_epoch_one_does(scene: Scene) -> None:
    """The database's record decides, before Redis hears of it."""
    scene.scripts.before["newest_epoch"] = [lambda: setattr(scene.log, "state", FleetState(FIRST + 5, None))]
    await scene.relay.inspect()
    assert not scene.is_settled()
    assert (await scene.channel.look()).head is None
    assert scene.log.state == FleetState(FIRST + 5, None)


async def test_the_first_event_names_the_log_too(scene: Scene) -> None:
    scene.log.events.pop()
    await scene.relay.inspect()
    stated = read_head_statement((await scene.head()).statement, KEYS.verification())
    assert stated.recent == event_name(1, "id-1")
    assert scene.log.reads[:2] == [(1, 1), (1, 1)]


@pytest.mark.parametrize("left", [1, 0])
async def test_an_epoch_begins_only_at_an_event_that_is_there(scene: Scene, left: int) -> None:
    """Between the two reads the database was set back."""
    del scene.log.events[left + 1 :]
    scene.scripts.before["newest_epoch"] = [scene.log.events.pop]
    sound = scene.log.head

    async def head() -> int:
        return left + 1

    scene.log.head = head  # type: ignore[method-assign]  # as it was a moment before
    await scene.relay.inspect()
    assert (await scene.channel.look()).head is None
    scene.log.head = sound  # type: ignore[method-assign]  # as it is
    await scene.relay.inspect()
    assert (await scene.head()).position.sequence == left


async def test_a_filling_publishes_meanwhile_and_does_not_write_over_that() -> None:
    scene = Scene(fill_batch=1)
    scene.log.between = [lambda: scene.log.change("b"), lambda: scene.log.change("c")]
    await scene.relay.inspect()
    head = await scene.head()
    assert (head.position.sequence, head.complete) == (4, True)
    assert await scene.read("b", FIRST) == (Loaded.FOUND, b'3:{"of":3}')
    assert await scene.read("c", FIRST) == (Loaded.FOUND, b'4:{"of":4}')
    assert [at.sequence for at, _ in scene.stream()] == [2, 3, 4]


async def test_what_was_deleted_while_it_was_filled_does_not_come_back() -> None:
    scene = Scene(fill_batch=1)
    scene.log.change("z")
    scene.log.between = [lambda: scene.log.change("b", deletes=True)]
    await scene.relay.inspect()
    assert await scene.read("b", FIRST) == (Loaded.ABSENT, b"")
    assert await scene.read("z", FIRST) == (Loaded.FOUND, b'3:{"of":3}')


async def test_a_filling_ends_when_redis_is_lost(scene: Scene) -> None:
    scene = Scene(fill_batch=1)
    scene.scripts.before["write_projections"] = [lambda: scene.restart(data=Data())]
    await scene.relay.inspect()
    assert not scene.is_settled()
    assert scene.scripts.run_names.count("write_projections") == 1
    assert "complete_epoch" not in scene.scripts.run_names


async def test_a_filling_that_lost_what_it_wrote_is_not_complete(scene: Scene) -> None:
    lost = [lambda: scene.redis.direct(b"UNLINK", LAYOUT.projections(FIRST).encode())]
    scene.scripts.before["complete_epoch"] = lost
    await scene.relay.inspect()
    assert not scene.is_settled()
    assert not (await scene.head()).complete
    scene.time += 1.0
    await scene.relay.inspect()
    assert scene.sample("epochs_total", reason="filling_interrupted") == 1
    assert (await scene.head()).complete


async def test_a_long_filling_keeps_the_right_to_relay_and_ends_without_it() -> None:
    scene = Scene(fill_batch=1)
    for name in "cdefg":
        scene.log.change(name)

    def wait() -> None:
        scene.time += 0.6

    scene.log.between = [wait] * 6
    await scene.relay.inspect()
    assert len(scene.log.granted) == 4, "once a second"
    assert scene.is_settled()
    scene.redis.direct(b"UNLINK", LAYOUT.head.encode())
    scene.log.between = [wait, wait, lambda: setattr(scene.log, "holder", "another"), wait, wait, wait]
    await scene.relay.inspect()
    assert not scene.is_settled()
    assert not (await scene.head()).complete
