"""The queue of the shadow is bounded, and an answer never waits for it."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from keyturn_shared.oauth.web.messages import Reply, Request, json_reply
from keyturn_verifier.shadow.other_server import ShadowError
from keyturn_verifier.shadow.shadow import MAX_WAITING, WORKERS, Shadow, ShadowedEndpoint

ACTIVE = json_reply(200, {"active": True, "client_id": "orders"})


class Other:
    """Notes what it is asked, and answers when it is let to."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.let = asyncio.Event()
        self.closed = False

    async def introspect(self, realm: str, token: str) -> dict[str, Any]:
        self.asked.append((realm, token))
        await self.let.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        self.closed = True


class Scene:
    """A shadow of another server, with the draws of a test."""

    def __init__(self, answer: dict[str, Any] | Exception, share: float = 1.0, *draws: float) -> None:
        self.other = Other(answer)
        self.registry = CollectorRegistry()
        left = iter(draws)
        self.shadow = Shadow(
            self.other, share, self.registry, elapsed=lambda: 0.0, draw=lambda: next(left, 0.0)
        )

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"keyturn_shadow_{name}_total", labels) or 0.0


def asking(token: str = "t", reply: Reply = ACTIVE) -> tuple[Request, Reply]:
    body = f"token={token}&client_secret=of-the-caller".encode()
    return Request("POST", "/", "acme", b"", [], body, "127.0.0.1"), reply


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_waits_is_bounded_and_more_is_dropped() -> None:
    scene = Scene({"active": True, "client_id": "orders"})
    await scene.shadow.start()
    await turns()
    for number in range(MAX_WAITING + 50):
        scene.shadow.offer(*asking(f"t{number}"))
    assert scene.count("dropped") == 50
    scene.other.let.set()
    for _ in range(MAX_WAITING):
        await turns()
    assert scene.count("comparisons", kind="agreed") == MAX_WAITING
    assert scene.other.asked[0] == ("acme", "t0")
    await scene.shadow.stop()
    assert scene.other.closed


async def test_no_more_questions_than_workers_are_asked_at_a_time() -> None:
    scene = Scene({"active": False})
    await scene.shadow.start()
    for _ in range(20):
        scene.shadow.offer(*asking())
    await turns()
    assert len(scene.other.asked) == WORKERS
    await scene.shadow.stop()


async def test_only_the_share_is_asked_and_only_plain_answers() -> None:
    scene = Scene({"active": True, "client_id": "other"}, 0.25, 0.1, 0.25, 0.9, 0.2)
    scene.other.let.set()
    await scene.shadow.start()
    for _ in range(4):
        scene.shadow.offer(*asking())
    scene.shadow.offer(*asking(reply=Reply(200, b"a.jwt.x", [(b"content-type", b"application/jwt")])))
    scene.shadow.offer(*asking(reply=json_reply(401, {"error": "invalid_client"})))
    await turns()
    assert scene.count("comparisons", kind="differed") == 2
    assert scene.count("differing_members", member="client_id") == 2
    await scene.shadow.stop()


async def test_failures_are_counted_by_reason_and_slow_the_questions_down() -> None:
    """A server that is away is not asked about everything that waits."""
    scene = Scene(ShadowError("timeout"))
    scene.other.let.set()
    await scene.shadow.start()
    for _ in range(20):
        scene.shadow.offer(*asking())
    await turns()
    assert scene.count("failures", reason="timeout") == WORKERS
    assert all(task.running for task in scene.shadow.tasks)
    await scene.shadow.stop()


async def test_the_answer_is_that_of_the_endpoint() -> None:
    scene = Scene({"active": False})

    class Endpoint:
        async def __call__(self, request: Request) -> Reply:
            return ACTIVE

        def at_once(self, request: Request) -> Reply | None:
            return next(answers)

    answers = iter([None, ACTIVE])
    request, _ = asking()
    endpoint = ShadowedEndpoint(Endpoint(), scene.shadow)
    assert await endpoint(request) is ACTIVE
    assert endpoint.at_once(request) is None
    assert endpoint.at_once(request) is ACTIVE
    await scene.shadow.start()
    await turns()
    assert len(scene.other.asked) == 2
    await scene.shadow.stop()


@pytest.mark.parametrize("answer", [{"active": True}, {"active": False}])
async def test_nothing_is_asked_without_a_share(answer: dict[str, Any]) -> None:
    scene = Scene(answer, 0.0)
    await scene.shadow.start()
    scene.shadow.offer(*asking())
    await turns()
    assert scene.other.asked == []
    await scene.shadow.stop()
