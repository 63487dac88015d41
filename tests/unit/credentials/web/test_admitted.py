"""Requests take a place, except for health, and have none while they wait for their callers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.problems import on_keyturn_error
from keyturn_credentials.web.admitted import RETRY_SECONDS, Admitted
from keyturn_shared.errors import KeyturnError
from keyturn_shared.runtime.admission import Admission, Lane

PLACES = 4
Answer = Callable[[Request], Awaitable[Response]]


class Service:
    """An application behind an admission of four places."""

    def __init__(self, answer: Answer) -> None:
        self.registry = CollectorRegistry()
        loop = asyncio.get_running_loop()
        admission = Admission(PLACES, self.registry, loop.time)
        app = Starlette(
            routes=[Route("/{path:path}", answer, methods=["GET", "POST"])],
            middleware=[Middleware(Admitted, admission=admission)],
            exception_handlers={KeyturnError: on_keyturn_error},
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://credentials")

    def at_work(self, lane: Lane = Lane.ADMINISTRATORS) -> float:
        return self.registry.get_sample_value("keyturn_requests_at_work", {"lane": lane.value}) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - turns of the loop, which no event tells
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/admin/realms", Lane.ADMINISTRATORS),
        ("/console/", Lane.ADMINISTRATORS),
        ("/realms/acme/protocol/openid-connect/token", Lane.ADMINISTRATORS),
        ("/realms/rotation", Lane.ADMINISTRATORS),
        ("/admin/realms/rotation", Lane.ADMINISTRATORS),
        ("/realms/acme/rotation", Lane.CLIENTS),
        ("/realms/acme/rotation/key", Lane.CLIENTS),
        ("/health/ready", None),
        ("/metrics", None),
    ],
)
async def test_a_request_takes_a_place_of_its_lane(path: str, lane: Lane | None) -> None:
    seen: dict[Lane, float] = {}

    async def answer(_: Request) -> Response:
        seen.update({each: service.at_work(each) for each in Lane})
        return Response()

    service = Service(answer)
    await service.http.get(path)
    assert seen == {each: float(each is lane) for each in Lane}
    assert service.at_work() + service.at_work(Lane.CLIENTS) == 0


async def test_an_error_gives_the_place_back() -> None:
    async def answer(_: Request) -> Response:
        raise InvalidRequestError("no")

    service = Service(answer)
    for _ in range(PLACES + 1):
        assert (await service.http.get("/admin")).status_code == 400
    assert service.at_work() == 0


@pytest.mark.parametrize(
    ("path", "word"), [("/admin/realms", "overloaded"), ("/realms/acme/rotation", "temporarily_unavailable")]
)
async def test_a_refusal_is_in_the_words_of_its_endpoint(path: str, word: str) -> None:
    released = asyncio.Event()

    async def answer(_: Request) -> Response:
        await released.wait()
        return Response()

    service = Service(answer)
    held = [asyncio.create_task(service.http.get(path)) for _ in range(100)]
    await until(lambda: any(task.done() for task in held))
    refused = next(task for task in held if task.done()).result()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, str(RETRY_SECONDS))
    assert (refused.json()["code"], refused.json()["error"]) == ("overloaded", word)
    released.set()
    assert {each.status_code for each in await asyncio.gather(*held)} == {200, 503}


async def test_a_slow_sender_keeps_no_other_out() -> None:
    """More of them than there are places send their bodies after somebody else has been answered."""
    released = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"half"
        await released.wait()
        yield b"whole"

    async def answer(request: Request) -> Response:
        return Response(await request.body())

    service = Service(answer)
    slow = [asyncio.create_task(service.http.post("/admin", content=body())) for _ in range(3 * PLACES)]
    assert (await service.http.post("/admin", content=b"quick")).content == b"quick"
    assert not any(task.done() for task in slow)
    released.set()
    assert [each.content for each in await asyncio.gather(*slow)] == [b"halfwhole"] * 3 * PLACES
    assert service.at_work() == 0


async def test_a_request_whose_body_comes_when_no_place_is_free_is_refused() -> None:
    sent, released = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"half"
        await sent.wait()
        yield b"whole"

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            return Response(await request.body())
        await released.wait()
        return Response()

    service = Service(answer)
    slow = asyncio.create_task(service.http.post("/admin", content=body()))
    held = [asyncio.create_task(service.http.get("/admin")) for _ in range(PLACES)]
    await until(lambda: service.at_work() == PLACES)
    sent.set()
    refused = await slow
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    released.set()
    assert {each.status_code for each in await asyncio.gather(*held)} == {200}


async def test_a_response_that_has_begun_holds_no_place() -> None:
    released = asyncio.Event()
    begun = 0

    async def lines() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        yield b"begun"
        await released.wait()

    async def answer(_: Request) -> Response:
        return StreamingResponse(lines())

    service = Service(answer)
    streams = [asyncio.create_task(service.http.get("/admin")) for _ in range(3 * PLACES)]
    await until(lambda: begun == 3 * PLACES)
    assert service.at_work() == 0
    released.set()
    assert {each.status_code for each in await asyncio.gather(*streams)} == {200}
