"""Every holder of a record in the registry can write nonsense there, resource servers included."""

import pytest

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import summarize
from keyturn_shared.position import BEGINNING
from tests.integration.relay.conftest import ACTOR, TERMS, Scene
from tests.integration.relay.seen import add_client, stream
from tests.testkit.waiting import wait_until

NODES = Layout().nodes
NONSENSE = {
    "nothing": b"",
    "a word": b"x",
    "too few numbers": b"1|2|3",
    "letters": b"a|b|c|d|e|{}",
    "a negative number": b"-1|1|1|1|1|{}",
    "a number without an end": b"9" * 5000 + b"|1|1|1|1|{}",
    "no text": b"\xff\xfe",
}
UNREADABLE_DETAILS = {"nothing": b"", "a list": b"[]", "half an object": b"{", "nested": b"[" * 5000}


@pytest.mark.parametrize("record", NONSENSE.values(), ids=NONSENSE.keys())
async def test_a_record_that_is_nonsense_stops_no_event_and_is_waited_for_like_a_lost_node(
    scene: Scene, record: bytes
) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    assert await relay.inspect()
    await scene.redis.hset(NODES, "hostile", record)
    await add_client(scene, "a")
    assert await relay.publish_new() == 1
    summary = summarize(await scene.registry.view(2), 2)
    assert summary.pending == ("hostile",)
    # It may replace the record of a living node, which holds a lease for a term at most.
    assert await relay.inspect()
    (node,) = (await scene.registry.view(2)).nodes
    assert (node.node_id, node.applied) == ("hostile", BEGINNING)
    assert node.expires_at - node.renewed_at == node.term_ms == (TERMS.seconds + TERMS.margin) * 1000

    async def its_term_is_over() -> bool:
        return summarize(await scene.registry.view(2), 2).safe

    await wait_until(its_term_is_over, timeout=30)
    assert len(await stream(scene.redis)) == 2


@pytest.mark.parametrize("details", UNREADABLE_DETAILS.values(), ids=UNREADABLE_DETAILS.keys())
async def test_details_that_cannot_be_read_are_none(scene: Scene, details: bytes) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    assert await relay.inspect()
    await scene.redis.hset(NODES, "hostile", b"1|1|1|1|1|" + details)
    (node,) = (await scene.registry.view()).nodes
    assert node.applied.sequence == 1
    assert not node.details
    assert await relay.inspect()


async def test_a_fleet_with_a_record_that_is_nonsense_is_not_closed_in_good_order(scene: Scene) -> None:
    await scene.realms.create(ACTOR, {"realm": "acme"})
    relay = scene.relay()
    assert await relay.inspect()
    await scene.redis.hset(NODES, "hostile", b"x")
    assert not await relay.close()
