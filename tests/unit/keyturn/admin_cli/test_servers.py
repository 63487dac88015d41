"""Calls to a server that misbehaves, or that nobody should call."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from keyturn.admin_cli import servers
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.servers import Server, check_server, connect
from tests.testkit.served import served
from tests.testkit.tls import ServerTls


def server(answer: Callable[[httpx.Request], httpx.Response]) -> Server:
    return Server(httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(answer)))


def refused_by(answer: Callable[[httpx.Request], httpx.Response], method: str = "GET") -> CommandError:
    with pytest.raises(CommandError) as refused:
        server(answer).send(method, "/admin/realms")
    return refused.value


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com",
        "http://10.0.0.1:8080",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://localhost",
        "localhost:8080",
        "https://",
        "https://admin:secret@id.example.com",
        "https://id.example.com?realm=acme",
        "https://id.example.com/#x",
        "https://id.example.com:port",
    ],
)
def test_a_server_is_reached_over_tls_by_a_plain_url(url: str) -> None:
    with pytest.raises(CommandError) as refused:
        check_server(url, insecure_http=False)
    assert refused.value.exit_code is ExitCode.USAGE
    assert "secret" not in refused.value.detail


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080", "http://localhost/auth/"]
)
def test_http_is_for_this_machine(url: str) -> None:
    assert str(check_server(url, insecure_http=False)) == url.rstrip("/")


def test_http_to_another_machine_is_for_those_who_ask_for_it() -> None:
    assert check_server("http://id.example.com", insecure_http=True).host == "id.example.com"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_token_goes_nowhere_else(status: int) -> None:
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(status, headers={"Location": "https://evil.test/"})

    error = refused_by(answer)
    assert [url.host for url in seen] == ["id.test"]
    assert (error.exit_code, "https://evil.test/" in error.detail) == (ExitCode.FAILED, True)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
def test_a_server_that_is_not_there_is_not_reachable(error: type[httpx.TransportError]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error("gone")

    assert refused_by(answer).exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize(("method", "unknown"), [("GET", False), ("POST", True)])
def test_a_change_without_an_answer_may_have_been_made(method: str, unknown: bool) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    error = refused_by(answer, method)
    assert error.exit_code is ExitCode.UNREACHABLE
    assert ("the change may have been made" in error.detail) is unknown


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_is_not_available_is_not_reachable(status: int) -> None:
    error = refused_by(lambda _: httpx.Response(status, json={"detail": "the database does not answer"}))
    assert error.exit_code is ExitCode.UNREACHABLE
    assert "the database does not answer" in error.detail


def test_a_response_without_an_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "MAX_BYTES", 1000)
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield b"x" * 100

    error = refused_by(lambda _: httpx.Response(200, content=body()))
    assert "longer than" in error.detail
    assert sent < 3000


def test_a_response_that_drips_is_given_up() -> None:
    now = 0.0

    def body() -> Iterator[bytes]:
        nonlocal now
        while True:
            now += 5
            yield b"x"

    http = httpx.Client(
        base_url="https://id.test",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body())),
    )
    with pytest.raises(CommandError, match="no response within 30 s") as refused:
        Server(http, elapsed=lambda: now).send("GET", "/")
    assert refused.value.exit_code is ExitCode.UNREACHABLE


def test_something_else_than_json_is_not_keyturn() -> None:
    received = server(lambda _: httpx.Response(200, text="<html>")).send("GET", "/")
    with pytest.raises(CommandError, match="is this the URL of keyturn"):
        received.json("/")


def test_a_path_of_the_base_url_is_kept() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200)

    http = httpx.Client(base_url="https://id.test/auth", transport=httpx.MockTransport(answer))
    Server(http).send("GET", "/admin/realms")
    assert seen == ["/auth/admin/realms"]


async def test_only_a_certificate_of_a_trusted_authority_is_accepted(tmp_path: Path) -> None:
    async def app(_: object, __: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[]"})

    tls = {}
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
        tls[name] = ServerTls.make(tmp_path / name)

    def call(url: str, ca_file: str | None) -> int:
        server = connect(check_server(url, insecure_http=False), ca_file)
        try:
            return server.send("GET", "/").status
        finally:
            server.close()

    async with served(app, tls=tls["own"]) as url:
        assert await asyncio.to_thread(call, url, str(tls["own"].authority)) == 200
        for ca_file in (None, str(tls["other"].authority)):
            with pytest.raises(CommandError, match="CERTIFICATE_VERIFY_FAILED") as refused:
                await asyncio.to_thread(call, url, ca_file)
            assert refused.value.exit_code is ExitCode.UNREACHABLE


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    for text in (None, "no certificate"):
        if text is not None:
            file.write_text(text)
        with pytest.raises(CommandError) as refused:
            connect(httpx.URL("https://id.test"), str(file))
        assert refused.value.exit_code is ExitCode.USAGE
        assert isinstance(refused.value.__cause__, OSError | ssl.SSLError)
