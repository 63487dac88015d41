"""A secret that verifiers refuse no longer opens the console."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from keyturn_credentials.console.sessions import LONGEST_SESSION_SECONDS
from keyturn_credentials.console.throttle import ALLOWED_FAILURES
from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.nodes import TestClock

SECRET = "the secret of the guest"
ENDS_SOON = {"keyturn.secret.expiration-period": "60"}
COOKIE = "keyturn_session"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, clock: TestClock) -> AsyncIterator[AdminApi]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    async with running(settings, clock) as started:
        yield started


async def make_guest(api: AdminApi, **attributes: str) -> str:
    """Create an admin client with that secret; return its path."""
    given = {"keyturn.admin.roles": "view-clients", **attributes}
    made = {"clientId": "guest", "secret": SECRET, "attributes": given}
    return f"/master/clients/{await api.create('/master/clients', made)}"


async def sign_in(api: AdminApi) -> int:
    """Sign in and return the status; on success the API's client has the session's cookie."""
    credentials = {"realm": "master", "client_id": "guest", "client_secret": SECRET}
    answer = await api.http.post("/console/session", json=credentials)
    if answer.status_code == 200:
        api.http.cookies.set(COOKIE, answer.cookies[COOKIE])
    return answer.status_code


async def status_by_cookie(api: AdminApi) -> int:
    return (await api.http.get("/admin/realms")).status_code


async def test_a_secret_opens_the_console_until_it_expires(api: AdminApi, clock: TestClock) -> None:
    await make_guest(api, **ENDS_SOON)
    assert (await sign_in(api), await status_by_cookie(api)) == (200, 200)
    clock.ahead += 61
    assert (await sign_in(api), await status_by_cookie(api)) == (401, 401)


async def test_guesses_that_are_sent_at_once_are_no_more_than_those_sent_one_by_one(api: AdminApi) -> None:
    await make_guest(api)

    async def guess(number: int) -> int:
        credentials = {"realm": "master", "client_id": "guest", "client_secret": f"guess {number}"}
        return (await api.http.post("/console/session", json=credentials)).status_code

    counted = Counter(await asyncio.gather(*(guess(number) for number in range(60))))
    assert counted == {401: ALLOWED_FAILURES, 429: 60 - ALLOWED_FAILURES}
    assert await sign_in(api) == 429


async def test_many_who_are_right_sign_in_at_once_from_one_address(api: AdminApi) -> None:
    await make_guest(api)
    answers = await asyncio.gather(*(sign_in(api) for _ in range(4 * ALLOWED_FAILURES)))
    assert set(answers) == {200}


async def test_a_sign_in_that_could_not_be_looked_at_is_no_guess(api: AdminApi) -> None:
    await make_guest(api)
    for _ in range(ALLOWED_FAILURES + 5):
        answer = await api.http.post("/console/session", json={"realm": "master", "client_id": "guest"})
        assert answer.status_code == 400
    assert await sign_in(api) == 200


@pytest.mark.parametrize(
    "change",
    [{"clientAuthenticatorType": "client-jwt"}, {"publicClient": True}, {"serviceAccountsEnabled": False}],
    ids=str,
)
async def test_a_secret_that_the_client_does_not_go_by_any_more_does_not_open_the_console(
    api: AdminApi, change: dict[str, Any]
) -> None:
    path = await make_guest(api)
    assert (await sign_in(api), await status_by_cookie(api)) == (200, 200)
    assert (await api.call("PUT", path, json=change)).status_code == 204
    assert (await sign_in(api), await status_by_cookie(api)) == (401, 401)


async def renew(api: AdminApi, csrf: str) -> int:
    """Renew the session and return the status; on success the API's client has the new cookie."""
    answer = await api.http.put("/console/session", headers={"X-CSRF-Token": csrf})
    if answer.status_code == 200:
        api.http.cookies.clear()
        api.http.cookies.set(COOKIE, answer.cookies[COOKIE])
    return answer.status_code


async def test_a_session_is_renewed_with_its_token_until_its_longest_duration(
    api: AdminApi, clock: TestClock
) -> None:
    await make_guest(api)
    await sign_in(api)
    csrf = (await api.http.get("/console/session")).json()["csrf"]
    assert await renew(api, "wrong") == 403
    for _ in range(LONGEST_SESSION_SECONDS // 1700):
        clock.ahead += 1700
        assert await renew(api, csrf) == 200
    clock.ahead += 1700
    assert await renew(api, csrf) == 401


async def test_a_session_that_was_signed_out_is_not_renewed_by_a_copy_of_its_cookie(api: AdminApi) -> None:
    await make_guest(api)
    await sign_in(api)
    copied = next(cookie.value for cookie in api.http.cookies.jar if cookie.name == COOKIE)
    assert copied is not None
    csrf = (await api.http.get("/console/session")).json()["csrf"]
    out = await api.http.delete("/console/session", headers={"X-CSRF-Token": csrf})
    assert out.status_code == 204
    api.http.cookies.clear()
    api.http.cookies.set(COOKIE, copied)
    assert await renew(api, csrf) == 401


async def test_the_roles_that_were_taken_away_end_a_session_at_its_renewal(api: AdminApi) -> None:
    path = await make_guest(api)
    await sign_in(api)
    csrf = (await api.http.get("/console/session")).json()["csrf"]
    await api.call("PUT", path, json={"attributes": {"keyturn.admin.roles": ""}})
    assert await renew(api, csrf) == 401
