"""A node that cannot reach the credentials service says so to administrators, and serves all others."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.certificates.headers import CertificateHeader
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_shared.projection import RealmProjection
from keyturn_verifier.web.administrators import MAX_BYTES, MAX_CONCURRENT, CredentialsServiceClient
from tests.testkit.filled_redis import Filling, client_of, realm_of
from tests.testkit.nodes import RunningNode, basic, running_node
from tests.testkit.ports import find_free_port

SECRET = "a secret"
FORM = b"grant_type=client_credentials"


@pytest.fixture
async def alone(redis_url: str, filling: Filling, realm: RealmProjection) -> AsyncIterator[RunningNode]:
    """A node whose credentials service is unavailable."""
    await filling.change(realm, client_of(realm, "boss", administers=True))
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    away = f"http://127.0.0.1:{find_free_port()}"
    async with running_node(redis_url, credentials_url=away) as node:
        yield node


async def test_an_administrator_hears_that_nobody_can_answer_it_and_everybody_else_is_served(
    alone: RunningNode,
) -> None:
    refused = await alone.token_by_secret("acme", "boss", SECRET)
    assert (refused.status_code, refused.json()["error"]) == (400, "admin_tokens_elsewhere")
    assert refused.headers["cache-control"] == "no-store"
    assert (await alone.token_by_secret("acme", "worker", SECRET)).status_code == 200
    assert await alone.ready()


async def test_a_node_that_is_told_of_none_says_so(
    redis_url: str, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "boss", administers=True))
    async with running_node(redis_url) as node:
        refused = await node.token_by_secret("acme", "boss", SECRET)
        assert (refused.status_code, refused.json()["error"]) == (400, "admin_tokens_elsewhere")
        asked = {"tokens": ["a.b.c"]}
        headers = {"Authorization": basic("boss", SECRET)}
        refused = await node.http.post("/realms/acme/verify", json=asked, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (400, "admin_tokens_elsewhere")


async def test_all_of_a_realm_that_administers_are_sent_on(
    redis_url: str, filling: Filling, realm: RealmProjection
) -> None:
    """The node does not look whether there is such a client."""
    await filling.open(realm_of("chief", administers=True, signing_keys=()))
    async with running_node(redis_url) as node:
        refused = await node.token_by_secret("chief", "anybody", SECRET)
        assert (refused.status_code, refused.json()["error"]) == (400, "admin_tokens_elsewhere")


class Service(httpx.AsyncBaseTransport):
    """A credentials service that records its requests."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        # Like a connection's: unread.
        headers = [pair for pair in self.answer.headers.raw if pair[0].lower() != b"content-length"]
        return httpx.Response(
            self.answer.status_code, headers=headers, stream=httpx.ByteStream(self.answer.content)
        )


async def send_on(service: Service, **changes: Any) -> Reply:
    proxies = TrustedProxies(())
    client = CredentialsServiceClient(
        "http://credentials:8080",
        CertificateSource(CertificateHeader()),
        CallerAddress(proxies),
        transport=service,
    )
    given: dict[str, Any] = {
        "method": "POST",
        "path": "/realms/a b/protocol/openid-connect/token",
        "realm": "a b",
        "query": b"x=1",
        "headers": [(b"authorization", b"Basic YTpi"), (b"content-type", b"text/plain")],
        "body": FORM,
        "address": "203.0.113.9",
        **changes,
    }
    return await client(Request(**given))


async def test_what_is_sent_on_is_what_the_answer_depends_on_and_nothing_else() -> None:
    service = Service(httpx.Response(200, json={"access_token": "x"}))
    more = [
        *((b"authorization", b"Basic YTpi"), (b"content-type", b"text/plain"), (b"dpop", b"a.b.c")),
        *((b"cookie", b"a=b"), (b"x-forwarded-for", b"10.0.0.1"), (b"client-cert", b":AA==:")),
        *((b"host", b"elsewhere"), (b"connection", b"upgrade"), (b"transfer-encoding", b"chunked")),
    ]
    reply = await send_on(service, headers=more)
    assert (reply.status, reply.body) == (200, b'{"access_token":"x"}')
    (sent,) = service.asked
    assert (sent.method, sent.content) == ("POST", FORM)
    assert str(sent.url) == "http://credentials:8080/realms/a%20b/protocol/openid-connect/token"
    assert {name.lower() for name in sent.headers} == {
        *("authorization", "content-type", "dpop", "via", "x-forwarded-for", "host", "content-length"),
    }
    assert sent.headers["x-forwarded-for"] == "203.0.113.9"


async def test_what_comes_back_is_what_a_client_may_read_and_nothing_else() -> None:
    headers = {
        "WWW-Authenticate": 'Basic realm="x"',
        "Cache-Control": "no-store",
        "Retry-After": "7",
        "Set-Cookie": "a=b",
        "Server": "x",
        "Connection": "close",
    }
    reply = await send_on(Service(httpx.Response(401, json={"error": "invalid_client"}, headers=headers)))
    assert reply.status == 401
    assert {name for name, _ in reply.headers} == {
        *(b"www-authenticate", b"cache-control", b"retry-after", b"content-type"),
    }


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_service_in_trouble_does_not_make_the_node_look_broken(status: int) -> None:
    reply = await send_on(Service(httpx.Response(status)))
    assert reply.status == 400
    assert b"admin_tokens_elsewhere" in reply.body


async def test_an_answer_without_an_end_is_not_read_to_the_end() -> None:
    reply = await send_on(Service(httpx.Response(200, content=b"x" * (MAX_BYTES + 1))))
    assert (reply.status, b"admin_tokens_elsewhere" in reply.body) == (400, True)


async def test_a_request_that_a_node_sent_goes_no_further() -> None:
    """``KEYTURN_CREDENTIALS_URL`` names a gateway that leads back to the nodes."""
    service = Service(httpx.Response(200))
    await send_on(service)
    via = (b"via", service.asked[0].headers["via"].encode() + b", 1.1 gateway")
    reply = await send_on(service, headers=[via])
    assert (reply.status, b"admin_tokens_elsewhere" in reply.body) == (400, True)
    assert len(service.asked) == 1


async def test_more_than_may_be_sent_on_at_a_time_are_turned_away(
    redis_url: str, filling: Filling, realm: RealmProjection
) -> None:
    """The service answers no request; meanwhile all other callers are served."""
    await filling.change(realm, client_of(realm, "boss", administers=True))
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    asked = 0
    let_go = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await let_go.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with running_node(redis_url, credentials_url=f"http://127.0.0.1:{port}") as node:
        waiting = [
            asyncio.create_task(node.token_by_secret("acme", "boss", SECRET))
            for _ in range(MAX_CONCURRENT + 5)
        ]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status_code for task in done} == {400}
        assert (await node.token_by_secret("acme", "worker", SECRET)).status_code == 200
        let_go.set()
        refused = await asyncio.gather(*waiting)
        assert {each.json()["error"] for each in refused} == {"admin_tokens_elsewhere"}
        assert asked <= MAX_CONCURRENT
    server.close()
    await server.wait_closed()
