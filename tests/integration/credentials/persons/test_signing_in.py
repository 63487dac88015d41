"""A person signs in at an identity provider, and has the roles of its groups."""

import base64
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from keyturn_credentials.console.sessions import SESSION_SECONDS
from tests.integration.credentials.persons.conftest import NewBrowser
from tests.integration.credentials.persons.scene import FLOW, SESSION, Browser, has_session
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, BASE_URL, AdminApi
from tests.testkit.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.testkit.nodes import TestClock
from tests.testkit.waiting import wait_until

HOUR = 3600


async def entries(api: AdminApi, action: str) -> list[dict[str, Any]]:
    """Return the entries of this kind in realm master, once there is one."""

    async def found() -> list[dict[str, Any]]:
        return list((await api.call("GET", f"/master/audit?action={action}")).json())

    return await wait_until(found)


async def test_the_sign_in_page_offers_the_provider_and_the_form(browser: Browser) -> None:
    ways = (await browser.http.get("/console/sign-in")).json()
    assert ways == {"client_secret": True, "provider": {"name": "Example ID"}}


async def test_a_request_has_all_that_protects_its_answer(
    browser: Browser, provider: IdentityProvider
) -> None:
    answer = await browser.begin()
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{provider.issuer}/authorize"
    asked = browser.asked
    assert asked["tenant"] == "1", "the endpoint's own query"
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile", "S256")
    assert asked["redirect_uri"] == f"{BASE_URL}/console/oidc/callback"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) == 43
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith(f"{FLOW}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert asked["nonce"] not in cookie


async def test_a_person_signs_in_and_its_changes_have_its_name(
    browser: Browser, api: AdminApi, provider: IdentityProvider
) -> None:
    answer = await browser.sign_in("/console/master/audit?x=1", groups=["admins", "others"], name="Ada L.")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/master/audit?x=1")
    [session_cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION}=")]
    assert "HttpOnly" in session_cookie
    assert "SameSite=strict" in session_cookie
    assert FLOW not in browser.http.cookies
    session = await browser.session()
    assert session is not None
    assert session["person"] == {"subject": "ada-1", "name": "Ada L."}
    assert (session["realm"], session["client_id"]) == ("master", None)
    made = await browser.change("POST", "/master/clients", json={"clientId": "orders"})
    assert made.status_code == 201
    person = {"issuer": provider.issuer, "subject": "ada-1", "name": "Ada L."}
    [created] = (await api.call("GET", "/master/audit?client_id=orders&actor=ada-1")).json()
    assert created["actor"] == {"realm": None, "client_id": None, "person": person}
    [signed_in] = await entries(api, "console_signed_in")
    assert (signed_in["actor"]["person"], signed_in["details"]) == (person, {"by": "provider"})
    by_name = (await api.call("GET", "/master/audit?actor=Ada L.")).json()
    assert created in by_name


async def test_the_client_authenticates_with_basic(browser: Browser, provider: IdentityProvider) -> None:
    await browser.sign_in(groups="admins")
    [(authorization, form)] = provider.forms
    assert authorization is not None
    decoded = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    assert decoded == f"{CLIENT_ID}:{CLIENT_SECRET.replace(':', '%3A').replace(' ', '+')}"
    assert "client_secret" not in form


async def test_a_person_may_do_what_its_groups_may(browser: Browser) -> None:
    await browser.sign_in(groups=["viewers"])
    assert (await browser.http.get("/admin/realms/master/clients")).status_code == 200
    refused = await browser.change("POST", "/master/clients", json={"clientId": "orders"})
    assert refused.status_code == 403


async def test_a_person_has_roles_in_each_realm_of_its_groups(browser: Browser, api: AdminApi) -> None:
    for realm in ("shop", "acme"):
        await api.call("POST", "/admin/realms", json={"realm": realm, "enabled": True})
    await browser.sign_in(groups=["shop", "two"])
    session = await browser.session()
    assert session is not None
    assert session["realm"] == "acme", "the first one"
    assert (await browser.change("POST", "/shop/clients", json={"clientId": "a"})).status_code == 201
    assert (await browser.change("POST", "/acme/clients", json={"clientId": "a"})).status_code == 403
    assert (await browser.change("PUT", "/acme", json={"displayName": "Acme"})).status_code == 204
    for path in ("/shop/audit", "/master/clients", "/acme/clients"):
        assert (await browser.http.get(f"/admin/realms{path}")).status_code == 403
    listed = (await browser.http.get("/admin/realms")).json()
    assert {realm["realm"] for realm in listed} == {"shop", "acme"}


async def test_a_realm_that_is_disabled_gives_no_rights(browser: Browser, api: AdminApi) -> None:
    await api.call("POST", "/admin/realms", json={"realm": "shop", "enabled": True})
    await browser.sign_in(groups=["shop"])
    assert await browser.session() is not None
    await api.call("PUT", "/shop", json={"enabled": False})
    assert await browser.session() is None
    assert (await browser.http.get("/admin/realms/shop/clients")).status_code == 401


async def test_what_ends_the_tokens_of_a_realm_ends_the_rights_of_persons_there(
    browser: Browser, new_browser: NewBrowser, api: AdminApi, clock: TestClock
) -> None:
    """Enabling the realm again revives no session, and a sign-in that was under way neither."""
    for realm in ("shop", "acme"):
        await api.call("POST", "/admin/realms", json={"realm": realm, "enabled": True})
    other, late = new_browser(), new_browser()
    await browser.sign_in(groups=["shop"])
    await other.sign_in(groups=["two"])
    await late.begin()
    await api.call("PUT", "/shop", json={"enabled": False})
    await api.call("PUT", "/shop", json={"enabled": True})
    assert await browser.session() is None
    assert (await browser.http.get("/admin/realms/shop/clients")).status_code == 401
    assert (await other.http.get("/admin/realms/shop/clients")).status_code == 403
    assert (await other.change("PUT", "/acme", json={"displayName": "Acme"})).status_code == 204
    late.issue(groups=["shop"])
    assert ">no_role<" in (await late.come_back()).text
    assert has_session(await browser.sign_in(groups=["shop"]))
    now = {"notBefore": int(clock.now())}
    assert (await api.call("PUT", "/shop", json=now)).status_code == 204
    assert await browser.session() is None, "of this very second"


async def test_nobody_grants_more_than_the_groups_give(browser: Browser, api: AdminApi) -> None:
    await api.call("POST", "/admin/realms", json={"realm": "shop", "enabled": True})
    await browser.sign_in(groups=["shop"])
    more = {"clientId": "more", "attributes": {"keyturn.admin.roles": "manage-realm"}}
    assert (await browser.change("POST", "/shop/clients", json=more)).status_code == 403
    same = {"clientId": "same", "attributes": {"keyturn.admin.roles": "manage-clients"}}
    assert (await browser.change("POST", "/shop/clients", json=same)).status_code == 201


async def test_a_person_without_a_role_is_told_so_and_audited(
    browser: Browser, api: AdminApi, provider: IdentityProvider
) -> None:
    answer = await browser.sign_in(groups=["staff"], name="Eve")
    assert answer.status_code == 403
    assert "You have no role here" in answer.text
    assert not has_session(answer)
    assert "script" not in answer.headers["content-security-policy"].replace("script-src 'self'", "").replace(
        "require-trusted-types-for 'script'", ""
    )
    [entry] = await entries(api, "console_sign_in_refused")
    assert entry["details"] == {"by": "provider", "reason": "no_role"}
    assert entry["actor"]["person"]["subject"] == "ada-1"


@pytest.mark.parametrize("own", [{}, {"groups": None}], ids=str)
async def test_groups_that_the_id_token_lacks_are_taken_from_userinfo(
    browser: Browser, provider: IdentityProvider, own: dict[str, Any]
) -> None:
    provider.people["access"] = {"sub": "ada-1", "groups": ["admins"], "name": "Ada", "nonce": "x"}
    await browser.begin()
    token = provider.sign(provider.claims(nonce=browser.asked["nonce"]) | own)
    provider.issue("code-1", browser.asked["code_challenge"], id_token=token, access_token="access")
    assert (await browser.come_back()).status_code == 303
    session = await browser.session()
    assert session is not None
    assert session["person"]["name"] == "Ada"


async def test_userinfo_about_another_person_is_refused(browser: Browser, provider: IdentityProvider) -> None:
    provider.people["access"] = {"sub": "admin", "groups": ["admins"]}
    await browser.begin()
    token = provider.sign(provider.claims(nonce=browser.asked["nonce"]))
    provider.issue("code-1", browser.asked["code_challenge"], id_token=token, access_token="access")
    answer = await browser.come_back()
    assert (answer.status_code, has_session(answer)) == (403, False)


async def renew(browser: Browser, csrf: str) -> httpx.Response:
    return await browser.http.put("/console/session", headers={"X-CSRF-Token": csrf, "Origin": BASE_URL})


async def test_work_renews_a_session_up_to_its_bound_and_no_longer(
    browser: Browser, clock: TestClock
) -> None:
    await browser.sign_in(groups="admins")
    session = await browser.session()
    assert session is not None
    assert round(session["ends_at"] - clock.now(), -1) == HOUR
    clock.ahead += SESSION_SECONDS - 10
    assert (await renew(browser, session["csrf"])).status_code == 200
    clock.ahead += SESSION_SECONDS - 20
    renewed = await renew(browser, session["csrf"])
    assert renewed.status_code == 200
    assert renewed.json()["expires_at"] == session["ends_at"]
    clock.ahead += 40
    assert await browser.session() is None
    assert (await renew(browser, session["csrf"])).status_code == 401


async def test_a_sign_out_ends_every_copy_of_the_session(browser: Browser, new_browser: NewBrowser) -> None:
    await browser.sign_in(groups="admins")
    session = await browser.session()
    assert session is not None
    other = new_browser()
    other.http.cookies.set(SESSION, browser.http.cookies[SESSION], domain="keyturn.test")
    assert await other.session() is not None
    headers = {"X-CSRF-Token": session["csrf"], "Origin": BASE_URL}
    assert (await browser.http.delete("/console/session", headers=headers)).status_code == 204
    assert await other.session() is None
    assert (await renew(other, session["csrf"])).status_code == 401


async def test_a_person_needs_the_csrf_token_and_the_own_origin(browser: Browser) -> None:
    await browser.sign_in(groups="admins")
    session = await browser.session()
    assert session is not None
    new = {"clientId": "orders"}
    without = await browser.http.post("/admin/realms/master/clients", json=new)
    elsewhere = {"X-CSRF-Token": session["csrf"], "Origin": "https://evil.example"}
    foreign = await browser.http.post("/admin/realms/master/clients", json=new, headers=elsewhere)
    assert (without.status_code, foreign.status_code) == (403, 403)


async def test_clients_still_sign_in_beside_persons(browser: Browser) -> None:
    credentials = {"realm": "master", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    assert (await browser.http.post("/console/session", json=credentials)).status_code == 200
    session = await browser.session()
    assert session is not None
    assert (session["client_id"], session["person"]) == (ADMIN_ID, None)


@pytest.mark.parametrize("path", ["sign-in", "callback", "jwks"])
async def test_without_a_key_or_a_sign_in_nothing_is_told(browser: Browser, path: str) -> None:
    answer = await browser.http.get(f"/console/oidc/{path}")
    assert answer.status_code == {"sign-in": 303, "callback": 400, "jwks": 404}[path]
