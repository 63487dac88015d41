"""A secret that verifiers refuse opens the console no more."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.verifier.nodes import TestClock
from tests.support.admin_api import AdminApi, running, settings_for

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
    """The path of an admin client with that secret."""
    given = {"keyturn.admin.roles": "view-clients", **attributes}
    made = {"clientId": "guest", "secret": SECRET, "attributes": given}
    return f"/master/clients/{await api.create('/master/clients', made)}"


async def sign_in(api: AdminApi) -> int:
    """The status; with a success the API's client has the session's cookie."""
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
