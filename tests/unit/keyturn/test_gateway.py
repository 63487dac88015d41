"""The gateway of the local stack, in front of real servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from keyturn.stack.gateway import BODY_BYTES, Gateway
from keyturn.stack.ports import ReservedPort
from tests.unit.keyturn.upstreams import Upstream, anything, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Stack:
    """A gateway before one credentials service and two nodes, and a client of it."""

    def __init__(self) -> None:
        self.credentials = Upstream("credentials")
        self.first = Upstream("first")
        self.second = Upstream("second")
        self.http = httpx.AsyncClient()


@contextlib.asynccontextmanager
async def gateway_before(credentials: str, *nodes: str) -> AsyncIterator[httpx.AsyncClient]:
    gateway = Gateway(credentials, nodes)
    async with serve(gateway) as url, httpx.AsyncClient(base_url=url) as http:
        yield http
    await gateway.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Stack]:
    built = Stack()
    async with (
        serve(anything(built.credentials.answer)) as credentials,
        serve(anything(built.first.answer)) as first,
        serve(anything(built.second.answer)) as second,
        gateway_before(credentials, first, second) as built.http,
    ):
        yield built


@pytest.fixture
def stack(running: Stack) -> Stack:
    for upstream in (running.credentials, running.first, running.second):
        upstream.asked, upstream.status = 0, 200
    return running


@pytest.mark.parametrize("path", ["/admin/realms", "/console/", "/health/ready", "/metrics"])
async def test_the_administration_goes_to_the_credentials_service(stack: Stack, path: str) -> None:
    answer = await stack.http.get(path)
    assert answer.json()["name"] == "credentials"


async def test_realms_go_to_the_nodes_in_turn(stack: Stack) -> None:
    names = [(await stack.http.get("/realms/demo/x")).json()["name"] for _ in range(4)]
    assert names in (["first", "second"] * 2, ["second", "first"] * 2)


@pytest.mark.parametrize("path", ["/administrator", "/realmsx", "/etc/passwd", "/../admin"])
async def test_other_paths_are_served_by_nobody(stack: Stack, path: str) -> None:
    answer = await stack.http.get(path)
    assert answer.status_code in (200, 404)
    if answer.status_code == 404:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_root_leads_to_the_console(stack: Stack) -> None:
    answer = await stack.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/console/")


async def test_path_query_body_and_status_pass_unchanged(stack: Stack) -> None:
    stack.credentials.status = 409
    answer = await stack.http.post(
        "/admin/realms/a%2Fb?q=x%20y&q=2", content=b"body", headers={"host": "kt:1"}
    )
    seen = answer.json()
    assert answer.status_code == 409
    assert (seen["method"], seen["target"], seen["body"]) == (
        "POST",
        "/admin/realms/a%2Fb?q=x%20y&q=2",
        "body",
    )
    assert ["host", "kt:1"] in seen["headers"]
    assert answer.headers["keyturn-sequence"] == "7"


async def test_headers_of_one_hop_stay_on_it(stack: Stack) -> None:
    sent = {"Connection": "keep-alive, X-Hop", "X-Hop": "1", "TE": "trailers", "Proxy-Authorization": "a"}
    answer = await stack.http.get("/admin/realms", headers=sent)
    names = {name for name, _ in answer.json()["headers"]}
    assert names.isdisjoint({"x-hop", "te", "proxy-authorization"})
    assert "x-private" not in answer.headers


async def test_what_a_caller_says_in_a_gateways_name_is_dropped(stack: Stack) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Client-Cert": "x",
        "X_Forwarded_For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "Client-Cert": ":x:",
        "X-SSL-Client-Cert": "x",
    }
    headers = (await stack.http.get("/realms/demo/x", headers=forged)).json()["headers"]
    given = dict(headers)
    assert given["x-forwarded-for"] == "127.0.0.1"
    assert "203.0.113.9" not in str(headers)
    assert given.keys().isdisjoint(
        {"x-forwarded-client-cert", "forwarded", "client-cert", "x-ssl-client-cert"}
    )


async def test_a_node_without_a_lease_is_passed_over(stack: Stack) -> None:
    stack.first.status = 503
    answers = [await stack.http.post("/realms/demo/token", content=b"form") for _ in range(4)]
    assert [(answer.status_code, answer.json()["name"], answer.json()["body"]) for answer in answers] == [
        (200, "second", "form")
    ] * 4


async def test_when_every_node_refuses_the_caller_gets_a_nodes_refusal(stack: Stack) -> None:
    stack.first.status = stack.second.status = 503
    answer = await stack.http.post("/realms/demo/token")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (stack.first.asked, stack.second.asked) == (1, 1)


async def test_a_node_that_refuses_connections_is_passed_over(stack: Stack) -> None:
    with ReservedPort() as nobody:
        gone = nobody.base_url
        async with serve(anything(stack.first.answer)) as alive, gateway_before(gone, gone, alive) as http:
            assert (await http.post("/realms/demo/token")).json()["name"] == "first"
            refused = await http.get("/admin/realms")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")


async def test_a_request_that_may_have_been_carried_out_is_not_sent_again() -> None:
    asked: list[str] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[0])
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    broken = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, gateway_before(broken, broken, broken) as http:
        changing = await http.post("/realms/demo/token")
        reading = await http.get("/realms/demo/certs")
    assert (changing.status_code, reading.status_code) == (502, 503)
    assert asked == ["POST", "GET", "GET"]


async def test_a_body_that_is_too_long_is_refused(stack: Stack) -> None:
    answer = await stack.http.post("/admin/realms", content=b"x" * (BODY_BYTES + 1))
    assert answer.status_code == 413
    assert stack.credentials.asked == 0


async def test_events_are_passed_on_as_they_come() -> None:
    more = asyncio.Event()

    async def events(_: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await more.wait()
            yield b"data: 2\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    async with (
        serve(anything(events)) as url,
        gateway_before(url, url) as http,
        http.stream("GET", "/admin/events", headers={"Accept": "text/event-stream"}) as answer,
    ):
        chunks = answer.aiter_bytes()
        first = await anext(chunks)
        more.set()
        rest = b"".join([chunk async for chunk in chunks])
    assert (first, rest) == (b"data: 1\n\n", b"data: 2\n\n")
