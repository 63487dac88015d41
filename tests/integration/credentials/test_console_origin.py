"""No page of another site can sign users in or use a session, even over plain http."""

import pytest

from keyturn_credentials.console.routes import SIGN_IN_BYTES
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL, AdminApi

COOKIE = "keyturn_session"
CREDENTIALS = {"realm": "master", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}

FOREIGN: dict[str, dict[str, str]] = {
    "another host": {"Origin": "http://evil.test"},
    "a host below": {"Origin": "http://x.keyturn.test"},
    "a host that begins alike": {"Origin": "http://keyturn.test.evil.test"},
    "another port": {"Origin": f"{BASE_URL}:8443"},
    "another scheme": {"Origin": "https://keyturn.test"},
    "an opaque origin": {"Origin": "null"},
    "nothing": {"Origin": ""},
    "a host that is no other's": {"Origin": "ftp://other.test", "Host": "other.test"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site", "Origin": BASE_URL},
}
OWN: dict[str, dict[str, str]] = {
    "a program": {},
    "the public origin": {"Origin": BASE_URL},
    "in upper case": {"Origin": BASE_URL.upper()},
    "a browser over https": {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"},
    "another name of the console": {"Origin": "http://localhost:8080", "Host": "localhost:8080"},
}


async def sign_in(api: AdminApi, headers: dict[str, str]) -> int:
    answer = await api.http.post("/console/session", json=CREDENTIALS, headers=headers)
    assert (answer.status_code == 200) == ("set-cookie" in answer.headers)
    return answer.status_code


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_page_of_another_origin_signs_nobody_in(api: AdminApi, headers: dict[str, str]) -> None:
    """A user would work in the attacker's session, and type secrets into it."""
    assert await sign_in(api, headers) == 403


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
async def test_own_pages_and_programs_sign_in(api: AdminApi, headers: dict[str, str]) -> None:
    assert await sign_in(api, headers) == 200


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_page_of_another_origin_changes_nothing_even_with_the_csrf_token(
    api: AdminApi, headers: dict[str, str]
) -> None:
    answer = await api.http.post("/console/session", json=CREDENTIALS)
    session = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}", "X-CSRF-Token": answer.json()["csrf"]}
    made = await api.http.post("/admin/realms", json={"realm": "acme"}, headers=session | headers)
    assert made.status_code == 403
    signed_out = await api.http.request("DELETE", "/console/session", headers=session | headers)
    assert signed_out.status_code == 403
    made = await api.http.post(
        "/admin/realms", json={"realm": "acme"}, headers=session | {"Origin": BASE_URL}
    )
    assert made.status_code == 201


async def test_a_sign_in_that_is_larger_than_any_credentials_is_refused(api: AdminApi) -> None:
    """The sender is not authenticated yet."""
    for size, status in ((SIGN_IN_BYTES - 200, 200), (SIGN_IN_BYTES, 413)):
        answer = await api.http.post("/console/session", json=CREDENTIALS | {"more": "x" * size})
        assert answer.status_code == status
