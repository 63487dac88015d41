"""The provider ends sessions (OpenID Connect Back-Channel Logout 1.0), on every instance."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from keyturn_shared.jose.signing import SigningKey
from tests.integration.credentials.persons.conftest import NewBrowser
from tests.integration.credentials.persons.scene import SESSION, Browser
from tests.testkit.admin_api import BASE_URL, AdminApi, running
from tests.testkit.identity_provider import LOGOUT_EVENT, IdentityProvider
from tests.testkit.nodes import TestClock
from tests.testkit.waiting import wait_until


async def log_out(api: AdminApi, token: str) -> httpx.Response:
    return await api.http.post("/console/oidc/back-channel-logout", data={"logout_token": token})


async def test_a_session_ends_by_its_sid_and_no_other_one(
    api: AdminApi, new_browser: NewBrowser, provider: IdentityProvider
) -> None:
    desk, phone = new_browser(), new_browser()
    await desk.sign_in(groups="admins", sid="desk")
    await phone.sign_in(groups="admins", sid="phone")
    token = provider.sign(provider.logout_claims(sid="desk"), typ="logout+jwt")
    answer = await log_out(api, token)
    assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
    assert await desk.session() is None
    assert (await desk.http.get("/admin/realms")).status_code == 401
    assert await phone.session() is not None


async def test_all_sessions_of_a_person_end_by_its_subject(
    api: AdminApi, new_browser: NewBrowser, provider: IdentityProvider
) -> None:
    desk, phone, other = new_browser(), new_browser(), new_browser()
    await desk.sign_in(groups="admins", sid="desk")
    await phone.sign_in(groups="admins")
    await other.sign_in(groups="admins", sub="bob-2")
    assert (await log_out(api, provider.sign(provider.logout_claims()))).status_code == 204
    assert [await each.session() is None for each in (desk, phone, other)] == [True, True, False]

    async def audited() -> list[dict[str, Any]]:
        return list((await api.call("GET", "/master/audit?action=console_sessions_ended")).json())

    [entry] = await wait_until(audited)
    assert entry["actor"]["person"]["subject"] == "ada-1"


async def test_a_session_whose_sid_is_unknown_ends_with_any_of_its_person(
    api: AdminApi, browser: Browser, provider: IdentityProvider
) -> None:
    await browser.sign_in(groups="admins")
    await log_out(api, provider.sign(provider.logout_claims(sid="unknown")))
    assert await browser.session() is None


async def test_a_person_can_sign_in_again_after_a_logout(
    api: AdminApi, browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    await browser.sign_in(groups="admins")
    await log_out(api, provider.sign(provider.logout_claims()))
    clock.ahead += 1
    await browser.sign_in(groups="admins")
    assert await browser.session() is not None


async def test_a_sign_in_that_was_under_way_does_not_outlive_the_logout(
    api: AdminApi, browser: Browser, provider: IdentityProvider
) -> None:
    await browser.begin()
    browser.issue(groups=["admins"])
    await log_out(api, provider.sign(provider.logout_claims()))
    await browser.come_back()
    assert await browser.session() is None


async def test_another_instance_knows_it_at_once_and_without_redis(
    api: AdminApi, browser: Browser, provider: IdentityProvider
) -> None:
    settings = api.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    await browser.sign_in(groups="admins", sid="desk")
    cookies = {SESSION: browser.http.cookies[SESSION]}
    async with running(settings) as second:
        second.http.cookies.update(cookies)
        assert (await second.http.get("/admin/realms")).status_code == 200
        await log_out(api, provider.sign(provider.logout_claims(sid="desk")))
        assert (await second.http.get("/admin/realms")).status_code == 401


async def test_an_instance_whose_clock_is_ahead_knows_it_too(
    api: AdminApi, browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    await api.call("POST", "/admin/realms", json={"realm": "shop", "enabled": True})
    ahead = TestClock()
    ahead.ahead = 10
    provider.now = ahead.now
    async with running(api.settings, ahead) as second:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(second.app), base_url=BASE_URL)
        there = Browser(second, provider, http)
        for _ in range(2):  # the second time, an end has been known before
            await there.sign_in(groups="shop")
            assert await there.session() is not None
            assert (await log_out(api, provider.sign(provider.logout_claims()))).status_code == 204
            assert await there.session() is None
            ahead.ahead += 1
        await there.sign_in(groups="shop")
        for enabled in (False, True):
            await api.call("PUT", "/shop", json={"enabled": enabled})
        assert await there.session() is None
        await http.aclose()


async def test_a_logout_token_works_once(
    api: AdminApi, browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    token = provider.sign(provider.logout_claims())
    assert (await log_out(api, token)).status_code == 204
    clock.ahead += 1
    await browser.sign_in(groups="admins")
    replayed = await log_out(api, token)
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_request")
    assert await browser.session() is not None


def _without(claims: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in names}


FORGERIES: dict[str, Callable[[IdentityProvider, dict[str, Any]], str]] = {
    "an ID token": lambda provider, claims: provider.sign(provider.claims(nonce="n", sid="desk")),
    "no events": lambda provider, claims: provider.sign(_without(claims, "events")),
    "another event": lambda provider, claims: provider.sign(claims | {"events": {"https://other": {}}}),
    "an event that is no object": lambda provider, claims: provider.sign(
        claims | {"events": {LOGOUT_EVENT: True}}
    ),
    "a nonce": lambda provider, claims: provider.sign(claims | {"nonce": "n"}),
    "another audience": lambda provider, claims: provider.sign(claims | {"aud": "orders"}),
    "another issuer": lambda provider, claims: provider.sign(claims | {"iss": "https://evil.example"}),
    "another key": lambda provider, claims: provider.sign(
        claims, key=SigningKey.generate("ES256", kid="first")
    ),
    "another type": lambda provider, claims: provider.sign(claims, typ="at+jwt"),
    "expired": lambda provider, claims: provider.sign(claims | {"exp": int(time.time()) - 60}),
    "old": lambda provider, claims: provider.sign(claims | {"iat": int(time.time()) - 3600}),
    "neither sub nor sid": lambda provider, claims: provider.sign(_without(claims, "sub", "sid")),
    "a sid that is a number": lambda provider, claims: provider.sign(claims | {"sid": 1}),
    "an empty sid": lambda provider, claims: provider.sign(claims | {"sid": ""}),
    **{
        f"no {name}": lambda provider, claims, name=name: provider.sign(_without(claims, name))  # type: ignore[misc]
        for name in ("iss", "aud", "iat", "exp", "jti")
    },
    "no token": lambda provider, claims: "nothing",
}


async def test_a_token_that_is_no_logout_for_this_service_ends_nothing(
    api: AdminApi, browser: Browser, provider: IdentityProvider
) -> None:
    await browser.sign_in(groups="admins", sid="desk")
    for name, forge in FORGERIES.items():
        answer = await log_out(api, forge(provider, provider.logout_claims(sid="desk")))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), name
        assert answer.headers["cache-control"] == "no-store"
        assert await browser.session() is not None, name


async def test_a_request_that_is_no_form_with_one_token_is_refused(api: AdminApi) -> None:
    path, form = "/console/oidc/back-channel-logout", {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        await api.http.post(path, json={"logout_token": "x"}),
        await api.http.post(path, data={}),
        await api.http.post(path, content="logout_token=a&logout_token=b", headers=form),
        await api.http.post(path, content=b"logout_token=\xff", headers=form),
        await api.http.post(path, data={"logout_token": "x" * 40_000}),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 413]


async def test_the_sign_out_of_a_person_is_known_to_the_database(api: AdminApi, browser: Browser) -> None:
    await browser.sign_in(groups="admins")
    session = await browser.session()
    assert session is not None
    cookies = {SESSION: browser.http.cookies[SESSION]}
    headers = {"X-CSRF-Token": session["csrf"], "Origin": BASE_URL}
    await browser.http.delete("/console/session", headers=headers)
    settings = api.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    async with running(settings) as second:
        second.http.cookies.update(cookies)
        assert (await second.http.get("/admin/realms")).status_code == 401
