"""Event streams: limited in number, and open only while their caller may see them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.testkit.admin_api import ADMIN_ID, AdminApi, running, settings_for
from tests.testkit.nodes import TestClock, eventually
from tests.testkit.served import served

SECRET = "the secret of the guest"
COOKIE = "keyturn_session"
STREAM = "/admin/realms/acme/fleet/stream"
SECONDS = 30
"""More than any step takes on a busy machine."""
MAX_STREAMS, MAX_OF_CLIENT = 3, 2


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, clock: TestClock) -> AsyncIterator[AdminApi]:
    url = f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    settings = settings_for(url, redis_url, stream_limit=MAX_STREAMS, stream_limit_client=MAX_OF_CLIENT)
    async with running(settings, clock) as started:
        assert (await started.call("POST", "", json={"realm": "acme"})).status_code == 201
        yield started


@pytest.fixture
async def browser(api: AdminApi) -> AsyncIterator[httpx.AsyncClient]:
    """A client over real sockets: a stream has no end to wait for."""
    async with served(api.app) as base_url:
        timeout = httpx.Timeout(SECONDS)
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=timeout) as http:
            yield http


async def make_guest(api: AdminApi) -> str:
    guest = {"clientId": "guest", "secret": SECRET, "attributes": {"keyturn.admin.roles": "view-clients"}}
    return f"/acme/clients/{await api.create('/acme/clients', guest)}"


async def bearer(api: AdminApi, realm: str = "acme", client_id: str = "guest") -> dict[str, str]:
    return {"Authorization": f"Bearer {await api.token(realm, client_id)}"}


async def session(http: httpx.AsyncClient) -> dict[str, str]:
    credentials = {"realm": "acme", "client_id": "guest", "client_secret": SECRET}
    answer = await http.post("/console/session", json=credentials)
    assert answer.status_code == 200, answer.text
    http.cookies.clear()
    return {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}", "X-CSRF-Token": answer.json()["csrf"]}


@asynccontextmanager
async def watching(http: httpx.AsyncClient, headers: dict[str, str]) -> AsyncIterator[AsyncIterator[str]]:
    """Open a stream; yield its lines from the second look on."""
    async with http.stream("GET", STREAM, headers=headers) as stream:
        assert stream.status_code == 200
        lines = stream.aiter_lines()
        async with asyncio.timeout(SECONDS):
            while not (await anext(lines)).startswith("data: "):
                pass
        yield lines


async def ends(lines: AsyncIterator[str]) -> None:
    async with asyncio.timeout(SECONDS):
        async for _ in lines:
            pass


async def disable(api: AdminApi, guest: str) -> httpx.Response:
    return await api.call("PUT", guest, json={"enabled": False})


async def delete(api: AdminApi, guest: str) -> httpx.Response:
    return await api.call("DELETE", guest)


async def demote(api: AdminApi, guest: str) -> httpx.Response:
    return await api.call("PUT", guest, json={"attributes": {"keyturn.admin.roles": ""}})


async def take_tokens(api: AdminApi, guest: str) -> httpx.Response:
    return await api.call("PUT", guest, json={"serviceAccountsEnabled": False})


async def disable_realm(api: AdminApi, _: str) -> httpx.Response:
    return await api.call("PUT", "/acme", json={"enabled": False})


async def rename_realm(api: AdminApi, _: str) -> httpx.Response:
    return await api.call("PUT", "/acme", json={"realm": "renamed"})


async def delete_realm(api: AdminApi, _: str) -> httpx.Response:
    return await api.call("DELETE", "/acme")


async def regenerate(api: AdminApi, guest: str) -> httpx.Response:
    return await api.call("POST", f"{guest}/client-secret")


Change = Callable[[AdminApi, str], Awaitable[httpx.Response]]
ENDING: list[Change] = [
    disable,
    delete,
    demote,
    take_tokens,
    disable_realm,
    rename_realm,
    delete_realm,
]


@pytest.mark.parametrize("change", ENDING, ids=lambda change: change.__name__)
async def test_a_stream_ends_with_its_callers_rights(
    api: AdminApi, browser: httpx.AsyncClient, change: Change
) -> None:
    guest = await make_guest(api)
    async with watching(browser, await bearer(api)) as lines:
        assert (await change(api, guest)).status_code in (200, 204)
        await ends(lines)


@pytest.mark.parametrize("change", [disable, demote, regenerate], ids=lambda change: change.__name__)
async def test_the_consoles_stream_ends_with_its_session(
    api: AdminApi, browser: httpx.AsyncClient, change: Change
) -> None:
    guest = await make_guest(api)
    async with watching(browser, await session(browser)) as lines:
        assert (await change(api, guest)).status_code in (200, 204)
        await ends(lines)


async def test_a_stream_ends_within_a_minute_of_a_sign_out(
    api: AdminApi, browser: httpx.AsyncClient, clock: TestClock
) -> None:
    """A sign-out is not an event: the stream asks by the clock."""
    await make_guest(api)
    signed_in = await session(browser)
    async with watching(browser, signed_in) as lines:
        out = await browser.request("DELETE", "/console/session", headers=signed_in)
        assert out.status_code == 204
        clock.elapsed_ahead += 60
        await ends(lines)


async def test_a_stream_goes_on_through_changes_that_leave_its_caller_its_rights(
    api: AdminApi, browser: httpx.AsyncClient
) -> None:
    guest = await make_guest(api)
    async with watching(browser, await bearer(api)) as lines:
        changed = await api.call("PUT", guest, json={"description": "still there"})
        sequence = changed.headers["keyturn-sequence"]
        async with asyncio.timeout(SECONDS):
            async for line in lines:
                if f'"sequence":{sequence},"type":"client_updated"' in line:
                    return
        raise AssertionError("the stream ended")


async def test_one_client_has_so_many_streams_and_all_together_so_many(
    api: AdminApi, browser: httpx.AsyncClient
) -> None:
    """Each refusal names its limit, and an abandoned place is free again."""
    await make_guest(api)
    guest, admin = await bearer(api), await bearer(api, "master", ADMIN_ID)
    async with AsyncExitStack() as others:
        async with AsyncExitStack() as stack:
            for _ in range(MAX_OF_CLIENT):
                await stack.enter_async_context(watching(browser, guest))
            refused = await browser.get(STREAM, headers=guest)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert str(MAX_OF_CLIENT) in refused.json()["errorMessage"]
            assert int(refused.headers["retry-after"]) > 0
            for _ in range(MAX_STREAMS - MAX_OF_CLIENT):
                await others.enter_async_context(watching(browser, admin))
            refused = await browser.get(STREAM, headers=admin)
            assert (refused.status_code, refused.json()["code"]) == (503, "streams_exhausted")
            assert str(MAX_STREAMS) in refused.json()["errorMessage"]
            assert int(refused.headers["retry-after"]) > 0

        async def is_free() -> bool:
            metrics = (await browser.get("/metrics")).text
            return f"keyturn_streams {float(MAX_STREAMS - MAX_OF_CLIENT)}\n" in metrics

        await eventually(is_free, SECONDS)
        async with watching(browser, guest):
            pass


async def test_a_look_without_a_body_takes_no_place(api: AdminApi, browser: httpx.AsyncClient) -> None:
    admin = await bearer(api, "master", ADMIN_ID)
    for _ in range(MAX_STREAMS + 1):
        answer = await browser.head(STREAM, headers=admin)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
