"""Persons sign in to the console at an identity provider that nobody here wrote: node-oidc-provider."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import require_no_violations
from tests.browser.conftest import OpenConsole
from tests.browser.persons.provider import NAME, PersonProvider, sign_in
from tests.testkit.console_realm import REALM, Scene
from tests.testkit.console_session import COOKIE
from tests.testkit.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_person_signs_in_changes_something_and_is_in_the_audit_log(
    open_console: OpenConsole, provider: PersonProvider
) -> None:
    console = await open_console("clients", signed_in=False)
    page = console.page
    await sign_in(console, provider, "ada")
    await expect(page.get_by_role("heading", name="Clients", exact=True)).to_be_visible()
    assert page.url == f"{console.base}/console/{REALM}/clients"
    await expect(page.locator(".who")).to_contain_text("Ada Lovelace")
    cookies = {str(cookie.get("name")): cookie for cookie in await console.context.cookies(console.base)}
    assert cookies.keys() >= {COOKIE}
    assert "keyturn_sign_in" not in cookies
    assert (cookies[COOKIE].get("httpOnly"), cookies[COOKIE].get("sameSite")) == (True, "Strict")
    await console.click("New client", within=page.locator("header"))
    dialog = page.get_by_role("dialog")
    await console.fill("Client ID", "made-by-ada", within=dialog)
    await console.click("Create", within=dialog)
    await expect(page.get_by_role("heading", name="made-by-ada")).to_be_visible()
    await console.open("audit")
    row = page.locator("tbody tr").filter(has_text="made-by-ada").first
    await expect(row).to_contain_text("Ada Lovelace")
    await expect(row).to_contain_text(f"ada, {provider.issuer}")
    await console.fill("Who", "ada")
    await expect(row).to_be_visible()
    await console.click("Sign out")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_person_who_may_only_look_sees_no_secret_and_changes_nothing(
    open_console: OpenConsole, provider: PersonProvider, scene: Scene
) -> None:
    console = await open_console("clients", signed_in=False)
    console.expected.append("403")
    page = console.page
    scene.client("seen-by-bob")
    await sign_in(console, provider, "bob")
    await page.get_by_role("link", name="seen-by-bob").click()
    await expect(page.get_by_role("heading", name="seen-by-bob")).to_be_visible()
    await console.open_client("seen-by-bob")
    answer = await page.evaluate(
        """async (path) => {
          const { csrf } = await (await fetch("/console/session")).json();
          const headers = { "X-CSRF-Token": csrf };
          return (await fetch(path, { method: "POST", headers })).status;
        }""",
        f"/admin/realms/{REALM}/clients/{scene.uuids['seen-by-bob']}/client-secret",
    )
    assert answer == 403
    await console.open("audit")
    await expect(page.get_by_text("You do not have permission: you lack the required role.")).to_be_visible()


async def test_a_person_without_a_role_is_told_so(
    open_console: OpenConsole, provider: PersonProvider, axe: str
) -> None:
    console = await open_console(signed_in=False, bypass_csp=True)
    console.expected.append("403")
    await sign_in(console, provider, "eve")
    await expect(console.page.get_by_role("heading", name="You have no role here")).to_be_visible()
    assert COOKIE not in {cookie.get("name") for cookie in await console.context.cookies(console.base)}
    await require_no_violations(console, axe, "no role")
    await console.page.get_by_role("link", name="Back to sign-in").click()
    await expect(console.page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_logout_at_the_provider_ends_the_session_here(
    open_console: OpenConsole, provider: PersonProvider
) -> None:
    console = await open_console("clients", signed_in=False)
    console.expected += ["401", "EventSource"]
    await sign_in(console, provider, "ada")
    await expect(console.page.get_by_role("heading", name="Clients", exact=True)).to_be_visible()
    other = await console.context.new_page()
    await other.goto(f"{provider.issuer}/session/end")
    await other.get_by_role("button", name=re.compile("Yes, sign me out")).click()
    await wait_until(lambda: "logout delivered" in provider.said())
    await console.page.get_by_role("link", name="Rotations").click()
    await expect(console.page.get_by_role("alert")).to_contain_text("Your session has ended")


async def test_a_provider_that_is_away_and_comes_back_with_new_keys(
    open_console: OpenConsole, provider: PersonProvider, scene: Scene
) -> None:
    console = await open_console("clients", signed_in=False)
    provider.stop()
    page = console.page
    await page.get_by_role("link", name=f"Sign in with {NAME}").click()
    # What the service knows of the provider suffices to begin: it is the browser that says that it is away.
    await page.wait_for_url(re.compile("chrome-error|oidc/sign-in"))
    provider.start(scene.stack.base_url)
    await console.open("clients")
    await sign_in(console, provider, "ada")
    await expect(page.get_by_role("heading", name="Clients", exact=True)).to_be_visible()


async def test_what_is_not_saved_outlasts_a_new_sign_in_in_another_tab(
    open_console: OpenConsole, provider: PersonProvider, scene: Scene
) -> None:
    scene.client("edited-by-ada")
    console = await open_console("clients", signed_in=False)
    console.expected += ["401", "EventSource"]
    page = console.page
    await sign_in(console, provider, "ada")
    await console.open_client("edited-by-ada", "settings")
    await console.fill("Description", "Not saved yet")
    await console.context.clear_cookies(name=COOKIE)
    await console.click("Save")
    await expect(page.get_by_role("alert")).to_contain_text("Sign in again as Ada Lovelace")
    async with console.context.expect_page() as opening:
        await page.get_by_role("link", name=f"Sign in with {NAME}").click()
    other = await opening.value
    await expect(other.get_by_role("heading", name="Clients", exact=True)).to_be_visible()
    await other.close()
    await page.bring_to_front()
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect(page.get_by_label("Description")).to_have_value("Not saved yet")
    await console.click("Save")
    await console.expect_toast("Saved")


async def test_the_sign_in_page_offers_both_ways_and_is_accessible(
    open_console: OpenConsole, axe: str
) -> None:
    console = await open_console(signed_in=False, bypass_csp=True)
    page = console.page
    await expect(page.get_by_role("link", name=f"Sign in with {NAME}")).to_be_visible()
    await expect(page.get_by_label("Client secret")).to_be_visible()
    await require_no_violations(console, axe, "sign in")


async def test_the_form_is_gone_when_only_persons_sign_in(open_console: OpenConsole, axe: str) -> None:
    console = await open_console(signed_in=False, bypass_csp=True)
    ways = {"client_secret": False, "provider": {"name": NAME}}
    await console.page.route("**/console/sign-in", lambda route: route.fulfill(json=ways))
    await console.page.reload()
    await expect(console.page.get_by_role("link", name=f"Sign in with {NAME}")).to_be_focused()
    await expect(console.page.get_by_label("Client secret")).to_have_count(0)
    await require_no_violations(console, axe, "sign in")
