"""The local stack's gateway: nginx with the file of ``keyturn up``, in front of real servers."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from keyturn.local.ports import ReservedPort
from keyturn.stack.child import Child
from keyturn.stack.gateway import BODY_BYTES, UPLOAD_BYTES_A_SECOND, gateway_configuration
from keyturn.stack.nginx import CONFIGURATION, nginx_command
from keyturn.stack.supervisor import describe_failed_start
from keyturn_shared.network.proxy_headers import PROXY_HEADERS
from tests.integration.gateways.upstreams import Upstream, anything
from tests.testkit.nginx import serve_configuration
from tests.testkit.processes import Processes
from tests.testkit.served import served
from tests.testkit.waiting import in_time

Before = Callable[..., contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]

_ATTACK_SECONDS = 2.0
_UNREAD_BYTES = 16 * 1024 * 1024
"""Maximum that the kernel holds for a reader that lags behind."""


class Stack:
    """A gateway in front of one credentials service and two nodes, and a client of it."""

    def __init__(self) -> None:
        self.credentials = Upstream("credentials")
        self.first = Upstream("first")
        self.second = Upstream("second")
        self.http = httpx.AsyncClient()


@pytest.fixture
def gateway_before(nginx: Path, processes: Processes, tmp_path: Path) -> Before:
    """Starts a gateway in front of a credentials service and nodes; yields a client of it."""

    @contextlib.asynccontextmanager
    async def before(credentials: str, *nodes: str, **options: str) -> AsyncIterator[httpx.AsyncClient]:
        with ReservedPort() as port, ReservedPort() as inner:
            configuration = gateway_configuration(
                f"127.0.0.1:{port.number}",
                f"127.0.0.1:{inner.number}",
                credentials,
                nodes,
                connections=256,
                **options,
            )
            await serve_configuration(nginx, processes, tmp_path, configuration, port.base_url)
            async with httpx.AsyncClient(base_url=port.base_url, trust_env=False, timeout=60) as http:
                yield http

    return before


@pytest.fixture
async def stack(gateway_before: Before) -> AsyncIterator[Stack]:
    built = Stack()
    async with (
        served(anything(built.credentials.answer)) as credentials,
        served(anything(built.first.answer)) as first,
        served(anything(built.second.answer)) as second,
        gateway_before(credentials, first, second, certificate_header="X-Own-Cert") as built.http,
    ):
        yield built


async def test_a_port_that_somebody_took_in_the_last_moment_is_named(nginx: Path, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        ReservedPort() as inner,
        (tmp_path / "lock").open("wb") as lock,
    ):
        port = taken.getsockname()[1]
        nowhere = "http://[::1]:1"
        addresses = (f"127.0.0.1:{port}", f"127.0.0.1:{inner.number}")
        configuration = gateway_configuration(*addresses, nowhere, [nowhere], connections=64)
        (tmp_path / CONFIGURATION).write_text(configuration)
        command = nginx_command(nginx, tmp_path)
        log = tmp_path / "gateway.log"
        base_url = f"http://127.0.0.1:{port}"
        child = Child("gateway", command, base_url, {}, log=log, lock=lock.fileno(), watches=False)
        await child.start()
        try:
            assert await in_time(child.wait()) == "exit code 1"
        finally:
            await child.stop(1)
        message = describe_failed_start(child)
    assert message.startswith("gateway ended (exit code 1) before it was ready; its last lines:")
    assert f"bind() to 127.0.0.1:{port} failed" in message


async def test_each_path_goes_to_the_service_that_answers_it(stack: Stack) -> None:
    master = ("/realms/master/protocol/x", "/.well-known/openid-configuration/realms/master")
    rotation = "/realms/demo/rotation"
    own_rotation = (rotation, f"{rotation}/delivered", f"{rotation}/key")
    for path in (
        "/admin/realms",
        "/console/",
        "/console",
        "/health/ready",
        "/metrics",
        *master,
        *own_rotation,
    ):
        assert (await stack.http.get(path)).json()["name"] == "credentials", path
    names = [(await stack.http.get("/realms/demo/x")).json()["name"] for _ in range(4)]
    assert names in (["first", "second"] * 2, ["second", "first"] * 2)
    assert (await stack.http.get("/.well-known/x/realms/demo")).json()["name"] in ("first", "second")
    for path in ("/administrator", "/realmsx", "/etc/passwd", "/.well-knownx"):
        answer = await stack.http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert answer.json()["status"] == 404


async def test_the_root_leads_to_the_console(stack: Stack) -> None:
    answer = await stack.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/console/")


async def test_path_query_body_and_status_pass_unchanged(stack: Stack) -> None:
    stack.credentials.status = 409
    target = "/admin/realms/a%2Fb//%2e%2e?q=x%20y&q=2"
    answer = await stack.http.post(target, content=b"body", headers={"host": "kt:1"})
    seen = answer.json()
    assert answer.status_code == 409
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", target, "body")
    assert ["host", "kt:1"] in seen["headers"]
    assert answer.headers["keyturn-sequence"] == "7"


async def test_whatever_a_caller_says_in_a_gateways_name_is_dropped(stack: Stack) -> None:
    forged = dict.fromkeys(PROXY_HEADERS, "203.0.113.9")
    forged |= {name.replace("-", "_"): "203.0.113.9" for name in PROXY_HEADERS}
    forged |= {"X-Own-Cert": "203.0.113.9", "X_Own_Cert": "203.0.113.9"}
    for path in ("/realms/demo/x", "/admin/realms"):
        headers = (await stack.http.get(path, headers=forged)).json()["headers"]
        assert "203.0.113.9" not in str(headers)
        told = {name: value for name, value in headers if name in PROXY_HEADERS}
        host = stack.http.base_url.netloc.decode()
        assert told == {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-host": host}


async def test_an_offer_of_another_protocol_is_not_passed_on_and_loses_no_body(stack: Stack) -> None:
    """Java's HttpClient sends every request like this (RFC 9113 3.1: such an offer must be ignored)."""
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}
    for path in ("/realms/demo/token", "/admin/realms"):
        inner = b"GET /admin/inner HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await stack.http.post(path, headers=offer, content=inner)
        seen = answer.json()
        assert (answer.status_code, seen["body"].encode()) == (200, inner)
        assert not {name for name, _ in seen["headers"]} & {"upgrade", "te", "trailer"}
    assert stack.credentials.asked == 1


async def test_trailers_become_no_headers(stack: Stack) -> None:
    host, port = stack.http.base_url.host, stack.http.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        b"POST /realms/demo/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
        b"Trailer: Client-Cert\r\n\r\n4\r\nform\r\n0\r\nClient-Cert: forged\r\nAuthorization: forged\r\n\r\n"
    )
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 200")
    assert '"body": "form"' in answer
    assert "forged" not in answer


async def test_a_node_without_a_lease_is_passed_over(stack: Stack) -> None:
    stack.first.status = 503
    answers = [await stack.http.post("/realms/demo/token", content=b"form") for _ in range(8)]
    assert [(answer.status_code, answer.json()["name"], answer.json()["body"]) for answer in answers] == [
        (200, "second", "form")
    ] * 8
    assert stack.first.asked >= 3, "it is not marked as down"


async def test_when_every_node_refuses_the_caller_gets_a_nodes_refusal(stack: Stack) -> None:
    stack.first.status = stack.second.status = 503
    for asked in (1, 2, 3):
        answer = await stack.http.post("/realms/demo/token")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["name"] in ("first", "second")
        assert (stack.first.asked, stack.second.asked) == (asked, asked)


async def test_a_service_that_is_gone_is_told_and_a_node_passed_over(
    gateway_before: Before,
) -> None:
    alive = Upstream("alive")
    with ReservedPort() as nobody:
        gone = nobody.base_url
        async with served(anything(alive.answer)) as url, gateway_before(gone, gone, gone, url) as http:
            for _ in range(5):
                assert (await http.post("/realms/demo/token")).json()["name"] == "alive"
            refused = await http.get("/admin/realms")
    assert (refused.status_code, refused.headers["retry-after"]) == (502, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["title"] == "Bad gateway"


async def test_a_change_that_may_have_been_made_is_not_sent_again(gateway_before: Before) -> None:
    asked: list[str] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[0])
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    broken = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, gateway_before(broken, broken) as http:
        changing = await http.post("/admin/realms")
    assert (changing.status_code, asked) == (502, ["POST"])


async def test_a_body_that_is_too_long_is_refused(stack: Stack) -> None:
    good = await stack.http.post("/admin/realms", content=b"x" * BODY_BYTES)
    answer = await stack.http.post("/admin/realms", content=b"x" * (BODY_BYTES + 1))
    assert (good.status_code, answer.status_code, answer.json()["title"]) == (200, 413, "Content too large")
    assert stack.credentials.asked == 1


async def test_what_is_no_request_gets_a_problem(stack: Stack) -> None:
    answer = await stack.http.get("/admin/realms", headers={"X-Long": "x" * 200_000})
    assert (answer.status_code, answer.json()["status"]) == (431, 431)
    refused = await stack.http.get("/admin/realms", headers={"Host": "a b"})
    assert (refused.status_code, refused.json()["title"]) == (400, "Bad request")


@pytest.mark.parametrize(
    "path", ["/realms/demo/token", "/nowhere"], ids=["a body that is passed on", "one that is thrown away"]
)
async def test_no_connection_is_read_faster_than_is_allowed(stack: Stack, path: str) -> None:
    """nginx itself reads chunk extensions, and a body that it throws away, as fast as its core can."""
    address = (stack.http.base_url.host, stack.http.base_url.port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;".encode()
    sent, begun = 0, time.monotonic()
    with socket.create_connection(address, timeout=_ATTACK_SECONDS) as attacker:
        attacker.sendall(head)
        with contextlib.suppress(OSError):
            while time.monotonic() < begun + _ATTACK_SECONDS:
                sent += attacker.send(b"a" * 65536)
    seconds = time.monotonic() - begun + 1
    assert sent <= UPLOAD_BYTES_A_SECOND * seconds + _UNREAD_BYTES
    assert (await stack.http.get("/admin/realms")).status_code == 200


async def test_the_callers_address_is_the_one_of_the_connection(stack: Stack) -> None:
    address = (stack.http.base_url.host, stack.http.base_url.port)
    async with httpx.AsyncClient(
        base_url=stack.http.base_url, transport=httpx.AsyncHTTPTransport(local_address="127.0.0.7")
    ) as other:
        headers = dict((await other.get("/realms/demo/x")).json()["headers"])
    assert headers["x-forwarded-for"] == "127.0.0.7"
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"PROXY TCP4 203.0.113.9 127.0.0.1 1 80\r\nGET /realms/demo/x HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await in_time(reader.readuntil(b"\r\n"))
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_events_are_passed_on_as_they_come(gateway_before: Before) -> None:
    more = asyncio.Event()

    async def events(_: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await more.wait()
            yield b"data: 2\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    async with (
        served(anything(events)) as url,
        gateway_before(url, url) as http,
        http.stream("GET", "/admin/events", headers={"Accept": "text/event-stream"}) as answer,
    ):
        chunks = answer.aiter_bytes()
        first = await anext(chunks)
        more.set()
        rest = b"".join([chunk async for chunk in chunks])
    assert (first, rest) == (b"data: 1\n\n", b"data: 2\n\n")
