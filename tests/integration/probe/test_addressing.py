"""Requests to one address of a name: the name stays in the Host field and in TLS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from keyturn.admin_cli.exits import CommandError
from keyturn.probe.judgement import Answer, Place
from keyturn.probe.node_requests import MAX_BYTES, NodeRequests, Presented, Told
from keyturn.probe.targets import Node, nodes_of
from keyturn_shared.secret import Secret
from tests.testkit.ports import find_free_port
from tests.testkit.served import served
from tests.testkit.tls import ServerTls

CANARY = Presented("canary", Secret("s"), "a.b.c")


class Recorder:
    """Answers with one status and body, and keeps the requests' heads. ``status`` None: never."""

    def __init__(self, status: int | None = 200, body: bytes = b'{"access_token": "t"}') -> None:
        self.status = status
        self.body = body
        self.seen: list[tuple[str, dict[bytes, bytes]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append((scope["path"], dict(scope["headers"])))
        if self.status is None:
            await asyncio.Event().wait()
        headers = [(b"location", b"http://127.0.0.1:1/")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@asynccontextmanager
async def asking(
    app: Recorder, tls: ServerTls | None = None, **headers: str
) -> AsyncIterator[tuple[NodeRequests, int]]:
    """Yield requests, which trust the server, and its port."""
    authority = None if tls is None else str(tls.authority)
    requests = NodeRequests("acme", authority, {"X-Forwarded-For": "192.0.2.1"} | headers)
    async with served(app, tls=tls) as url:
        port = httpx.URL(url).port
        assert port is not None
        yield requests, port
    requests.close()


async def ask(requests: NodeRequests, url: str, place: Place = Place.TOKEN) -> Told:
    return await asyncio.to_thread(requests.ask, Node(httpx.URL(url), "127.0.0.1"), place, CANARY)


async def test_the_name_is_in_the_host_field_and_below_a_path() -> None:
    app = Recorder()
    async with asking(app) as (requests, port):
        told = await ask(requests, f"http://verifier.test:{port}/id/")
    assert (told.answer, told.token) == (Answer.ACCEPTED, "t")
    ((path, headers),) = app.seen
    assert path == "/id/realms/acme/protocol/openid-connect/token"
    assert headers[b"host"] == f"verifier.test:{port}".encode()
    assert headers[b"x-forwarded-for"] == b"192.0.2.1"


async def test_the_name_must_be_in_the_certificate(tmp_path: Path) -> None:
    """The certificate is for localhost and 127.0.0.1: the address that is asked does not count."""
    tls = ServerTls.make(tmp_path)
    app = Recorder()
    async with asking(app, tls) as (requests, port):
        assert (await ask(requests, f"https://localhost:{port}")).answer is Answer.ACCEPTED
        refused = await ask(requests, f"https://verifier.test:{port}")
    assert refused.answer is Answer.UNREACHED
    assert "certificate" in refused.detail
    assert len(app.seen) == 1


async def test_an_authority_that_is_not_named_is_not_trusted(tmp_path: Path) -> None:
    tls = ServerTls.make(tmp_path)
    async with served(Recorder(), tls=tls) as url:
        requests = NodeRequests("acme", None)
        told = await ask(requests, url)
        requests.close()
    assert told.answer is Answer.UNREACHED


@pytest.mark.parametrize("place", Place)
async def test_a_redirect_is_not_followed(place: Place) -> None:
    app = Recorder(307, b"")
    async with asking(app) as (requests, port):
        told = await ask(requests, f"http://127.0.0.1:{port}", place)
    assert told.answer is Answer.UNDECIDED
    assert len(app.seen) == 1


async def test_a_response_that_is_too_long_or_never_comes_decides_nothing() -> None:
    app = Recorder(200, b" " * (MAX_BYTES + 1))
    async with asking(app) as (requests, port):
        assert (await ask(requests, f"http://127.0.0.1:{port}")).answer is Answer.UNDECIDED
        app.status = None
        told = await ask(requests, f"http://127.0.0.1:{port}")
    assert (told.answer, told.detail) == (Answer.UNREACHED, "no response within 5 s")


async def test_nobody_listens() -> None:
    requests = NodeRequests("acme", None)
    told = await ask(requests, f"http://127.0.0.1:{find_free_port()}")
    requests.close()
    assert told.answer is Answer.UNREACHED


def test_authorities_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be used as certificates"):
        NodeRequests("acme", str(tmp_path / "missing.pem"))


def test_this_machine_by_its_name_is_one_node() -> None:
    nodes, unresolved = nodes_of([httpx.URL("http://localhost:8080")])
    assert ([node.address for node in nodes], unresolved) == (["127.0.0.1"], [])
