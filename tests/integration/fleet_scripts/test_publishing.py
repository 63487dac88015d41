"""Refusals of the relay's scripts, one guard at a time, none of which change anything."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from keyturn_shared.fleet.reading import Loaded
from keyturn_shared.fleet.relay_channel import Published
from keyturn_shared.position import Position
from tests.integration.fleet_scripts.conftest import EPOCH, LAYOUT, Fleet, publication
from tests.testkit.redis_reading import entries_of

OTHER = EPOCH + 1


async def publish(fleet: Fleet, sequence: int, epoch: int = EPOCH, **projections: bytes | None) -> Published:
    [outcome] = await fleet.relay.publish(epoch, [publication(sequence, **projections)])
    return outcome


async def stamp(fleet: Fleet, epoch: int = EPOCH) -> bool:
    seen = await fleet.look()
    assert seen.head is not None
    head = replace(seen.head, position=Position(epoch, 1))
    return await fleet.relay.stamp(head, seen=seen, statement=b"newer")


# Everything that writes for an epoch, and whether it did.
WRITERS: dict[str, Callable[[Fleet, int], Awaitable[bool]]] = {}


def writer(write: Callable[[Fleet, int], Awaitable[bool]]) -> Callable[[Fleet, int], Awaitable[bool]]:
    WRITERS[write.__name__] = write
    return write


@writer
async def publish_an_event(fleet: Fleet, epoch: int) -> bool:
    return await publish(fleet, 2, epoch, a=b"new") is Published.PUBLISHED


@writer
async def write_a_projection(fleet: Fleet, epoch: int) -> bool:
    return await fleet.relay.write_projections(epoch, [("b", 1, b"{}")])


@writer
async def complete(fleet: Fleet, epoch: int) -> bool:
    return await fleet.relay.complete_epoch(epoch)


@writer
async def stamp_the_head(fleet: Fleet, epoch: int) -> bool:
    return await stamp(fleet, epoch)


@writer
async def close_in_good_order(fleet: Fleet, epoch: int) -> bool:
    return await fleet.relay.close(epoch, "nonce")


@writer
async def bring_marks_back(fleet: Fleet, epoch: int) -> bool:
    return await fleet.assertions().restore_marks(epoch, [("kt:{0}:jti:x:y", 5.0)])


@pytest.mark.parametrize("name", WRITERS)
async def test_a_writer_writes_in_the_epoch_in_force_of_a_redis_that_is_vouched_for(
    fleet: Fleet, name: str
) -> None:
    assert await WRITERS[name](fleet, EPOCH)


@pytest.mark.parametrize("epoch", [EPOCH - 1, EPOCH + 1])
@pytest.mark.parametrize("name", WRITERS)
async def test_a_writer_of_another_epoch_changes_nothing(fleet: Fleet, name: str, epoch: int) -> None:
    await fleet.redis.hset(LAYOUT.projections(epoch), mapping={"complete": "1"})
    before = await fleet.everything()
    assert not await WRITERS[name](fleet, epoch)
    assert await fleet.everything() == before


@pytest.mark.parametrize("vouched", ["another-process", ""])
@pytest.mark.parametrize("name", WRITERS)
async def test_nothing_is_written_to_a_redis_that_nobody_vouched_for(
    fleet: Fleet, name: str, vouched: str
) -> None:
    await fleet.set_head(vouched=vouched)
    before = await fleet.everything()
    assert not await WRITERS[name](fleet, EPOCH)
    assert await fleet.everything() == before


async def test_an_event_comes_once_and_in_order(fleet: Fleet) -> None:
    assert await publish(fleet, 3) is Published.GAP
    assert await publish(fleet, 1) is Published.DUPLICATE
    assert await publish(fleet, 0) is Published.DUPLICATE
    assert await publish(fleet, 2) is Published.PUBLISHED
    assert await publish(fleet, 2) is Published.DUPLICATE
    assert (await fleet.head("sequence"), await fleet.head("event_id")) == ("2", "event-2")
    assert [entry for entry, _ in await entries_of(fleet.redis, LAYOUT.events)] == [b"3-1", b"3-2"]


async def test_another_event_under_the_newest_number_is_refused(fleet: Fleet) -> None:
    before = await fleet.everything()
    wrong = replace(publication(1, a=b"new"), event_id="another")
    assert await fleet.relay.publish(EPOCH, [wrong]) == [Published.DIVERGED]
    assert await fleet.everything() == before


@pytest.mark.parametrize("previous", ["another", "", "event-2"])
async def test_an_event_follows_only_the_one_before_it(fleet: Fleet, previous: str) -> None:
    before = await fleet.everything()
    wrong = replace(publication(2, a=b"new"), previous_id=previous)
    both = [wrong, publication(3, a=b"newer")]
    assert await fleet.relay.publish(EPOCH, both) == [Published.DIVERGED, Published.GAP]
    assert await fleet.everything() == before


async def test_who_writes_has_seen_the_latest_event_that_projections_come_from(fleet: Fleet) -> None:
    early = replace(publication(2, a=b"of five"), latest=(5, "event-5"))
    assert await fleet.relay.publish(EPOCH, [early]) == [Published.PUBLISHED]
    head = (await fleet.look()).head
    assert head is not None
    assert (head.latest_sequence, head.latest_id) == (5, "event-5")
    before = await fleet.everything()
    for known in ("", "another"):
        third = replace(publication(3, a=b"three"), known_latest=known, latest=(6, "event-6"))
        assert await fleet.relay.publish(EPOCH, [third]) == [Published.DIVERGED]
        assert not await fleet.relay.write_projections(EPOCH, [("b", 1, b"{}")], known_latest=known)
    assert await fleet.everything() == before
    seen = replace(publication(3, a=b"three"), known_latest="event-5", latest=(4, "event-4"))
    assert await fleet.relay.publish(EPOCH, [seen]) == [Published.PUBLISHED]
    assert (await fleet.head("latest_sequence"), await fleet.head("latest_id")) == ("5", "event-5")
    assert await fleet.relay.write_projections(
        EPOCH, [("b", 1, b"{}")], known_latest="event-5", latest=(7, "event-7")
    )
    assert await fleet.head("latest_sequence") == "7"


async def test_the_head_stands_for_what_it_has_reached(fleet: Fleet) -> None:
    early = replace(publication(2, a=b"of three"), latest=(3, "event-3"))
    own = replace(publication(3, a=b"three"), known_latest="event-3", latest=(3, "event-3"))
    assert await fleet.relay.publish(EPOCH, [early, own]) == [Published.PUBLISHED] * 2
    assert await publish(fleet, 4) is Published.PUBLISHED
    await fleet.open(OTHER, 4)
    assert await fleet.head("latest_sequence") == "0"


async def test_a_stream_that_is_further_than_its_head_takes_no_event(fleet: Fleet) -> None:
    await fleet.redis.xadd(LAYOUT.events, {"x": "y"}, id=f"{EPOCH}-2")
    before = await fleet.everything()
    assert await publish(fleet, 2, a=b"new") is Published.DIVERGED
    assert await fleet.everything() == before


async def test_an_event_brings_its_projections_and_takes_away_what_is_gone(fleet: Fleet) -> None:
    assert await publish(fleet, 2, a=b"new", b=b"first") is Published.PUBLISHED
    assert (await fleet.projection("a"), await fleet.projection("b")) == (b"2:new", b"2:first")
    assert await publish(fleet, 3, a=None) is Published.PUBLISHED
    assert (await fleet.projection("a"), await fleet.projection("b")) == (None, b"2:first")


async def test_neither_a_filling_nor_an_event_overwrites_what_is_newer(fleet: Fleet) -> None:
    assert await fleet.relay.write_projections(EPOCH, [("a", 5, b"five")])
    assert await fleet.projection("a") == b"5:five"
    assert await fleet.relay.write_projections(EPOCH, [("a", 4, b"four"), ("a", 5, b"other")])
    assert await publish(fleet, 2, a=b"two") is Published.PUBLISHED
    assert await publish(fleet, 3, a=None) is Published.PUBLISHED
    assert await fleet.projection("a") == b"5:five"


async def test_a_filling_whose_beginning_was_lost_is_not_complete(fleet: Fleet) -> None:
    await fleet.open(OTHER)
    await fleet.redis.delete(LAYOUT.projections(OTHER))
    assert await fleet.relay.write_projections(OTHER, [("a", 1, b"{}")])
    assert not await fleet.relay.complete_epoch(OTHER)
    assert await fleet.head("complete") == "0"


async def test_projections_that_were_complete_and_are_gone_are_missed(fleet: Fleet) -> None:
    assert await fleet.relay.find_loss(EPOCH) == ""
    await fleet.redis.delete(LAYOUT.projections(EPOCH))
    assert await fleet.relay.find_loss(EPOCH) == "projections_lost"
    assert await fleet.relay.find_loss(OTHER) == ""
    await fleet.set_head(complete="0")
    assert await fleet.relay.find_loss(EPOCH) == ""
    await fleet.set_head(complete="1", marked=OTHER)  # by a relay of an earlier release, which set no mark
    assert await fleet.relay.find_loss(EPOCH) == ""


async def test_the_heads_event_is_missed(fleet: Fleet) -> None:
    """Without it, no node passes this head."""
    assert await publish(fleet, 2) is Published.PUBLISHED
    assert await fleet.relay.find_loss(EPOCH) == ""
    await fleet.redis.xdel(LAYOUT.events, f"{EPOCH}-2")
    assert await fleet.relay.find_loss(EPOCH) == "event_lost"
    assert await fleet.relay.find_loss(OTHER) == ""


@pytest.mark.parametrize(
    ("record", "loss"),
    [
        (f"1|1|1|{EPOCH}|9|{{}}", ""),
        (f"1|1|1|{EPOCH + 1}|9|{{}}", "nodes_ahead"),
        ("1|1|1|999999999999999|9|{}", "nodes_ahead"),
        ("1|1|1|1000000000000000|9|{}", ""),
        (f"1|1|1|x{EPOCH + 1}|9|{{}}", ""),
        ("anything", ""),
    ],
)
async def test_a_node_in_a_newer_epoch_is_noticed(fleet: Fleet, record: str, loss: str) -> None:
    """Database and Redis were both set back, and a clock was behind: the node goes to no older epoch."""
    await fleet.redis.hset(LAYOUT.nodes, mapping={"node": record, "other": "1|1|1|1|1|{}"})
    assert await fleet.relay.find_loss(EPOCH) == loss
    assert await fleet.relay.find_loss(OTHER) == ""
    if loss:
        assert await fleet.relay.newest_epoch() > EPOCH
    else:
        assert await fleet.relay.newest_epoch() == EPOCH


async def test_projections_of_the_epoch_in_force_are_not_forgotten(fleet: Fleet) -> None:
    await fleet.redis.hset(LAYOUT.projections(2), mapping={"a": "1:{}"})
    await fleet.relay.forget_projections(2)
    await fleet.relay.forget_projections(EPOCH)
    assert await fleet.projection("a", 2) is None
    assert await fleet.projection("a") == b"1:{}"


async def test_the_newest_epoch_is_known_by_the_head_and_by_the_stream(fleet: Fleet) -> None:
    assert await fleet.relay.newest_epoch() == EPOCH
    await fleet.set_head(epoch=7)
    assert await fleet.relay.newest_epoch() == 7
    await fleet.redis.delete(LAYOUT.head)
    assert await fleet.relay.newest_epoch() == EPOCH
    await fleet.redis.delete(LAYOUT.events)
    assert await fleet.relay.newest_epoch() == 0


# -- reads of a node


@pytest.mark.parametrize(
    ("head", "applied", "field", "outcome"),
    [
        ({}, Position(EPOCH, 1), "a", Loaded.FOUND),
        ({}, Position(EPOCH, 0), "a", Loaded.FOUND),
        ({}, Position(EPOCH, 1), "b", Loaded.ABSENT),
        ({}, Position(EPOCH, 2), "a", Loaded.BEHIND),
        ({}, Position(EPOCH + 1, 1), "a", Loaded.OTHER_EPOCH),
        ({}, Position(EPOCH - 1, 1), "a", Loaded.OTHER_EPOCH),
        ({"vouched": "another-process"}, Position(EPOCH, 1), "a", Loaded.UNTRUSTED),
        ({"vouched": ""}, Position(EPOCH, 1), "a", Loaded.UNTRUSTED),
        ({"complete": "0"}, Position(EPOCH, 1), "a", Loaded.FOUND),
        ({"complete": "0"}, Position(EPOCH, 1), "b", Loaded.INCOMPLETE),
    ],
)
async def test_how_a_projection_is_found(
    fleet: Fleet, head: dict[str, str], applied: Position, field: str, outcome: Loaded
) -> None:
    if head:
        await fleet.set_head(**head)
    assert (await fleet.reader.load(field, applied)).outcome is outcome


async def test_an_absent_projection_among_lost_ones_is_none_that_is_not_there(fleet: Fleet) -> None:
    await fleet.redis.delete(LAYOUT.projections(EPOCH))
    assert (await fleet.reader.load("b", Position(EPOCH, 1))).outcome is Loaded.LOST


async def test_events_are_published_in_one_round_trip_also_by_a_redis_that_forgot_the_script(
    fleet: Fleet,
) -> None:
    assert await publish(fleet, 2) is Published.PUBLISHED
    await fleet.redis.script_flush()
    outcomes = await fleet.relay.publish(EPOCH, [publication(3), publication(4)])
    assert outcomes == [Published.PUBLISHED, Published.PUBLISHED]
    await fleet.redis.config_resetstat()
    outcomes = await fleet.relay.publish(EPOCH, [publication(5), publication(6)])
    assert outcomes == [Published.PUBLISHED, Published.PUBLISHED]
    asked = {name for name in await fleet.redis.info("commandstats") if "script" in name}
    assert asked == set()
