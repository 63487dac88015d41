"""Webhooks about notices are sent at least once, with one id, in order, for a day."""

import asyncio
import json

import pytest

from keyturn_credentials.domain.notices import DeliveryState
from keyturn_credentials.operations.notice_sender import AT_ONCE, Result
from keyturn_credentials.operations.targets import ClientTarget
from tests.conformance.store.conftest import ACTOR
from tests.conformance.store.notices.scene import BY_HAND, DAY, Scene

HOUR = 3_600


async def opened(scene: Scene) -> str:
    """Open a notice about a client; return the client's UUID."""
    uuid = await scene.create("orders", attributes=BY_HAND)
    await scene.after()
    return uuid


async def state(scene: Scene) -> DeliveryState | None:
    return (await scene.notices())[0].delivery


async def test_one_that_fails_is_sent_again_with_the_same_id_and_content(scene: Scene) -> None:
    await opened(scene)
    scene.posted.status = 500
    assert await scene.send() == [Result.FAILED]
    assert await scene.send(seconds=4) == []
    scene.posted.status = None
    assert await scene.send(seconds=2) == [Result.FAILED]
    assert await state(scene) is DeliveryState.PENDING
    scene.posted.status = 200
    assert await scene.send(seconds=10) == [Result.DELIVERED]
    assert await scene.send(seconds=DAY) == []
    assert len(set(scene.posted.ids)) == len(set(scene.posted.bodies)) == 1
    assert len(scene.posted.ids) == 3
    assert await state(scene) is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 503])
async def test_whatever_is_no_success_is_tried_again(scene: Scene, status: int) -> None:
    await opened(scene)
    scene.posted.status = status
    assert await scene.send() == [Result.FAILED]
    scene.posted.status = 204
    assert await scene.send(seconds=6) == [Result.DELIVERED]


async def test_after_a_day_it_is_given_up_and_the_notice_says_so(scene: Scene) -> None:
    await opened(scene)
    scene.posted.status = 503
    results: list[Result] = []
    for _ in range(50):
        results += await scene.send(seconds=HOUR)
    assert results[-1] is Result.GIVEN_UP
    assert set(results[:-1]) == {Result.FAILED}
    assert len(set(scene.posted.ids)) == 1
    assert await state(scene) is DeliveryState.GIVEN_UP
    await scene.after()
    assert await scene.send() == []


async def test_a_receiver_that_wants_no_more_is_not_asked_again_about_it(scene: Scene) -> None:
    await opened(scene)
    scene.posted.status = 410
    assert await scene.send() == [Result.GIVEN_UP]
    assert await scene.send(seconds=DAY) == []
    assert await state(scene) is DeliveryState.GIVEN_UP


async def test_the_closing_is_told_after_the_opening(scene: Scene) -> None:
    uuid = await opened(scene)
    scene.posted.status = 500
    await scene.send()
    await scene.operations.clients.delete(ClientTarget(ACTOR, "acme", uuid))
    await scene.after()
    scene.posted.status = 204
    assert await scene.send() == []
    for _ in range(3):
        await scene.send(seconds=10)
    types = [json.loads(body)["type"] for body in scene.posted.bodies]
    assert types == ["notice.opened", "notice.opened", "notice.closed"]
    assert len(set(scene.posted.ids)) == 2


async def test_an_attempt_that_was_counted_and_not_made_is_made_again(scene: Scene) -> None:
    """An instance that dies between the commit and the request leaves it like this."""
    await opened(scene)

    async def die(*_: object, **__: object) -> int:
        raise asyncio.CancelledError

    post, scene.posted.post = scene.posted.post, die  # type: ignore[method-assign]  # dies in its place
    with pytest.raises(asyncio.CancelledError):
        await scene.send()
    scene.posted.post = post  # type: ignore[method-assign]  # lives again
    scene.clock.time += 6
    assert await scene.instances[1].sender.send_due() == [Result.DELIVERED]
    assert len(scene.posted.ids) == 1


async def test_two_senders_at_once_send_it_once(scene: Scene) -> None:
    for number in range(AT_ONCE):
        await scene.create(f"orders-{number}", attributes=BY_HAND)
    await scene.after()
    await asyncio.gather(*(instance.sender.send_due() for instance in scene.instances))
    assert len(scene.posted.ids) == len(set(scene.posted.ids)) == AT_ONCE


async def test_a_clock_that_is_set_back_does_not_delay_an_attempt(scene: Scene) -> None:
    await opened(scene)
    scene.posted.status = 500
    await scene.send()
    scene.posted.status = 204
    assert await scene.send(seconds=-5 * HOUR) == [Result.DELIVERED]


async def test_no_more_than_some_are_sent_at_once(scene: Scene) -> None:
    for number in range(AT_ONCE + 2):
        await scene.create(f"orders-{number}", attributes=BY_HAND)
    await scene.after()
    assert len(await scene.send()) == AT_ONCE
    assert len(await scene.send()) == 2
