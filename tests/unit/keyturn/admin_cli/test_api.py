"""Calls of the admin API that are refused, and what is said of them."""

from collections.abc import Callable

import httpx
import pytest

from keyturn.admin_cli.api import PAGE, AdminApi, path_of
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.servers import Server


class OneToken:
    """A token that can be renewed so many times."""

    def __init__(self, renewals: int = 0) -> None:
        self._left = renewals
        self._text = "first"

    def current(self) -> str:
        return self._text

    def renew(self) -> bool:
        self._left -= 1
        self._text = "renewed"
        return self._left >= 0


def api(answer: Callable[[httpx.Request], httpx.Response], renewals: int = 0) -> AdminApi:
    http = httpx.Client(base_url="https://id.test", transport=httpx.MockTransport(answer))
    return AdminApi(Server(http), OneToken(renewals))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, ExitCode.FAILED),
        (401, ExitCode.NOT_ALLOWED),
        (403, ExitCode.NOT_ALLOWED),
        (404, ExitCode.FAILED),
        (409, ExitCode.FAILED),
        (429, ExitCode.FAILED),
        (500, ExitCode.FAILED),
        (503, ExitCode.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("body", [b'{"detail": "why it is refused"}', b"[]", b'"text"', b"\xff", b""])
def test_a_refusal_ends_with_its_exit_code_and_the_servers_words(
    status: int, code: ExitCode, body: bytes
) -> None:
    refusing = api(lambda _: httpx.Response(status, content=body))
    for call in (
        lambda: refusing.get("/admin/realms"),
        lambda: refusing.change("POST", "/admin/realms", wait=1),
    ):
        with pytest.raises(CommandError) as refused:
            call()
        assert refused.value.exit_code is code
        said = "why it is refused" if b"why" in body else f"status {status}"
        assert refused.value.detail.endswith(said)


def test_a_token_that_was_refused_is_renewed_once() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200 if len(seen) == 2 else 401, json=[])

    assert api(answer, renewals=1).get_list("/admin/realms") == []
    assert seen == ["Bearer first", "Bearer renewed"]
    with pytest.raises(CommandError):
        api(answer, renewals=1).get("/admin/realms")
    assert len(seen) == 4


def test_a_change_asks_to_wait_and_reads_what_the_fleet_says() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["prefer"])
        headers = {"Keyturn-Sequence": "7", "Keyturn-Fleet": "nodes=2, applied=1, fenced=0, pending=1"}
        return httpx.Response(204, headers=headers)

    change = api(answer).change("DELETE", "/admin/realms/acme", wait=5)
    assert (change.sequence, change.is_unconfirmed, change.body) == (7, True, {})
    api(answer).change("DELETE", "/admin/realms/acme", wait=0)
    assert seen == ["wait=5", "respond-async"]


def test_pages_are_read_until_one_is_not_full() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["first"])
        size = PAGE if len(asked) < 3 else 0
        return httpx.Response(200, json=[{"id": number} for number in range(size)])

    assert [len(page) for page in api(answer).pages("/admin/realms/acme/clients", {"q": None})] == [
        PAGE,
        PAGE,
    ]
    assert asked == ["0", str(PAGE), str(2 * PAGE)]


def test_names_stay_names_in_a_path() -> None:
    assert path_of("a b/c", "clients", "x?y#z%") == "/admin/realms/a%20b%2Fc/clients/x%3Fy%23z%25"
    for part in ("", ".", ".."):
        with pytest.raises(CommandError):
            path_of("acme", "clients", part)


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"null", b"<html>"])
def test_a_server_that_is_not_keyturn_is_told_in_a_sentence(body: bytes) -> None:
    other = api(lambda _: httpx.Response(200, content=body))
    for call in (
        lambda: other.get("/admin/realms/acme"),
        lambda: other.get_list("/admin/realms"),
        lambda: other.find("/admin/realms/acme"),
        lambda: other.change("POST", "/admin/realms", wait=1),
    ):
        with pytest.raises(CommandError, match="is this the URL of keyturn"):
            call()


def test_the_servers_time_is_that_of_its_response() -> None:
    headers = {"date": "Mon, 30 Nov 2026 08:00:01 GMT"}
    answers = api(lambda _: httpx.Response(200, headers=headers, json=[]))
    assert answers.server_time("/admin/realms/acme/clients", {"max": 1}) == 1796025601


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_a_response_without_a_time_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="does not say the server's time"):
        api(lambda _: httpx.Response(200, headers=headers, json=[])).server_time("/admin/realms", {})
